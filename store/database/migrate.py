"""Bring the tables of a store up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, inspect, select

_MIGRATES = 0x7265747269616765
"""Names the lock of PostgreSQL that whoever migrates holds: ``retriage`` in ASCII."""


class NotAStore(Exception):
    """The file is a database of something else."""


def migrate(connection: Connection) -> None:
    """Run the migrations that this database has not seen, inside the caller's transaction.

    Of several that open the same database, one migrates and the others wait. SQLite's transaction is alone anyway.

    Raises:
        NotAStore: an SQLite file that has tables, but none of a store.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATES)))
    elif (tables := inspect(connection).get_table_names()) and "alembic_version" not in tables:
        raise NotAStore("it is an SQLite database of something else")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
