"""The operator's settings: a TOML file beside the connection profiles.

::

    [runs]
    call = ["notify-send", "Retriage"]    # carried out when a run is held; what happened is in RETRIAGE_* variables

    [journal]
    keep_days = 90                        # what is older and over is forgotten; without it nothing is

What cannot be used is said in one sentence each, and everything else of the file works.
"""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.text.nearest import nearest

KNOWN: dict[str, tuple[str, ...]] = {"runs": ("call",), "journal": ("keep_days",)}
"""The tables and their entries."""
FEWEST_DAYS = 1


@dataclass
class Settings:
    """What the operator has set, and sentences about what was not taken.

    Attributes:
        call: program and arguments that call the operator to a run that is held; empty calls by the bell alone.
        keep_days: days for which the journal keeps what is over; none keeps it for ever.
        problems: what cannot be used.
    """

    call: tuple[str, ...] = ()
    keep_days: int | None = None
    problems: list[str] = field(default_factory=list)


def read_settings(path: Path) -> Settings:
    """The operator's settings; the usual ones if there is no file."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as problem:
        return Settings(problems=[f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is not text'}."])
    except tomllib.TOMLDecodeError as problem:
        return Settings(problems=[f"{path} is not TOML: {problem}."])
    return _checked(told, path.name)


def _checked(told: dict[str, Any], name: str) -> Settings:
    found = Settings()
    for table, entries in told.items():
        if table not in KNOWN or not isinstance(entries, dict):
            found.problems.append(f"{name}: [{table}] is not known{_near(table, KNOWN)}.")
            continue
        for entry, value in entries.items():
            if entry not in KNOWN[table]:
                found.problems.append(f"{name}: {entry} of [{table}] is not known{_near(entry, KNOWN[table])}.")
            elif entry == "call":
                _take_call(found, value, name)
            else:
                _take_days(found, value, name)
    return found


def _near(word: str, known: Any) -> str:
    near = nearest(word, known)
    return f"; {near} is" if near else ""


def _take_call(found: Settings, value: Any, name: str) -> None:
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        found.problems.append(f'{name}: call of [runs] is a command, like ["notify-send", "Retriage"].')
    else:
        found.call = tuple(words)


def _take_days(found: Settings, value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < FEWEST_DAYS:
        found.problems.append(f"{name}: keep_days of [journal] is a whole number of days, {FEWEST_DAYS} or more.")
    else:
        found.keep_days = value
