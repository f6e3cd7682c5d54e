"""PostgreSQL: its connections."""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from retriage.store.database.statements import SmallStatements

WAIT_SECONDS = 60
"""How long who wants a connection waits for one."""

CONNECT_SECONDS = 10
"""How long a server may take to answer."""


def postgresql_engine(
    url: URL, connections: int, statement_seconds: float | None, *, repeatable: bool = False
) -> AsyncEngine:
    """Connections to a PostgreSQL database.

    A connection is tested before it is given out: after a restart of the server none of them is alive.

    Args:
        url: the database.
        connections: how many there are at most.
        statement_seconds: how long the server works on one statement.
        repeatable: all statements of a transaction see the same state.
    """
    how: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if repeatable else {}
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_SECONDS},
        execution_options={"compiled_cache": SmallStatements()},
        **how,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # Machine code for a question of a hundred conditions takes PostgreSQL forty times as long as the answer.
        cursor.execute("SET jit = off")
        if statement_seconds is not None:
            cursor.execute(f"SET statement_timeout = {int(statement_seconds * 1000)}")
        cursor.close()
        connection.commit()

    return engine
