"""Look at an SQLite file before it is opened: what is not a store is not touched.

Opening a file for writing would change it: to WAL mode, with two more files beside it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from store.database.migrate import APPLICATION_ID, NewerStore, NotAStore, known_revisions
from store.snapshot_mark import is_marked

MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = 68
_HEADER = 100
FOREIGN = "it is an SQLite database of something else"
SNAPSHOT = "it is a snapshot, which is looked at by `retriage --store FILE` and rehearsed by `--rehearse FILE`"


def examine(path: Path) -> None:
    """Check that a file is a store, or empty.

    Raises:
        NotAStore: it is something else.
        NewerStore: a newer version has written it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header:
        return
    if not header.startswith(MAGIC):
        raise NotAStore("file is not a database")
    if is_marked(header):
        raise NotAStore(SNAPSHOT)
    application = int.from_bytes(header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4])
    if application not in (0, APPLICATION_ID):
        raise NotAStore(FOREIGN)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{_how(path)}", uri=True)) as database:
            _examine_tables(database)
    except sqlite3.Error as error:
        raise NotAStore(str(error)) from error


def _how(path: Path) -> str:
    """A file that nobody has open is read as it lies there: SQLite would put two others beside one in WAL mode."""
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists() and journal.stat().st_size:
        return "mode=rw"  # SQLite takes back what a process that was killed had begun; see ``Database.unshared``
    log = path.with_name(f"{path.name}-wal")
    return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"


def _examine_tables(database: sqlite3.Connection) -> None:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return  # a store whose first migration was interrupted, or an empty database
    # Stores of the first versions have no application id.
    if not {"alembic_version", "external_task"} <= tables:
        raise NotAStore(FOREIGN)
    versions = [version for (version,) in database.execute("SELECT version_num FROM alembic_version")]
    if not versions:
        raise NotAStore(f"{FOREIGN}: its alembic_version is empty")
    if not set(versions) <= known_revisions():
        raise NewerStore
