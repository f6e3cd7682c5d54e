"""A copy of an SQLite file beside it, for as long as its tables are being changed."""

import errno
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from retriage.store.private_files import make_new_file
from retriage.store.progress import TELL

ENDING = ".before-update"
PAGES = 4096
"""Pages that are copied before it is looked at the clock: 16 MB."""
TELL_EVERY = 1.0
"""Seconds between two sentences about how far it is."""


def copy_beside(path: Path) -> Path:
    """Copy a database; return the path of the copy, which appears when it is whole.

    Args:
        path: of its file; nobody may write to it meanwhile.

    Raises:
        OSError: the copy cannot be written.
    """
    copy, new = path.with_name(f"{path.name}{ENDING}"), path.with_name(f"{path.name}{ENDING}.part")
    tell, told_at = TELL.get(), time.monotonic()

    def progress(_status: int, remaining: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() >= told_at + TELL_EVERY:
            told_at = time.monotonic()
            tell(f"{path.name} is copied before its tables are changed: {100 * (total - remaining) // total} %.")

    try:
        new.unlink(missing_ok=True)
        make_new_file(new)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(new)) as target:
            source.backup(target, pages=PAGES, progress=progress)
        os.replace(new, copy)
    except (OSError, sqlite3.Error) as problem:
        for left in (new, new.with_name(f"{new.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        said = getattr(problem, "strerror", None) or str(problem)
        raise OSError(
            errno.EIO, f"its tables are not changed without a copy, and {copy} cannot be written: {said}"
        ) from problem
    return copy
