"""What happens in a run, in a line of words."""

from __future__ import annotations

from collections.abc import Mapping

from console.runs.events import RunEnded, RunEvent, RunHeld, RunPlanned, WaveOutcome, WaveStep
from console.runs.gate import WorkCounts
from console.runs.task_check import CHANGES
from console.text.inert import inert
from console.text.words import things


def text_of(event: RunEvent) -> str:
    """An event for people."""
    match event:
        case RunPlanned():
            return _planned(event)
        case WaveStep(state="sent"):
            left = f"; left out: {_left_out(event.left_out)}" if event.left_out else ""
            batch = f" as batch {inert(event.batch)}" if event.batch else ""
            return f"wave {event.wave}  {things(event.sent, 'task')} sent{batch}{left}"
        case WaveStep():
            return f"wave {event.wave}  {event.state}"
        case WaveOutcome():
            return f"wave {event.wave}  {counts_text(event.counts)}"
        case RunHeld():
            wave = f", wave {event.wave}" if event.wave is not None else ""
            return f"run {event.run} is held{wave}: {inert(event.said)}"
        case RunEnded():
            return f"run {event.run} {event.state}: {counts_text(event.counts)}. {inert(event.said)}"


def counts_text(counts: WorkCounts) -> str:
    """Numbers by state; states without tasks are left out."""
    told = (
        (counts.done, "done"), (counts.waiting, "waiting"), (counts.locked, "locked"), (counts.not_set, "not set"),
        (counts.again, f"again ({counts.new_cause:,} new)" if counts.new_cause else "again"),
        (counts.cancelled, "cancelled"), (counts.unknown, "unknown"),
    )  # fmt: skip
    return "  ".join(f"{what} {number:,}" for number, what in told if number) or "nothing yet"


def _planned(event: RunPlanned) -> str:
    run = f"run {event.run}" if event.run is not None else "plan"
    waves = ", ".join(f"{size:,}" for size in event.waves)
    pace = f", {event.pace:g} tasks a minute" if event.pace is not None else ""
    rules = f"gate {100 * event.gate:g}%, watched {event.watch:g} s{pace}"
    left = "; ".join(f"{number:,} {kind.replace('-', ' ')}" for kind, number in event.left_out.items())
    retries = things(event.retries, "retry", "retries")
    told = f"{run}  {things(event.tasks, 'task')} to {retries} in waves of {waves} ({rules})"
    return f"{told}\n      of {inert(event.title)}" + (f"\n      left out: {left}" if left else "")


def _left_out(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {CHANGES.get(why, why)}" for why, number in left_out.items())  # type: ignore[call-overload]
