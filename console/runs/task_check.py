"""Tasks are looked at again before their wave is sent: what has changed since the run was frozen is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from console.causes.fold import fold
from console.launch.preview import Kind
from console.reading.narrowed_queries import among
from console.reading.selected_tasks import SelectedTasks
from console.reading.task_history import TaskHistory, TaskLog
from console.runs.frozen_tasks import failure_of
from store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from store.contract.records import ExternalTask
    from store.journal import RunTask

Change = Literal["gone", "locked", "raised", "newer-incident"]
CHANGES: dict[Change, str] = {
    "gone": "gone",
    "locked": "locked by a worker",
    "raised": "given retries by somebody else",
    "newer-incident": "failed since, with a newer incident",
}
"""Why a task is left out, as the end of a sentence about several."""
EVERY_KIND: frozenset[Kind] = frozenset({"never_failed", "unchanged", "lowered"})


class Questions(TaskHistory, Protocol):
    """The part of the client that is asked."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


@dataclass
class CheckedTasks:
    """Tasks as they are now.

    Attributes:
        selected_tasks: those that can be sent, with what they have.
        left_out: ordinal -> why it is not sent.
        instances: task -> its activity instance, by which the log knows it.
        failures: task -> a hash of its error message, and that message folded.
    """

    selected_tasks: SelectedTasks
    left_out: dict[int, Change] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)
    _folded: dict[int, str] = field(default_factory=dict)

    def take(self, task: ExternalTask) -> None:
        """A task that can be sent."""
        self.selected_tasks.take([task])
        self.instances[task.id] = task.activity_instance_id
        said = hash(task.error_message)
        if said not in self._folded:
            self._folded[said] = fold(task.error_message) if task.error_message is not None else ""
        self.failures[task.id] = said, self._folded[said]


async def check(client: Questions, checked: CheckedTasks, tasks: Sequence[RunTask], log: TaskLog) -> None:
    """Look at a page of tasks, and sort them in.

    Args:
        client: lists tasks and their log.
        checked: what is known of those before.
        tasks: 500 at most.
        log: the log since the run was frozen.

    Raises:
        EngineProblem: the engine did not answer; nothing was sorted in.
    """
    query = among(ExternalTaskQuery(), [task.task_id for task in tasks])
    assert query is not None
    found = {task.id: task for task in await client.external_tasks(query, 0, len(tasks))}
    unchanged: list[tuple[RunTask, ExternalTask]] = []
    left_out: dict[int, Change] = {}
    for frozen in tasks:
        now = found.get(frozen.task_id)
        change = change_of(frozen, now, checked.selected_tasks.at)
        if change is not None:
            left_out[frozen.ordinal] = change
        elif now is not None:
            unchanged.append((frozen, now))
    # The same message may be that of a newer failure: only the log tells.
    failed = await log.failures(client, [now.activity_instance_id for _, now in unchanged]) if unchanged else {}
    for frozen, now in unchanged:
        if frozen.task_id in failed and failed[frozen.task_id].again:
            left_out[frozen.ordinal] = "newer-incident"
        else:
            checked.take(now)
    checked.left_out |= left_out


def change_of(frozen: RunTask, now: ExternalTask | None, at: datetime) -> Change | None:
    """What has become of a task since it was frozen; ``None`` where its record shows no change."""
    if now is None:
        return "gone"
    if now.lock_expiration_time is not None and now.lock_expiration_time > at:
        return "locked"
    if now.retries != frozen.retries and (now.retries or 0) > (frozen.retries or 0):
        return "raised"
    if now.retries != frozen.retries or failure_of(now.error_message) != frozen.failure:
        return "newer-incident"
    return None
