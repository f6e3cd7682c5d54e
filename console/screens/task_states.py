"""An external task in a few characters: the letter of its state, its retries, its error; wherever tasks are shown."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.reading.lock_states import lock_state
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink

if TYPE_CHECKING:
    from retriage.store.contract.records import ExternalTask

STATES: dict[str, tuple[str, Ink]] = {
    "X": ("no retries left; its incident is open", "failed"),
    "r": ("has failed and will be tried again", "warning"),
    "L": ("locked by a worker", "locked"),
    "w": ("has failed: waits for its retry time, or a worker has it again", "locked"),
    "·": ("ready for a worker", "good"),
    "S": ("suspended", "suspended"),
}
"""State letters: what they mean and their ink."""


def state_of(task: ExternalTask, now: datetime) -> str:
    """The letter of the state that decides what happens next."""
    if task.suspended:
        return "S"
    if task.retries == 0:
        return "X"
    match lock_state(task, now):
        case "worker":
            return "L"
        case "either":
            return "w"
    return "r" if task.retries is not None and task.error_message is not None else "·"


def error_said(task: ExternalTask) -> str:
    """Its error message, ready to be shown, or why there is none."""
    if task.error_message is not None:
        return inert(task.error_message) or "(an empty message)"
    return "has never failed" if task.retries is None else "no error message"


def tries(task: ExternalTask) -> tuple[str, Ink]:
    """Retries as a cell: ``-`` is never failed, 0 is none left."""
    if task.retries is None:
        return "-", "faint"
    return str(task.retries), "failed" if task.retries == 0 else ""
