"""Look at an SQLite file before it is opened: what is not a store is not touched.

Opening a file for writing would change it: to WAL mode, with two more files beside it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from retriage.store.database.migrate import (
    APPLICATION_ID,
    STORE_MIGRATIONS,
    NewerStore,
    NotAStore,
    known_revisions,
    newest_revisions,
)
from retriage.store.snapshot_mark import is_marked

MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = 68
_HEADER = 100
FOREIGN = "it is an SQLite database of something else"
SNAPSHOT = "it is a snapshot, which is looked at by `retriage --store FILE` and rehearsed by `--rehearse FILE`"

FileState = Literal["empty", "outdated", "current"]


class FileKind(NamedTuple):
    """An SQLite file of ours: the application ids in its header, a table it always has, its migrations."""

    application_ids: frozenset[int]
    table: str
    version_table: str
    migrations: Path


# Stores of the first versions have no application id.
STORE = FileKind(frozenset({0, APPLICATION_ID}), "external_task", "alembic_version", STORE_MIGRATIONS)


def examine(path: Path, kind: FileKind = STORE) -> FileState:
    """Check that a file is of a kind, or empty; return whether it has tables, and they are up to date.

    Raises:
        NotAStore: it is something else.
        NewerStore: a newer version has written it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header:
        return "empty"
    if not header.startswith(MAGIC):
        raise NotAStore("file is not a database")
    if is_marked(header):
        raise NotAStore(SNAPSHOT)
    application = int.from_bytes(header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4])
    if application not in kind.application_ids:
        raise NotAStore(FOREIGN)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{_how(path)}", uri=True)) as database:
            return _examine_tables(database, kind)
    except sqlite3.Error as error:
        raise NotAStore(str(error)) from error


def _how(path: Path) -> str:
    """A file that nobody has open is read as it lies there: SQLite would put two others beside one in WAL mode."""
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists() and journal.stat().st_size:
        return "mode=rw"  # SQLite takes back what a process that was killed had begun; see ``Database.unshared``
    log = path.with_name(f"{path.name}-wal")
    return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"


def _examine_tables(database: sqlite3.Connection, kind: FileKind) -> FileState:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return "empty"  # the first migration was interrupted, or an empty database
    if not {kind.version_table, kind.table} <= tables:
        raise NotAStore(FOREIGN)
    versions = [version for (version,) in database.execute(f"SELECT version_num FROM {kind.version_table}")]
    if not versions:
        raise NotAStore(f"{FOREIGN}: its {kind.version_table} is empty")
    if not set(versions) <= known_revisions(kind.migrations):
        raise NewerStore
    return "current" if set(versions) == newest_revisions(kind.migrations) else "outdated"
