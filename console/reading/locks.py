"""Locks that workers hold on tasks of a selection, and retry times: the engine has one lock expiration for both. A
worker that has died keeps its locks until they end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from retriage.console.reading.failure_proofs import FailureLists, IncidentTimes, last_failures
from retriage.console.reading.lock_states import LockState, lock_state
from retriage.console.reading.narrowed_queries import among, narrowed
from retriage.console.reading.pages import pages_by_id, pieces
from retriage.console.reading.selection import Everything, Marked
from retriage.console.reading.task_history import TaskLog
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

MOST = 2_000
"""So many locks at most are taken off at once, since that is ordered one by one."""


class LockedTaskLists(FailureLists, Protocol):
    """The part of the client that tells who holds a task."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


async def locked(client: LockedTaskLists, selection: Marked | Everything, most: int = MOST) -> list[ExternalTask]:
    """The tasks of a selection whose lock expiration is to come; if there are more than ``most``, one more than that.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if isinstance(selection, Marked):
        return await _locked_of(client, sorted(selection.ids), most)
    query = narrowed(selection.query, "locked")
    if query is None:
        return []
    found: list[ExternalTask] = []
    async for page in pages_by_id(client.external_tasks, query):
        found += [task for task in page if task.id not in selection.but]
        if len(found) > most:
            break
    return found[: most + 1]


async def still_locked(client: LockedTaskLists, before: Sequence[ExternalTask]) -> list[str]:
    """Ids of those tasks whose lock is the same as before: of the same worker, and not renewed since.

    Raises:
        EngineProblem: the engine did not answer.
    """
    now = {task.id: _lock(task) for task in await _locked_of(client, [task.id for task in before], len(before))}
    return [task.id for task in before if now.get(task.id) == _lock(task)]


async def lock_states(client: LockedTaskLists, tasks: Sequence[ExternalTask]) -> Mapping[str, LockState]:
    """By id what keeps workers from each of these tasks; the log, or the time of its incident, is asked
    for where its record does not tell.

    Raises:
        EngineProblem: the engine did not answer.
    """
    now = client.engine_now()
    unsure = [task for task in tasks if lock_state(task, now) == "either"]
    failures = await last_failures(client, TaskLog(now), IncidentTimes(), unsure)
    return {task.id: lock_state(task, now, failures.get(task.id)) for task in tasks}


def holders(tasks: Sequence[ExternalTask]) -> Mapping[str, int]:
    """Workers with the number of tasks that each one holds, the one with most first."""
    return dict(Counter(task.worker_id or "-" for task in tasks).most_common())


async def _locked_of(client: LockedTaskLists, ids: Sequence[str], most: int) -> list[ExternalTask]:
    found: list[ExternalTask] = []
    for some in pieces(ids):
        query = among(ExternalTaskQuery(locked=True), some)
        if query is not None and len(found) <= most:
            found += await client.external_tasks(query, 0, len(some))
    return found[: most + 1]


def _lock(task: ExternalTask) -> tuple[object, object]:
    return task.worker_id, task.lock_expiration_time
