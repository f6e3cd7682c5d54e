"""The rules of a run as they are typed and written: a share ``5%``, a time ``60s``, a pace ``200/min``. Pure."""

from __future__ import annotations

from collections.abc import Sequence

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST_WATCH = 8 * 86400.0
"""Seconds for which nobody watches a wave any more."""
PER_MINUTE = {"": 1.0, "min": 1.0, "m": 1.0, "s": 60.0, "h": 1 / 60}


class RuleMistake(ValueError):
    """What was typed is no such rule.

    Attributes:
        sentence: what is wrong with it, for the operator; it begins with what was typed.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def share_of(text: str) -> float:
    """``20%`` or ``0.2`` as a share from 0 to 1.

    Raises:
        RuleMistake: it is none.
    """
    word = text.strip()
    try:
        share = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise RuleMistake(f"{text} is not a share; write it like 5% or 0.05.")
    return share


def skips_of(text: str, known: Sequence[str]) -> list[str]:
    """Words separated by commas or blanks: what is skipped.

    Args:
        text: as it was typed.
        known: what can be.

    Raises:
        RuleMistake: something else is named.
    """
    words = text.replace(",", " ").split()
    if other := [word for word in words if word not in known]:
        raise RuleMistake(f"{other[0]} cannot be skipped; these can: {', '.join(known) or 'none'}.")
    return words


def seconds_of(text: str) -> float:
    """``60s``, ``5m``, ``1h`` or ``90`` as seconds.

    Raises:
        RuleMistake: it is none.
    """
    word = text.strip().lower()
    number, unit = (word[:-1], SECONDS[word[-1]]) if word[-1:] in SECONDS else (word, 1.0)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < LONGEST_WATCH:
        raise RuleMistake(f"{text} is not a time to watch; write it like 60s, 5m or 1h.")
    return seconds


def pace_of(text: str) -> float:
    """``200/min``, ``5/s``, ``1000/h`` or ``200`` as tasks a minute.

    Raises:
        RuleMistake: it is none.
    """
    number, _, unit = text.strip().lower().partition("/")
    try:
        pace = float(number) * PER_MINUTE[unit.strip()]
    except (ValueError, KeyError):
        pace = 0.0
    if not 0 < pace < 1e9:
        raise RuleMistake(f"{text} is not a pace; write it like 200/min.")
    return pace


def share_text(share: float) -> str:
    """A share as it is typed."""
    return f"{100 * share:g}%"


def seconds_text(seconds: float) -> str:
    """Seconds as they are typed: whole minutes and hours as such."""
    for unit in ("h", "m"):
        if seconds >= SECONDS[unit] and seconds % SECONDS[unit] == 0 and (unit == "h" or seconds > 60):
            return f"{seconds / SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"


def pace_text(pace: float | None) -> str:
    """A pace as it is typed; empty where there is none."""
    return "" if pace is None else f"{pace:g}/min"
