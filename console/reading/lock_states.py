"""Whether a worker holds a task, or only its retry time keeps workers from it. Pure.

A worker that fails a task sets its lock expiration to now plus the retry timeout and stays written there as its worker,
so the record of a task that waits for its retry time looks like that of a locked one. A worker holds a task without
retries only if somebody set them to 0 meanwhile, or if it locked the task by its id (both observed on Camunda 7.24.0).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from retriage.console.reading.task_history import Failed
    from retriage.store.contract.records import ExternalTask

LockState = Literal[
    "free",  # nothing keeps workers from it but its retries
    "worker",  # a worker holds it
    "retry time",  # nobody holds it; no worker gets it before its retry time is over
    "either",  # it may have failed before, and nothing tells which of the two
]
_SECOND, _TICK = timedelta(seconds=1), timedelta(milliseconds=1)
_NEAR, _BUSY = timedelta(milliseconds=10), timedelta(milliseconds=200)
"""How long after it has computed a retry time an engine logs the failure and opens its incident: mostly, and under load
(159 ms on Camunda 7.24.0)."""


def lock_state(task: ExternalTask, now: datetime, failed: Failed | None = None) -> LockState:
    """What keeps workers from a task.

    Args:
        task: its record.
        now: the time by the engine's clock.
        failed: its last failure, by the external task log, or by the incident that it opened; without a time where
            it never failed.

    With retries left, a lock that happens to end like a retry time of a busy engine may be either. With none, it is a
    retry time: of the locks on tasks that somebody set to 0, one in five looks so.
    """
    expiry = task.lock_expiration_time
    if expiry is None or expiry <= now:
        return "free"
    if task.retries is None or (task.error_message is None and task.retries):
        return "worker"
    if failed is None:
        return "either"
    if failed.at is None or failed.worker not in (None, task.worker_id):
        return "worker"
    if not set_by_failure(expiry, failed.at):
        # Somebody may have set it to 0 once more, which opens a new incident, in its retry time.
        proves = failed.worker is not None and (expiry.microsecond or failed.at.microsecond)
        return "worker" if proves else "either"
    return "retry time" if task.retries == 0 or set_by_failure(expiry, failed.at, _NEAR) else "either"


def set_by_failure(expiry: datetime, seen_at: datetime, within: timedelta = _BUSY) -> bool:
    """Whether a lock expiration is that of a failure that was logged, or opened its incident, at this moment.

    Args:
        expiry: the lock expiration.
        seen_at: the time of the log's entry, or of the incident.
        within: how long after the failure that may be.

    Retry timeouts are whole seconds in practice, and the engine adds them to the moment of the failure. A lock taken
    later expires at any fraction of a second. Times without fractions of seconds, as some databases keep them, prove
    nothing.
    """
    if not expiry.microsecond and not seen_at.microsecond:
        return False
    return expiry - seen_at >= -within and (seen_at - expiry + _TICK) % _SECOND <= within + _TICK
