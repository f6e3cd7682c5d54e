"""Ids: UUIDv7 as text, so that new rows go to the end of every index.

Random ids scatter their inserts over the whole tree; at a million rows that made them about four times slower.
"""

import os
import re
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class IdRun:
    """A run of consecutive ids: one fixed prefix, and a counter in the last twelve digits.

    The prefix is a UUIDv7's time and 26 random bits, so runs of different processes do not meet. The counter begins
    anywhere, so that the ends of ids, which is what a narrow screen shows, differ between runs. It may be filled in by
    the database (``column``), which lets one ``INSERT … SELECT`` make the ids of many rows.
    """

    def __init__(self) -> None:
        random = int.from_bytes(os.urandom(4)) & 0x3FFFFFF
        self._start = int.from_bytes(os.urandom(6)) >> 1
        milliseconds = time.time_ns() // 1_000_000
        high, low = milliseconds >> 16, milliseconds & 0xFFFF
        self.prefix = f"{high:08x}-{low:04x}-7{random >> 14:03x}-{0x8000 | random & 0x3FFF:04x}-"
        self._next = 0

    def at(self, number: int) -> str:
        """The id with this number."""
        return f"{self.prefix}{self._start + number:012x}"

    def next(self) -> str:
        """The next id of this run, in ascending order."""
        made = self.at(self._next)
        self._next += 1
        return made

    def column(self, number: ColumnElement[int]) -> ColumnElement[str]:
        """An SQL expression for the ids with these numbers."""
        return literal(self.prefix, Text).concat(_hex12(number + literal(self._start, BigInteger)))


class _hex12(GenericFunction[str]):
    """Twelve hexadecimal digits of a whole number."""

    type = Text()
    inherit_cache = True
    name = "retriage_hex12"


@compiles(_hex12, "sqlite")
def _hex12_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"printf('%012x', {compiler.process(element.clauses, **kw)})"


@compiles(_hex12, "postgresql")
def _hex12_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"lpad(to_hex(CAST({compiler.process(element.clauses, **kw)} AS bigint)), 12, '0')"


_run = IdRun()
_made_at = 0
_RUN_LENGTH = 1 << 16


def new_id() -> str:
    """A new id. Ids of one process ascend within a millisecond too."""
    global _run, _made_at
    milliseconds = time.time_ns() // 1_000_000
    if milliseconds != _made_at or _run._next >= _RUN_LENGTH:
        _run, _made_at = IdRun(), milliseconds
    return _run.next()


_BEGIN = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7")


def made_at(identity: str) -> datetime | None:
    """When an id was made; none for those that other engines made."""
    found = _BEGIN.match(identity)
    return found and datetime.fromtimestamp(int(found[1] + found[2], 16) / 1000, UTC)
