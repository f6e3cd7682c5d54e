"""Files and folders for their owner's eyes only: business variables are in them.

Whatever Retriage makes, it makes by these; what exists already keeps its mode. SQLite gives the ``-wal`` and ``-shm``
files of a database the mode of the database.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def make_folder(folder: Path) -> None:
    """Make a folder with all that are missing above it; one that exists is left as it is.

    Raises:
        OSError: it cannot be made, or is a file.
    """
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(FOLDER_MODE, exist_ok=True)
    folder.mkdir(FOLDER_MODE, exist_ok=True)  # raises where it is a file


def make_file(path: Path) -> None:
    """Make an empty file, with its folder, unless there is something of that name.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(path.parent)
    with suppress(FileExistsError):
        make_new_file(path)


def make_new_file(path: Path) -> None:
    """Make an empty file where there is nothing of that name, not even a link.

    Raises:
        OSError: it cannot be made, or is there.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def others_may_write(path: Path) -> bool:
    """Whether the mode of a file lets others than its owner write to it; never outside of POSIX.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    return os.name == "posix" and bool(path.stat().st_mode & 0o022)


def open_file(path: Path, mode: Literal["w", "x"], *, newline: str | None = None) -> IO[str]:
    """Open a file of UTF-8 text to be written.

    Args:
        path: where; its folder exists.
        mode: ``w`` writes over what is there, ``x`` makes a new file.
        newline: as in ``open``.

    Raises:
        OSError: it cannot be made, or with ``x`` is there.
    """
    return open(path, mode, encoding="utf-8", newline=newline, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)
