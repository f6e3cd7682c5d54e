"""What commands print on stdout: one JSON object a line, CSV, or a table for people."""

from __future__ import annotations

import csv
import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from retriage.console.text.csv_field import plain
from retriage.console.text.inert import inert

WIDEST = 60
"""Cells of the widest column of a table."""


class NotWritten(Exception):
    """Stdout takes nothing more; the text is one sentence.

    Attributes:
        gone: whoever read it is gone: a pipe or a terminal that is closed.
    """

    def __init__(self, problem: OSError) -> None:
        super().__init__(f"stdout cannot be written: {problem.strerror or problem}.")
        self.gone = problem.errno in (errno.EPIPE, errno.EIO)


def write(text: str) -> None:
    """A text on stdout, at once; letters that it does not have are written as escapes.

    Raises:
        NotWritten: it cannot be written.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as problem:
        raise NotWritten(problem) from problem


def write_no_more() -> None:
    """What is left in the buffer of stdout must not be written when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Stdout:
    """Stdout as a file that a writer of CSV writes to."""

    def write(self, text: str) -> None:
        """See :func:`write`."""
        write(text)


def print_json(record: Mapping[str, Any]) -> None:
    """One JSON object as one line of ASCII: nothing in it acts on a terminal. It is written at once."""
    write(json.dumps(record, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n")


class CsvOutput:
    """CSV with a head line; texts are written as in the files of rows."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._writer = csv.writer(_Stdout(), lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, record: Mapping[str, Any]) -> None:
        """One row."""
        self._writer.writerow([plain(record.get(column)) for column in self._columns])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], widest: int | None = WIDEST) -> None:
    """A table whose columns are as wide as what is in them.

    Args:
        columns: their heads.
        rows: their cells.
        widest: cells at which a text is cut off; none cuts nothing.
    """
    shown = [[_cut(inert(cell), widest) for cell in row] for row in rows]
    widths = [max([len(column), *(len(row[at]) for row in shown)]) for at, column in enumerate(columns)]
    for row in [list(columns), *shown]:
        write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _cut(text: str, widest: int | None) -> str:
    return text if widest is None or len(text) <= widest else text[: widest - 1] + "…"
