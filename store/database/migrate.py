"""Bring the tables of a store up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, inspect, select

_MIGRATES = 0x7265747269616765
"""Names the lock of PostgreSQL that whoever migrates holds: ``retriage`` in ASCII."""


_STORE = Path(__file__).parent / "migrations"


class NotAStore(Exception):
    """The file is a database of something else."""


def migrate(connection: Connection, scripts: Path = _STORE, version_table: str = "alembic_version") -> None:
    """Run the migrations that this database has not seen, inside the caller's transaction.

    Of several that open the same database, one migrates and the others wait. SQLite's transaction is alone anyway.

    Args:
        connection: the caller's.
        scripts: the folder of the migrations.
        version_table: the table that tells which of them have run; each kind of database has its own.

    Raises:
        NotAStore: an SQLite file that has tables, but not this one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATES)))
    elif (tables := inspect(connection).get_table_names()) and version_table not in tables:
        raise NotAStore("it is an SQLite database of something else")
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table
    command.upgrade(config, "head")
