"""What happens in a run, in a line of words."""

from __future__ import annotations

from retriage.console.operations.work_counts import WorkCounts
from retriage.console.runs.events import RunEnded, RunEvent, RunHeld, RunPlanned, WaveOutcome, WaveStep
from retriage.console.runs.run_view import left_out_said
from retriage.console.text.inert import inert


def text_of(event: RunEvent) -> str:
    """An event for people."""
    match event:
        case RunPlanned():
            return _planned(event)
        case WaveStep(state="sent", operation=operation) if operation is not None:
            left = f"; left out: {left_out_said(event.left_out, operation)}" if event.left_out else ""
            batch = f" as batch {inert(event.batch)}" if event.batch else ""
            return f"wave {event.wave}  {operation.units(event.sent)} sent{batch}{left}"
        case WaveStep(state="setting", operation=operation) if operation is not None:
            batch = f" as batch {inert(event.batch)}" if event.batch else ""
            return f"wave {event.wave}  {operation.units(event.sent)} {operation.aim}{batch}"
        case WaveStep():
            return f"wave {event.wave}  {event.state}"
        case WaveOutcome():
            return f"wave {event.wave}  {counts_text(event.counts)}"
        case RunHeld():
            wave = f", wave {event.wave}" if event.wave is not None else ""
            return f"run {event.run} is held{wave}: {inert(event.said)}"
        case RunEnded():
            return f"run {event.run} {event.state}: {counts_text(event.counts)}. {inert(event.said)}"


UNTOLD = "gone, and nothing shows how they ended"


def counts_text(counts: WorkCounts) -> str:
    """Numbers by state; states without tasks are left out."""
    told = (
        (counts.done, "done"), (counts.waiting, "waiting"), (counts.delayed, "in retry time"),
        (counts.locked, "locked"), (counts.not_set, "not set"),
        (counts.again, f"again ({counts.new_cause:,} new)" if counts.new_cause else "again"),
        (counts.changed, "changed by somebody"), (counts.cancelled, "cancelled"),
        (counts.unknown, "gone, outcome not kept"), (counts.gone, "ended before"),
        (counts.untold, UNTOLD),
    )  # fmt: skip
    return "  ".join(f"{what} {number:,}" for number, what in told if number) or "nothing yet"


def _planned(event: RunPlanned) -> str:
    run = f"run {event.run}" if event.run is not None else "plan"
    waves = ", ".join(f"{size:,}" for size in event.waves)
    pace = f", {event.pace:g} {event.operation.unit}s a minute" if event.pace is not None else ""
    gate = f"gate {100 * event.gate:g}%, " if event.operation.gated else ""
    rules = f"{gate}watched {event.watch:g} s{pace}"
    left = "; ".join(f"{number:,} {event.operation.left_out_said(kind)}" for kind, number in event.left_out.items())
    what = f"{event.operation.units(event.tasks)} {event.operation.aim}"
    told = [f"{run}  {what} in waves of {waves} ({rules})", f"of {inert(event.title)}"]
    told += [f"left out: {left}"] if left else []
    told += [f"{number:,} {' '.join(event.operation.also[what])}" for what, number in event.also.items()]
    return "\n      ".join([*told, event.operation.no_way_back]).rstrip()
