"""What tells whose a batch is: the log of what users did, and the retries that its tasks have since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from console.engine.errors import Refused
from console.reading.narrowed_queries import among
from console.reading.task_history import TaskHistory, TaskLog
from store.contract.operations import UserOperation, UserOperationQuery
from store.contract.queries import ExternalTaskQuery
from store.contract.records import ExternalTask

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
        ours: so many have the number that the launch sets, and no worker gave it to them.
        another: so many have a third number, and no worker gave it to them.
        unchanged: so many have what they had.
        unclear: so many have changed, and a worker may have done it.
    """

    ours: int = 0
    another: int = 0
    unchanged: int = 0
    unclear: int = 0


async def orders_since(client: Witnesses, since: datetime) -> list[UserOperation]:
    """Who has set retries of external tasks to what since then; empty where the engine keeps no such log: it is written
    for users who logged in, and at history level ``full``."""
    query = UserOperationQuery(
        operation_type="SetExternalTaskRetries",
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
    unchanged = [task for task in tasks if task.retries == before[task.id]]
    changed = [task for task in tasks if task.retries != before[task.id]]
    # No worker is given a task without retries, so nothing but an order takes it to the number of the launch.
    plain = [task for task in changed if before[task.id] == 0 and task.retries == given]
    others = [task for task in changed if task not in plain]
    by_workers, log = set[str](), TaskLog(since)
    if others:
        failures = await log.failures(client, [task.activity_instance_id for task in others])
        by_workers = {id for id, failed in failures.items() if failed.again}
    known = [task for task in others if not log.missing and task.id not in by_workers]
    ours = sum(task.retries == given for task in known)
    return Effect(len(plain) + ours, len(known) - ours, len(unchanged), len(others) - len(known))
