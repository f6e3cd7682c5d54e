"""A launch was not answered, and a batch is there that may be it: the operator is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, things

if TYPE_CHECKING:
    from textual.app import App

    from retriage.store.contract.records import BatchStatistics


BETWEEN_LOOKS = 0.2
"""Seconds between two looks whether another dialog is still open."""


async def is_it(app: App[Any], batch: BatchStatistics) -> bool:
    """Whether the operator says that this batch is the one of the launch. Must run in a worker."""
    by = f" by {inert(batch.create_user_id)}" if batch.create_user_id else ""
    sentences = [
        f"The launch was not answered. Perhaps it made batch {inert(batch.id)}: "
        f"{things(batch.total_jobs, 'job')}, started {clock(batch.start_time)}{by}.",
        "If it is another one, nothing changes: look at 4 before launching again.",
    ]
    question = Confirm("Is this your batch?", sentences, "It is", "Y")
    # Never in front of another question: the key that is meant for that would answer this.
    while app.screen.is_modal:  # noqa: ASYNC110 - nobody is told when a dialog closes
        await asyncio.sleep(BETWEEN_LOOKS)
    return await app.push_screen_wait(question)
