"""The two lists of the batch detail: its jobs, the failed ones by cause, and what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.batches.job_states import STATES
from retriage.console.screens.batches.engine_box import moment
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import count, span
from retriage.console.widgets.columns import Column
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.batches.batch_events import BatchEvent
    from retriage.console.batches.failed_jobs import FailedJobs
    from retriage.console.batches.job_states import JobState, State

JOB_COLUMNS = (
    Column("state", 11, keep=9),
    Column("part", 7, keep=6),
    Column("jobs", 7, keep=9, align="right"),
    Column("tries", 5, keep=3, align="right"),
    Column("due", 9, keep=4, align="right"),
    Column("what it says", 20, share=1, keep=8),
    Column("what it means", 21, keep=2),
    Column("what to do", 17, keep=7),
)
HALF_OF_JOBS = frozenset({3, 5, 6, 7})
"""Columns that half a screen has no room for, nor needs while no job has failed."""
EVENT_COLUMNS = (Column("at", 8, share=1, most=11, keep=9), Column("what happened", 30, share=9, keep=8))

ADVICE = {"drop": "D drop these jobs", "retry": "T try again", "look": "enter to read one"}


STATE_INKS: dict[State, Ink] = {
    "done": "good", "ready": "", "locked": "locked", "due": "muted", "retrying": "warning", "waiting": "faint",
    "suspended": "suspended", "failed": "failed", "missing": "warning",
}  # fmt: skip


def failed_rows(groups: Sequence[FailedJobs], *, orders: bool) -> list[Row]:
    """Failed jobs by cause, each with the one sensible thing to do where orders can be given."""
    return [
        Row(
            f"failed {group.cause}",
            (
                Cell("X failed", "failed"),
                Cell("batch", "muted"),
                Cell(count(len(group.jobs)), "strong"),
                Cell("0", "failed"),
                Cell("-", "faint"),
                Cell(inert(group.cause), "failed"),
                Cell(group.remedy.meaning, "muted"),
                Cell(ADVICE[group.remedy.advice] if orders else "", "accent"),
            ),
            group,
        )
        for group in groups
    ]


def job_rows(jobs: Sequence[JobState], now: datetime, *, orders: bool) -> list[Row]:
    """The other jobs by part and state. A failed seed or monitor job can be tried again where orders can be given."""
    return [_job_row(one, now, orders) for one in jobs]


def _job_row(one: JobState, now: datetime, orders: bool) -> Row:
    letter, meaning = STATES[one.state]
    due = f"in {span((one.due - now).total_seconds())}" if one.due is not None and one.due > now else "-"
    said = inert(one.message) if one.message is not None else ""
    return Row(
        f"{one.part} {one.state}",
        (
            Cell(f"{letter} {one.state}", STATE_INKS[one.state]),
            Cell(one.part, "muted"),
            Cell(count(one.jobs) if one.jobs else "-", "strong" if one.jobs else "faint"),
            Cell("-" if one.retries is None else str(one.retries), "muted"),
            Cell(due, "muted"),
            Cell(said or meaning, STATE_INKS[one.state] if said else "muted"),
            Cell(meaning if said else "", "muted"),
            Cell("T try again" if orders and one.state == "failed" else "", "accent"),
        ),
        one,
    )


def event_rows(events: Sequence[BatchEvent], now: datetime) -> list[Row]:
    """What has happened, the newest first. A row keeps its name, so that the cursor stays on it."""
    return [
        Row(
            f"{event.at.isoformat()} {event.sentence}",
            (Cell(moment(event.at, now), "muted"), Cell(inert(event.sentence), event.ink)),
            event,
        )
        for event in events
    ]
