"""Bring the tables of a store up to date."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, table, text
from sqlalchemy import column as named

from retriage.store.progress import TELL

_MIGRATES = 0x7265747269616765
"""Names the lock of PostgreSQL that whoever migrates holds: ``retriage`` in ASCII."""

APPLICATION_ID = 0x52545247
"""Marks an SQLite file as a store: ``RTRG`` in ASCII, where the file format has the id of its application."""

STORE_MIGRATIONS = Path(__file__).parent / "migrations"


class NotAStore(Exception):
    """The file is a database of something else."""


class NewerStore(NotAStore):
    """A newer version has written it."""

    def __init__(self) -> None:
        super().__init__("it was written by a newer version of Retriage")


@cache
def known_revisions(scripts: Path = STORE_MIGRATIONS) -> frozenset[str]:
    """The versions of the tables that this version knows."""
    directory = ScriptDirectory.from_config(_config(scripts))
    return frozenset(script.revision for script in directory.walk_revisions())


@cache
def newest_revisions(scripts: Path = STORE_MIGRATIONS) -> frozenset[str]:
    """The versions of tables that are up to date."""
    return frozenset(ScriptDirectory.from_config(_config(scripts)).get_heads())


def migrate(connection: Connection, scripts: Path = STORE_MIGRATIONS, version_table: str = "alembic_version") -> None:
    """Run the migrations that this database has not seen, inside the caller's transaction.

    Of several that open the same database, one migrates and the others wait. SQLite's transaction is alone anyway.

    Args:
        connection: the caller's.
        scripts: the folder of the migrations.
        version_table: the table that tells which of them have run; each kind of database has its own.

    Raises:
        NotAStore: it has tables of something else.
        NewerStore: a newer version has written it.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large store takes its time
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATES)))
    tables = inspect(connection).get_table_names()
    up_to_date, versions = False, set[str]()
    if version_table in tables:
        versions = set(connection.execute(select(table(version_table, named("version_num")).c.version_num)).scalars())
        if not versions:
            raise NotAStore(f"it is a database of something else: its {version_table} is empty")
        if not versions <= known_revisions(scripts):
            raise NewerStore
        up_to_date = versions == newest_revisions(scripts)
    elif tables and not is_postgresql:
        raise NotAStore("it is an SQLite database of something else")
    if not up_to_date:
        config = _config(scripts)
        config.attributes["connection"] = connection
        config.attributes["version_table"] = version_table
        config.attributes["applied"] = _steps(config, versions, str(connection.engine.url.database))
        command.upgrade(config, "head")
    if not is_postgresql and scripts == STORE_MIGRATIONS:
        marked = connection.execute(text("PRAGMA application_id")).scalar_one() == APPLICATION_ID
        if not marked:
            connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))


def _steps(config: Config, versions: set[str], place: str) -> Callable[..., None]:
    """Tell which step from these versions is under way; return what is called after each of them. A new database gets
    its tables at once, which is not worth a word."""
    pending = list(ScriptDirectory.from_config(config).iterate_revisions("heads", tuple(versions) or "base"))
    number = 0

    def begun(**_: object) -> None:
        nonlocal number
        number += 1
        if versions and number <= len(pending):
            TELL.get()(f"The tables of {place} are brought up to date: step {number} of {len(pending)}.")

    begun()
    return begun


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config
