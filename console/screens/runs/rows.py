"""Waves and steps of a run as rows of tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING

from retriage.console.operations.known import operation_of
from retriage.console.runs.rules_text import pace_text, seconds_text, share_text
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import clock, count, roughly, short
from retriage.console.widgets.columns import Column
from retriage.console.widgets.rows import Cell, Part, Row

if TYPE_CHECKING:
    from retriage.console.operations.work_counts import WorkCounts
    from retriage.console.runs.run_view import WaveView
    from retriage.store.journal import Launch, RunStep

WAVE_COLUMNS = (
    Column("wave", 4, keep=9, align="right"),
    Column("tasks", 7, keep=9, align="right"),
    Column("state", 8, keep=9),
    Column("what became of it", 17, share=4, keep=8),
    Column("done", 6, keep=9, align="right"),
    Column("again", 6, keep=9, align="right"),
    Column("wait", 6, keep=8, align="right"),
    Column("lock", 6, keep=8, align="right"),
    Column("unkn", 4, keep=6, align="right"),
    Column("out", 4, keep=5, align="right"),
    Column("sent", 9, keep=3),
    Column("over", 9, keep=2),
    Column("as of", 9, keep=3),
    Column("batch", 13, keep=4, tail=True),
)
STEP_COLUMNS = (
    Column("when", 9, keep=9),
    Column("wave", 4, keep=7, align="right"),
    Column("step", 10, keep=8),
    Column("", 20, share=1, keep=9),
)
STATES: Mapping[str, tuple[str, Ink]] = {
    "planned": ("to come", "faint"),
    "sending": ("sending", "accent"),
    "watching": ("watching", "accent"),
    "passed": ("passed", "good"),
    "released": ("released", "warning"),
    "skipped": ("skipped", "warning"),
    "stopped": ("stopped", "warning"),
    "dropped": ("dropped", "faint"),
}
STEPS: Mapping[str, str] = {
    "begin": "written",
    "take": "controlled",
    "drop": "dropped",
    "change": "changed",
    "batch-deleted": "deleted",
}
"""Words of steps that the journal calls otherwise."""
MEANT: Mapping[str, str] = {
    "running": "its waves go on",
    "sending": "looked at again, then sent",
    "watching": "all of it is sent: what becomes of it is watched",
    "passed": "few enough failed again",
    "released": "let through by the operator",
    "skipped": "the operator did not wait for the gate",
    "drop": "what was not sent is dropped",
}
"""What a step means that says nothing itself."""
MEANT_UNGATED: Mapping[str, str] = {
    "passed": "all of it is done",
}
"""The same of operations whose units cannot fail again."""
SIGNS = "━ done  ! again  ▪ locked  ─ waiting  · to come"
"""Signs of the bars."""


def wave_row(wave: WaveView, batch: str | None, *, held: bool) -> Row:
    """A wave as a row.

    Args:
        wave: the wave.
        batch: the batch that was made of it, the last one where there are several.
        held: it is the one at which the run is held.
    """
    counts = wave.counts
    state: tuple[str, Ink] = ("HELD", "failed") if held else STATES[wave.state]
    left_out = sum(wave.left_out.values())
    return Row(
        str(wave.wave),
        (
            Cell(str(wave.wave), "strong"),
            Cell(count(wave.tasks), "strong"),
            Cell(*state),
            Cell("", "", parts(counts, wave.tasks - left_out)),
            _number(counts.done, "good"),
            _number(counts.again, "failed"),
            _number(counts.waiting + counts.delayed + counts.not_set, ""),
            _number(counts.locked, "locked"),
            _number(counts.unknown + counts.untold + counts.cancelled + counts.changed + counts.gone, "warning"),
            _number(left_out, "muted"),
            Cell(clock(wave.began_at) if wave.began_at is not None else "", "muted"),
            Cell(clock(wave.ended_at) if wave.ended_at is not None else "", "muted"),
            Cell(clock(wave.counted_at) if wave.counted_at is not None else "", "muted"),
            Cell(inert(batch or "-"), "muted"),
        ),
        wave,
    )


def _number(number: int, ink: Ink) -> Cell:
    # Six cells: 99,999, and beyond that roughly.
    told = count(number) if number < 100_000 else roughly(number)
    return Cell(told if number else "-", ink if number else "faint")


def parts(counts: WorkCounts, tasks: int) -> tuple[Part, ...]:
    """A bar of what became of so many tasks; those of which nothing was seen yet are to come."""
    return (
        Part(counts.done, "━", "good"),
        Part(counts.again, "!", "failed"),
        Part(counts.cancelled + counts.changed + counts.gone, "×", "muted"),
        Part(counts.unknown + counts.untold, "?", "warning"),
        Part(counts.locked, "▪", "locked"),
        Part(counts.waiting + counts.delayed, "─", ""),
        Part(max(tasks - counts.total + counts.not_set, 0), "·", "faint"),
    )


def step_rows(steps: Sequence[RunStep], launches: Sequence[Launch], undos: Sequence[Launch] = ()) -> list[Row]:
    """The steps of a run, its batches, and those that set it back, the newest first."""
    gated = all(operation_of(launch).gated for launch in launches)
    told = [(step.at, _step(step, gated)) for step in steps]
    told += [(launch.began_at, _launch(launch)) for launch in (*launches, *undos)]
    return [row for _, row in sorted(told, key=lambda one: one[0])][::-1]


def _launch(launch: Launch) -> Row:
    """A batch of a wave."""
    made = f" as batch {short(launch.batch_id)}" if launch.batch_id else ""
    did, undo = operation_of(launch), launch.undoes_run is not None
    said = f"{did.units(launch.tasks)} {did.back_aim if undo else did.brief_aim}{made}"
    begun = did.one_by_one and launch.ended_at is None
    ink: Ink = "accent" if launch.state == "launched" and not begun else "failed"
    return Row(
        f"launch {launch.id}",
        (
            Cell(clock(launch.began_at), "muted"),
            Cell(str(launch.wave) if launch.wave is not None else "", "muted"),
            Cell(
                ("begun" if begun else "undone" if undo else "sent")
                if launch.state == "launched"
                else inert(launch.state.replace("_", " ")),
                ink,
            ),
            Cell(inert(f"{said}  {launch.said}".strip()), "muted"),
        ),
        launch,
    )


def _step(step: RunStep, gated: bool) -> Row:
    word, ink = STATES.get(
        step.what, (STEPS.get(step.what, step.what), "warning" if step.what in ("held", "batch-deleted") else "")
    )
    return Row(
        str(step.id),
        (
            Cell(clock(step.at.astimezone(UTC)), "muted"),
            Cell(str(step.wave) if step.wave is not None else "", "muted"),
            Cell(inert(word), ink),
            Cell(_said(step, gated), "muted"),
        ),
        step,
    )


def _said(step: RunStep, gated: bool) -> str:
    if step.what == "take":
        return f"by {inert(step.said.rpartition(':')[0])}"
    if step.what != "change":
        meant = MEANT if gated else {**MEANT, **MEANT_UNGATED}
        return inert(step.said) or meant.get(step.what, "")
    try:
        told = json.loads(step.said)
    except ValueError:
        return inert(step.said)
    words: dict[str, Callable[[float], str]] = {"gate": share_text, "watch": seconds_text, "pace": pace_text}
    said = {name: ", ".join(map(count, value)) if name == "waves" else words.get(name, str)(value)
            for name, value in told.items() if value is not None}  # fmt: skip
    return ", ".join(f"{name} {text}" for name, text in said.items())
