"""Folders that are gone with the process that made them. What a killed process leaves is removed by the next start."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is locked, and nothing that was left is removed
    fcntl = None  # type: ignore[assignment]

PREFIX = "retriage-"
_LOCK = "in-use"
"""A file in the folder that its process keeps locked; the system unlocks it when the process ends, however it does."""


@contextmanager
def throwaway_folder(prefix: str = PREFIX) -> Iterator[Path]:
    """A folder of one's own below the temporary one, removed when the block ends.

    Args:
        prefix: of its name; begins with ``PREFIX``.

    Raises:
        OSError: it cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        lock = _locked(folder)
        try:
            yield folder
        finally:
            os.close(lock)


def remove_left_folders() -> None:
    """Remove the folders of this user's processes that were killed; what cannot be removed stays."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    _remove_left(Path(entry.path))


def _locked(folder: Path) -> int:
    """Lock a folder; it has its lock's name only when it is locked. Return the descriptor."""
    new = folder / f"{_LOCK}.new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks: the folder is never taken for one that was left
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.rename(folder / _LOCK)
    return descriptor


def _remove_left(folder: Path) -> None:
    """Remove a folder whose process has ended.

    Raises:
        OSError: it is locked, is none of ours, or cannot be removed.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)
