"""What proves that an external task failed, and when: the external task log, or the incident that is open for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from retriage.console.engine.errors import Refused
from retriage.console.reading.incident_pages import IncidentPages
from retriage.console.reading.lock_states import lock_state
from retriage.console.reading.pages import believed
from retriage.console.reading.task_history import Failed, TaskHistory, TaskLog
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, ExternalTask, Incident

if TYPE_CHECKING:
    from datetime import datetime

PAGES = 40
"""So many pages of incidents are read for one selection."""
ONE_BY_ONE = 20
"""So many tasks are asked for by id in one look, where their incidents are on none of those pages."""


class IncidentLists(Protocol):
    """The part of the client that lists incidents."""

    async def incidents(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        """A page of open incidents."""
        ...


class FailureLists(TaskHistory, IncidentLists, Protocol):
    """The part of the client that proves failures."""

    def engine_now(self) -> datetime:
        """The time by the engine's clock."""
        ...


class IncidentTimes:
    """When the open incidents of external tasks, or of jobs, were opened. Reads the oldest first, since a run takes the
    oldest first, and only as far as it is asked; what was read is not read again.

    Args:
        since: those opened at this moment or later; all of them without it.
        pages: read so many pages at most.
        incident_type: of tasks, or of jobs.
    """

    def __init__(
        self, since: datetime | None = None, pages: int = PAGES, incident_type: str = FAILED_EXTERNAL_TASK
    ) -> None:
        self._query = IncidentQuery(incident_type=incident_type, incident_timestamp_after=since)
        self._way: IncidentPages[Incident] | None = None
        self._left = pages
        self._opened: dict[str, datetime] = {}
        self.hidden = False
        """The engine does not show them."""

    async def of(self, client: IncidentLists, tasks: Collection[str]) -> dict[str, datetime]:
        """Times by id of the task; without those that have none, and those that could not be found out.

        Raises:
            EngineProblem: the engine did not answer.
        """
        try:
            while self._left and not self._opened.keys() >= set(tasks) and not (self._way and self._way.ended):
                if self._way is None:
                    self._way = IncidentPages(partial(believed, client.incidents), self._query, newest_first=False)
                self._take(await self._way.next())
                self._left -= 1
            if self._way is not None and not self._way.ended:
                for id in sorted(set(tasks) - self._opened.keys())[:ONE_BY_ONE]:
                    by_task = self._query.model_copy(update={"configuration": id})
                    self._take(await believed(client.incidents, by_task, 0, 1))
        except Refused as problem:
            if not problem.says_never:
                raise
            self._left, self._way, self.hidden = 0, None, True
        return {id: self._opened[id] for id in tasks if id in self._opened}

    def _take(self, incidents: Sequence[Incident]) -> None:
        self._opened |= {one.configuration: one.incident_timestamp for one in incidents if one.configuration}


async def last_failures(
    client: FailureLists, log: TaskLog, incidents: IncidentTimes, tasks: Sequence[ExternalTask]
) -> dict[str, Failed]:
    """The last failure of each of these tasks, by id, as :func:`lock_state` needs it; without those not known.

    Where no log is kept, the incident of a task without retries tells when it failed, or when somebody set it to 0.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if not tasks:
        return {}
    found = await log.failures(client, [task.activity_instance_id for task in tasks])
    rest = [
        task
        for task in tasks
        if task.retries == 0 and task.id not in found and lock_state(task, client.engine_now()) == "either"
    ]
    if not rest:
        return found
    if await log.keeps(client, [task.activity_instance_id for task in rest]):
        return found | {task.id: Failed() for task in rest}
    opened = await incidents.of(client, [task.id for task in rest])
    return found | {id: Failed(at=at) for id, at in opened.items()}
