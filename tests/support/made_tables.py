"""New SQLite files get the tables that the migrations have made once in this process.

Alembic takes 65 ms for an empty store, most of what a small test of a store takes; the tables are the same ones
(``tests/store/test_schema.py`` compares them).
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, inspect, text

from retriage.store.database import engine, migrate
from retriage.store.journal import journal


class Made(NamedTuple):
    """What the migrations have made of an empty file."""

    statements: list[str]
    version: str
    application_id: int


_MADE: dict[Path, Made] = {}


def make_tables(
    connection: Connection, scripts: Path = migrate.STORE_MIGRATIONS, version_table: str = "alembic_version"
) -> None:
    """As :func:`retriage.store.database.migrate.migrate`; an empty SQLite file gets the tables made before."""
    empty = connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()
    made = _MADE.get(scripts)
    if not empty or made is None:
        migrate.migrate(connection, scripts, version_table)
        if empty:
            _MADE[scripts] = _made(connection, version_table)
        return
    for statement in made.statements:
        connection.exec_driver_sql(statement)
    connection.execute(text(f"INSERT INTO {version_table} VALUES (:version)"), {"version": made.version})
    connection.exec_driver_sql(f"PRAGMA application_id = {made.application_id}")


def _made(connection: Connection, version_table: str) -> Made:
    kept = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    statements = list(connection.execute(text(kept)).scalars())
    version = connection.execute(text(f"SELECT version_num FROM {version_table}")).scalar_one()
    marked: Any = connection.execute(text("PRAGMA application_id")).scalar_one()
    return Made(statements, str(version), int(marked))


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores and journals of this process be made so."""
    monkeypatch.setattr(engine, "migrate", make_tables)
    monkeypatch.setattr(journal, "migrate", make_tables)
