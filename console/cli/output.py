"""What commands print on stdout: one JSON object a line, CSV, or a table for people."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from console.text.csv_field import plain
from console.text.inert import inert

WIDEST = 60
"""Cells of the widest column of a table."""


def print_json(record: Mapping[str, Any]) -> None:
    """One JSON object as one line of ASCII: nothing in it acts on a terminal. It is written at once."""
    sys.stdout.write(json.dumps(record, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n")
    sys.stdout.flush()


class CsvOutput:
    """CSV with a head line; texts are written as in the files of rows."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, record: Mapping[str, Any]) -> None:
        """One row."""
        self._writer.writerow([plain(record.get(column)) for column in self._columns])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose columns are as wide as what is in them."""
    shown = [[_cut(inert(cell)) for cell in row] for row in rows]
    widths = [max([len(column), *(len(row[at]) for row in shown)]) for at, column in enumerate(columns)]
    for row in [list(columns), *shown]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
