"""Tasks are looked at again before their wave is sent: what has changed since the run was frozen is left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from retriage.console.batches.outcome import SeenBefore
from retriage.console.batches.task_state import failure_of
from retriage.console.causes.fold import fold
from retriage.console.reading.failure_proofs import last_failures
from retriage.console.reading.lock_states import lock_state
from retriage.console.reading.narrowed_queries import among
from retriage.console.reading.pages import present
from retriage.console.reading.task_history import TaskLog
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import CheckedUnits
    from retriage.store.contract.records import ExternalTask
    from retriage.store.journal import RunTask

Change = Literal["gone", "locked", "maybe-locked", "raised", "lowered", "newer-incident"]
CHANGES: dict[str, str] = {
    "gone": "gone",
    "locked": "locked by a worker",
    "maybe-locked": "locked by a worker, or waiting for their retry time",
    "lowered": "given fewer retries by somebody else",
    "raised": "given retries by somebody else",
    "newer-incident": "failed since, with a newer incident",
}
"""Why a task is left out, as the end of a sentence about several."""


async def check(client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
    """Look at a page of tasks, and sort them in.

    Args:
        client: lists tasks and their log.
        checked: what is known of those before.
        tasks: 500 at most.
        log: the log since the run was frozen.

    Raises:
        EngineProblem: the engine did not answer; nothing was sorted in.
    """

    async def read(ids: Sequence[str]) -> list[ExternalTask]:
        query = among(ExternalTaskQuery(), ids)
        assert query is not None
        return await client.external_tasks(query, 0, len(ids))

    found = await present(read, [task.task_id for task in tasks])
    unchanged: list[tuple[RunTask, ExternalTask]] = []
    left_out: dict[int, Change] = {}
    for frozen in tasks:
        now = found.get(frozen.task_id)
        change = change_of(frozen, now, checked.at)
        if change is not None:
            left_out[frozen.ordinal] = change
        elif now is not None:
            unchanged.append((frozen, now))
    # The same message may be that of a newer failure, and a lock time that of its retry time: only the log tells.
    failures = await last_failures(client, log, checked.incidents, [now for _, now in unchanged])
    for frozen, now in unchanged:
        failed = failures.get(frozen.task_id)
        held = lock_state(now, checked.at, failed)
        if failed is not None and failed.again:
            left_out[frozen.ordinal] = "newer-incident"
        elif now.retries != frozen.retries:
            # Without a log a worker was there if the lock time is newer than the freeze.
            expiry = now.lock_expiration_time
            logged = failed is not None and failed.worker is not None
            worker = not logged and expiry is not None and expiry >= log.since
            left_out[frozen.ordinal] = "newer-incident" if worker else "lowered"
        elif held in ("worker", "either"):
            left_out[frozen.ordinal] = "locked" if held == "worker" else "maybe-locked"
        else:
            _take(checked, now)
    checked.left_out |= left_out


def _take(checked: CheckedUnits, task: ExternalTask) -> None:
    """A task that can be sent."""
    checked.taken[task.id] = task.retries
    checked.before[task.id] = SeenBefore(
        failure_of(task.error_message),
        _folded(task.error_message),
        task.retries,
        task.lock_expiration_time,
        task.activity_instance_id,
    )


@lru_cache(maxsize=1000)
def _folded(message: str | None) -> str:
    return "" if message is None else fold(message)


def change_of(frozen: RunTask, now: ExternalTask | None, at: datetime) -> Change | None:
    """What has become of a task since it was frozen; ``None`` where only its log tells whether anything has."""
    if now is None:
        return "gone"
    if lock_state(now, at) == "worker":
        return "locked"
    if (now.retries or 0) > (frozen.retries or 0):
        return "raised"
    return "newer-incident" if failure_of(now.error_message) != frozen.failure else None
