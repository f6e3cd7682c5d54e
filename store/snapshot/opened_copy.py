"""A snapshot is opened as a copy: its own file is read, and never written to."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from retriage.store.private_files import make_file
from retriage.store.snapshot_mark import check_passive


def copy_of(snapshot: Path, folder: Path) -> Path:
    """Copy a snapshot so that it can be opened as a store.

    Args:
        snapshot: its file.
        folder: where the copy goes, for as long as it is open.

    Raises:
        NoSnapshot: it holds something that would run.
        OSError: it cannot be read, or the folder is full.
    """
    copy = folder / "snapshot.db"
    make_file(copy)
    shutil.copyfile(snapshot, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        check_passive(database, snapshot)
        database.execute("PRAGMA user_version=0")
    return copy
