"""What a measurement found, and on which machine: the lines of the table that a run ends with."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        name: what was measured.
        found: the figure, mostly a ratio of two measured in the same run.
        aim: what it should be, where there is an aim.
    """

    name: str
    found: str
    aim: str = ""


def table(lines: Sequence[Line]) -> str:
    """The lines as a table of Markdown."""
    rows = [("measured", "found", "aim"), *((line.name, line.found, line.aim) for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)


def machine() -> str:
    """The machine and what runs on it, in one sentence."""
    words = f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB"
    return f"{words}; {platform.system()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def load() -> str:
    """How many processes wanted to run in the last minute, those of the measurement too."""
    return f"load {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
