"""The two lists of the batch detail: failed jobs by cause, and what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from console.screens.batches.engine_box import moment
from console.text.inert import inert
from console.text.words import count
from console.widgets.columns import Column
from console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from console.batches.batch_events import BatchEvent
    from console.batches.failed_jobs import FailedJobs

FAILED_COLUMNS = (
    Column("jobs", 6, keep=9, align="right"),
    Column("cause", 20, share=1, keep=8),
    Column("what it means", 21, keep=7),
    Column("what to do", 17, keep=6),
)
EVENT_COLUMNS = (Column("at", 8, share=1, most=11, keep=9), Column("what happened", 30, share=9, keep=8))

ADVICE = {"drop": "D drop these jobs", "retry": "T try again", "look": "enter to read one"}


def failed_rows(groups: Sequence[FailedJobs], *, orders: bool) -> list[Row]:
    """Failed jobs by cause, each with the one sensible thing to do where orders can be given."""
    return [
        Row(
            group.cause,
            (
                Cell(count(len(group.jobs)), "strong"),
                Cell(inert(group.cause), "failed"),
                Cell(group.remedy.meaning, "muted"),
                Cell(ADVICE[group.remedy.advice] if orders else "", "accent"),
            ),
            group,
        )
        for group in groups
    ]


def event_rows(happenings: Sequence[BatchEvent], now: datetime) -> list[Row]:
    """What has happened, the newest first. A row keeps its name, so that the cursor stays on it."""
    return [
        Row(
            f"{happening.at.isoformat()} {happening.sentence}",
            (Cell(moment(happening.at, now), "muted"), Cell(inert(happening.sentence), happening.ink)),
            happening,
        )
        for happening in happenings
    ]
