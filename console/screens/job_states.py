"""A job in a character: the letter of its state."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.text.ink import Ink

if TYPE_CHECKING:
    from retriage.store.contract.records import Job

STATES: dict[str, tuple[str, Ink]] = {
    "X": ("no retries left: it waits for a person", "failed"),
    "r": ("has failed and will be tried again", "warning"),
    "·": ("waits for the job executor", "good"),
    "w": ("waits until it is due", "muted"),
    "S": ("suspended", "suspended"),
}
"""State letters: what they mean and their ink."""


def state_of(job: Job, now: datetime) -> str:
    """The letter of the state that decides what happens next."""
    if job.retries <= 0:
        return "X"
    if job.suspended:
        return "S"
    if job.exception_message is not None:
        return "r"
    return "w" if job.due_date is not None and job.due_date > now else "·"
