"""What tells whose a batch is: the log of what users did, and the retries that its tasks have since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from retriage.console.engine.errors import Refused
from retriage.console.reading.narrowed_queries import among
from retriage.console.reading.task_history import Failed, TaskHistory, TaskLog
from retriage.store.contract.operations import UserOperation, UserOperationQuery
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

SAMPLE = 100
"""So many tasks of a launch are looked at."""
OPERATIONS = 50
"""So many entries of the user operation log are read, the newest."""
SAME_MOMENT = timedelta(seconds=2)
"""An entry of that log and the start of its batch are so close together."""

Before = tuple[str, int | None]
"""A task's id with the retries that it had, ``None`` for never failed."""


class Witnesses(TaskHistory, Protocol):
    """The part of the client that is asked."""

    async def user_operations(self, query: UserOperationQuery, first: int, size: int) -> list[UserOperation]:
        """A page of the user operation log."""
        ...

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


@dataclass(frozen=True)
class Effect:
    """What has become of sampled tasks that had another number of retries than the launch sets.

    Attributes:
        ours: so many have the number that the launch sets, and no worker gave it to them, or have failed since although
            they had no retries.
        another: so many have a third number, and no worker gave it to them.
        unchanged: so many have what they had, and no worker has failed them since.
        unclear: a worker may have left them as they are.
        gone: so many have ended.
    """

    ours: int = 0
    another: int = 0
    unchanged: int = 0
    unclear: int = 0
    gone: int = 0

    @property
    def none(self) -> bool:
        """All of them are as they were."""
        return self.unchanged > 0 and not (self.ours or self.another or self.unclear or self.gone)


async def orders_since(client: Witnesses, since: datetime, logged_as: str) -> list[UserOperation]:
    """Who has set retries to what since then, of tasks or of jobs as ``logged_as`` names it; empty where the engine
    keeps no such log: it is written for users who logged in, and at history level ``full``."""
    query = UserOperationQuery(
        operation_type=logged_as,
        property="retries",
        after_timestamp=since,
        sort_by="timestamp",
        sort_order="desc",
    )
    try:
        return await client.user_operations(query, 0, OPERATIONS)
    except Refused as problem:
        if not problem.says_never:
            raise
        return []


def ordered_values(log: Sequence[UserOperation], start: datetime, user: str | None) -> set[str]:
    """The numbers of retries that were ordered when a batch began.

    Args:
        log: the entries.
        start: when the batch began.
        user: who created it, where the engine tells.
    """
    near = [entry for entry in log if abs(entry.timestamp - start) <= SAME_MOMENT and entry.new_value is not None]
    his = [entry for entry in near if user is not None and entry.user_id == user]
    return {entry.new_value for entry in his or near if entry.new_value is not None}


async def effect_on(client: Witnesses, sample: Sequence[Before], given: int, since: datetime) -> Effect:
    """What has become of tasks since a launch.

    Args:
        client: lists tasks and their log.
        sample: the tasks with what they had before.
        given: the number that the launch sets.
        since: when it was sent.

    Raises:
        EngineProblem: the engine did not answer.
    """
    before = {id: had for id, had in sample if had != given}
    query = among(ExternalTaskQuery(), list(before)) if before else None
    if query is None:
        return Effect()
    tasks = await client.external_tasks(query, 0, len(before))
    alike = [task for task in tasks if task.retries == before[task.id]]
    # A failure sets the lock expiration to its own moment or later (observed on Camunda 7.24.0).
    touched = [task for task in alike if task.lock_expiration_time is not None and task.lock_expiration_time >= since]
    changed = [task for task in tasks if task.retries != before[task.id]]
    # No worker is given a task without retries, so nothing but an order takes it to the number of the launch.
    plain = [task for task in changed if before[task.id] == 0 and task.retries == given]
    others = [task for task in changed if task not in plain]
    failures, log = dict[str, Failed](), TaskLog(since)
    if others or touched:
        failures = await log.failures(client, [task.activity_instance_id for task in (*others, *touched)])
    by_workers = {id for id, failed in failures.items() if failed.again}
    # Nor can it fail any more: one that has failed since had been given retries.
    relapsed = sum(before[task.id] == 0 and task.id in by_workers for task in touched)
    as_before = len(alike) - len(touched) + sum(task.id in failures.keys() - by_workers for task in touched)
    known = [task for task in others if not log.missing and task.id not in by_workers]
    ours = sum(task.retries == given for task in known)
    return Effect(
        ours=len(plain) + relapsed + ours,
        another=len(known) - ours,
        unchanged=as_before,
        unclear=len(others) - len(known) + len(alike) - relapsed - as_before,
        gone=len(before) - len(tasks),
    )
