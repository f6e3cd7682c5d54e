"""What the gate of a wave sees, drawn on a scale: the share that failed again, its worst case, and the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.operations.known import operation_of
from retriage.console.runs.gate import without
from retriage.console.text.ink import Ink
from retriage.console.text.words import count
from retriage.console.widgets.line import Span, width_of
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation
    from retriage.console.runs.next_step import GateReading
    from retriage.store.journal import Run

SHORTEST = 12
"""Cells of a scale at least."""


def gate_lines(reading: GateReading | None, run: Run, width: int) -> list[Item]:
    """What was seen, the scale, and the rule."""
    operation = operation_of(run)
    if not operation.gated:
        said = f"No gate: the next wave goes out when all {operation.unit}s of this one {operation.state}."
        return [*_reached(reading, operation), Prose(said, "muted", lines=3)]
    if reading is None:
        return [Prose("Nothing has been sent yet.", "muted"), rule(run)]
    figures = Spans(tuple(scale(reading, width))), Spans(tuple(marks(reading, width)))
    lines = [*seen(reading, width, operation.unit), *figures]
    return [*lines, rule(run)]


def _reached(reading: GateReading | None, operation: Operation) -> list[Item]:
    if reading is None:
        return [Prose("Nothing has been sent yet.", "muted")]
    counts = reading.counts
    left: Span = (f" {operation.state}{without(counts)}", "muted")
    return [Spans(((f"{count(counts.done)} of {count(counts.judged)} {operation.unit}s", "strong"), left))]


def rule(run: Run) -> Item:
    """When it passes."""
    new = "; a new cause holds" if run.new_cause else ""
    return Prose(f"Passes when at worst {100 * run.gate:g}% fail{new}.", "muted", lines=2)


def seen(reading: GateReading, width: int, unit: str) -> list[Item]:
    """How many failed again, and the worst case: on one line where there is room."""
    counts = reading.counts
    if not counts.settled:
        return [Spans(((f"No {unit} is decided yet.", "muted"),))]
    share = counts.again / counts.settled
    ink: Ink = "failed" if share > reading.limit else "good"
    said: tuple[Span, ...] = (
        (f"{count(counts.again)}", "failed" if counts.again else "strong"),
        (f" of {count(counts.settled)} decided failed again: ", "muted"),
        (f"{100 * share:.1f}%", ink),
    )
    worst: Span = (f"at worst {count(counts.at_worst)} of {count(counts.judged)}: {100 * reading.worst:.1f}%", "muted")
    apart: list[Item] = [Spans(((text.strip(), "muted"),))] if (text := without(counts)) else []
    if width_of(said) + 3 + width_of((worst,)) <= width:
        return [Spans((*said, ("   ", ""), worst)), *apart]
    return [Spans(said), Spans((worst,)), *apart]


def _most(reading: GateReading) -> float:
    """The share at the end of the scale."""
    wanted = max(2 * reading.limit, 1.1 * reading.worst if reading.counts.settled else 0.0, 0.1)
    return min(wanted, 1.0)


def _at(share: float, reading: GateReading, cells: int) -> int:
    return min(max(round(share / _most(reading) * (cells - 1)), 0), cells - 1)


def scale(reading: GateReading, width: int) -> list[Span]:
    """``├──│──━━●━━──┤``: the limit as a stroke, best to worst case thick, the share of those decided as a dot."""
    cells = max(width, SHORTEST)
    line: list[Span] = [("─", "faint")] * cells
    counts = reading.counts
    if counts.settled:
        above, within = reading.low > reading.limit, reading.worst <= reading.limit
        ink: Ink = "failed" if above else "good" if within else "warning"
        for at in range(_at(reading.best, reading, cells), _at(reading.worst, reading, cells) + 1):
            line[at] = ("━", ink)
        line[_at(counts.again / counts.settled, reading, cells)] = ("●", ink)
    line[_at(reading.limit, reading, cells)] = ("│", "strong")
    return line


def marks(reading: GateReading, width: int) -> list[Span]:
    """What the ends of the scale and the limit mean."""
    cells = max(width, SHORTEST)
    limit, end = f"{100 * reading.limit:g}%", f"{100 * _most(reading):.0f}%"
    at = min(max(_at(reading.limit, reading, cells) - len(limit) // 2, 4), cells - len(end) - len(limit) - 1)
    line = "0%".ljust(at) + limit
    return [(line.ljust(cells - len(end)) + end, "muted")]
