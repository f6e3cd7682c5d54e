"""What is wrong with the file of a store, and what to do about it: ``retriage doctor``."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from retriage.store.database.examine import examine
from retriage.store.database.migrate import NotAStore

_MOST_TOLD = 5
"""Sentences of SQLite about one file that are repeated; the first ones say where it begins."""

_DAMAGED = (
    "Stop every program that has the file open, and copy it together with its -wal file before anything else. Then "
    "`sqlite3 FILE .recover | sqlite3 NEW` writes what can still be read into a new file, and `retriage doctor` says "
    "what is missing there. Where there is a backup, compare it first."
)
_FOREIGN = (
    "These rows refer to others that are not there; lists and counts leave them out or show them without a name. "
    "Nothing else is affected. Delete the process instances concerned, or go back to a backup."
)
_HALF_FILLED = (
    "Where that process has ended, `retriage demo-data` or `retriage serve --demo` begins the world anew there."
)
_NOT_A_FILE = "retriage doctor looks at SQLite files; PostgreSQL has pg_amcheck for its databases."

_REFERENCES = (
    ("external_task", "process_instance_id", "process_instance", "id"),
    ("external_task", "process_definition_id", "process_definition", "id"),
    ("external_task", "execution_id", "execution", "id"),
    ("execution", "process_instance_id", "process_instance", "id"),
    ("process_instance", "process_definition_id", "process_definition", "id"),
    ("variable", "process_instance_id", "process_instance", "id"),
    ("job", "batch_id", "batch", "id"),
    ("batch_element", "batch_id", "batch", "id"),
    ("batch_group", "batch_id", "batch", "id"),
)
"""Table and column, and the table and column where its value must be."""


class CannotExamine(ValueError):
    """There is no such file, or it is no store; the text is one sentence."""


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes:
        lines: what to tell, one sentence each.
        healthy: nothing is wrong.
    """

    lines: tuple[str, ...]
    healthy: bool


def examine_store(store: str) -> Findings:
    """Look at the file of a store without changing it. Programs that have it open may go on.

    Args:
        store: path of an SQLite file, or its URL.

    Raises:
        CannotExamine: it is no file, or no store.
    """
    path = _path(store)
    if not path.is_file():
        raise CannotExamine(f"There is no file {path}.")
    try:
        examine(path)
    except NotAStore as reason:
        if "malformed" not in str(reason):
            raise CannotExamine(f"The file {path} is not a store: {reason}.") from None
    except OSError as reason:
        raise CannotExamine(f"The file {path} cannot be read: {reason.strerror}.") from None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            return _findings(path, database)
    except sqlite3.Error as error:
        return Findings((f"{path}: {error}", _DAMAGED), False)


def _path(store: str) -> Path:
    if "://" not in store:
        return Path(store).expanduser().resolve()
    kind, _, rest = store.partition("://")
    if not kind.startswith("sqlite"):
        raise CannotExamine(_NOT_A_FILE)
    return Path(rest.removeprefix("/")).absolute()


def _findings(path: Path, database: sqlite3.Connection) -> Findings:
    said = [line for (text,) in database.execute("PRAGMA quick_check") for line in str(text).splitlines()]
    if said != ["ok"]:
        more = [f"and {len(said) - _MOST_TOLD} more"] if len(said) > _MOST_TOLD else []
        return Findings((f"{path} is damaged:", *said[:_MOST_TOLD], *more, _DAMAGED), False)
    if database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'being_filled'").fetchone():
        host, pid = database.execute("SELECT host, pid FROM being_filled").fetchone()
        return Findings(
            (f"{path} is only half filled with a demo world, by process {pid} of {host}.", _HALF_FILLED), False
        )
    foreign = list(_foreign_rows(database))
    if foreign:
        return Findings((f"{path} can be read, but not all of it belongs together:", *foreign, _FOREIGN), False)
    (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return Findings((f"{path} is in order (version {version} of the tables).",), True)


def _foreign_rows(database: sqlite3.Connection) -> Iterator[str]:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, column, other, key in _REFERENCES:
        if not {table, other} <= tables:
            continue
        whole = ""
        if table == "batch_element" and "unfinished_batch" in tables:
            whole = " AND batch_id NOT IN (SELECT batch_id FROM unfinished_batch)"
        statement = (
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {other} WHERE {other}.{key} = {table}.{column}){whole}"
        )
        (number,) = database.execute(statement).fetchone()
        if number:
            yield f"{number:,} rows of {table} name a {other} that is not there"
