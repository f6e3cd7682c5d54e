"""What the gate of a wave sees, drawn on a scale: the share that failed again, its interval, and the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.runs.gate import FEWEST
from console.text.ink import Ink
from console.text.words import count
from console.widgets.line import Span, width_of
from console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from console.runs.next_step import GateReading
    from store.journal import Run

SHORTEST = 12
"""Cells of a scale at least."""


def gate_lines(reading: GateReading | None, run: Run, width: int) -> list[Item]:
    """What was seen, the scale, and the rule."""
    if reading is None:
        return [Prose("Nothing has been sent yet.", "muted"), rule(run)]
    lines = [*seen(reading, width), Spans(tuple(scale(reading, width))), Spans(tuple(marks(reading, width)))]
    return [*lines, rule(run)]


def rule(run: Run) -> Item:
    """When it holds."""
    new = ", or one of a new cause" if run.new_cause else ""
    return Prose(f"Holds above {100 * run.gate:g}%{new}; decides within {run.watch:g} s.", "muted", lines=2)


def seen(reading: GateReading, width: int) -> list[Item]:
    """How many failed again, and between what that share lies: on one line where there is room."""
    if not reading.decided:
        return [Spans((("No task is decided yet.", "muted"),))]
    share = reading.again / reading.decided
    ink: Ink = "failed" if share > reading.limit else "good"
    said: tuple[Span, ...] = (
        (f"{count(reading.again)}", "failed" if reading.again else "strong"),
        (f" of {count(reading.decided)} decided failed again: ", "muted"),
        (f"{100 * share:.1f}%", ink),
    )
    interval = f"95%: {100 * reading.low:.1f} to {100 * reading.high:.1f}%"
    more: Span = (f"judged from {FEWEST} on", "faint") if reading.early else (interval, "muted")
    if width_of(said) + 3 + width_of((more,)) <= width:
        return [Spans((*said, ("   ", ""), more))]
    return [Spans(said), Spans((more,))]


def _most(reading: GateReading) -> float:
    """The share at the end of the scale."""
    wanted = max(2 * reading.limit, 1.1 * reading.high if reading.decided else 0.0, 0.1)
    return min(wanted, 1.0)


def _at(share: float, reading: GateReading, cells: int) -> int:
    return min(max(round(share / _most(reading) * (cells - 1)), 0), cells - 1)


def scale(reading: GateReading, width: int) -> list[Span]:
    """``├──│──━━●━━──┤``: the limit as a stroke, the interval thick, the share as a dot."""
    cells = max(width, SHORTEST)
    line: list[Span] = [("─", "faint")] * cells
    if reading.decided:
        above, below = reading.low > reading.limit, reading.high < reading.limit
        ink: Ink = "failed" if above else "good" if below else "warning"
        for at in range(_at(reading.low, reading, cells), _at(reading.high, reading, cells) + 1):
            line[at] = ("━", ink)
        line[_at(reading.again / reading.decided, reading, cells)] = ("●", ink)
    line[_at(reading.limit, reading, cells)] = ("│", "strong")
    return line


def marks(reading: GateReading, width: int) -> list[Span]:
    """What the ends of the scale and the limit mean."""
    cells = max(width, SHORTEST)
    limit, end = f"{100 * reading.limit:g}%", f"{100 * _most(reading):.0f}%"
    at = min(max(_at(reading.limit, reading, cells) - len(limit) // 2, 4), cells - len(end) - len(limit) - 1)
    line = "0%".ljust(at) + limit
    return [(line.ljust(cells - len(end)) + end, "muted")]
