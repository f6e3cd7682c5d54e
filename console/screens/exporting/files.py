"""Files of rows: CSV and JSON that do nothing to whoever opens them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from retriage.console.text.csv_field import plain
from retriage.store.private_files import open_file

KINDS = ("csv", "json")


def proposed(subject: str) -> Path:
    """A name for a file of rows, in the current folder."""
    return Path.cwd() / f"{subject}-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"


def kind_of(path: Path) -> str | None:
    """What is written into a file of this name: ``csv`` or ``json``; none for any other ending."""
    ending = path.suffix.lower().removeprefix(".")
    return ending if ending in KINDS else None


def create(path: Path) -> tuple[Path, IO[str]]:
    """A new file of this name, or with a number behind it where there is one already.

    Raises:
        OSError: it cannot be made there.
    """
    for number in range(1, 1000):
        candidate = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        try:
            return candidate, open_file(candidate, "x", newline="")
        except FileExistsError:
            continue
    raise FileExistsError(f"there are already a thousand files like {path.name}")


class RowFile:
    """Writes rows one page after the other. CSV with a head line, or JSON as an array with an object a line.

    Args:
        path: where; made by :func:`create`.
        file: the open file.
    """

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path = path
        self._file = file
        self._json = kind_of(path) == "json"
        self._writer: Any = None
        self._first = True

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write some rows; all have the same fields.

        Raises:
            OSError: the disk is full, or the like.
        """
        for row in rows:
            (self._write_json if self._json else self._write_csv)(row)
            self._first = False

    def _write_json(self, row: Mapping[str, Any]) -> None:
        # Everything but ASCII is escaped: what is read back is exact, and nothing in the file acts on a terminal.
        self._file.write(
            ("[\n" if self._first else ",\n") + json.dumps(row, ensure_ascii=True).replace("\x7f", "\\u007f")
        )

    def _write_csv(self, row: Mapping[str, Any]) -> None:
        if self._first:
            self._writer = csv.writer(self._file)
            self._writer.writerow(row)
        self._writer.writerow([plain(value) for value in row.values()])

    def close(self) -> None:
        """End the file.

        Raises:
            OSError: the disk is full, or the like.
        """
        if self._json:
            self._file.write("[]\n" if self._first else "\n]\n")
        self._file.close()

    def abandon(self) -> None:
        """Take the file away again."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> RowFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()
