"""What the tasks of incidents tell that the incidents do not: topic, business key, worker, retries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from sys import intern
from typing import NamedTuple, Protocol, TypeVar

from retriage.console.reading.narrowed_queries import among
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, ExternalTask

SLICE = 500
"""Ids of one question."""
MOST_KEPT = 50_000
"""Tasks that are remembered, those asked for last."""
MOST_ASKED = 5_000
"""Tasks of one group that are asked for, to tell its workers and topics."""


class TaskFact(NamedTuple):
    """A task as it was when it was asked for; its fields are named as in the contract."""

    topic_name: str | None = None
    business_key: str | None = None
    worker_id: str | None = None
    retries: int | None = None
    suspended: bool = False
    priority: int | None = None
    gone: bool = False
    """It was asked for and not there."""


NO_TASK = TaskFact()
"""No external task failed: a job did, or something in a called process."""
GONE = TaskFact(gone=True)


class OfTask(Protocol):
    """An open incident."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def incident_type(self) -> str:
        """What has failed."""
        ...

    @property
    def configuration(self) -> str | None:
        """Id of what has failed."""
        ...


I = TypeVar("I", bound=OfTask)  # noqa: E741


class IncidentTaskLists(Protocol):
    """The part of the client that is needed."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


class TaskFacts:
    """Tasks that were asked for, each for the incident that it has; a task that is gone is remembered as nothing.

    A task that fails anew has another incident, and is asked for again: another worker may have had it.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[TaskFact | None, int]] = {}
        """Id of an incident -> its task, and how often the operator had looked when it was asked for."""
        self._looked = 0

    def get(self, incident: OfTask) -> TaskFact | None:
        """What is known of the task of an incident."""
        return self._known.get(incident.id, (None, 0))[0]

    def gone(self, incident: OfTask) -> bool:
        """The task was asked for and not there."""
        return incident.id in self._known and self._known[incident.id][0] is None

    def told(self, incident: OfTask) -> TaskFact:
        """The task of an incident that was asked for: :data:`GONE` where it is not there, :data:`NO_TASK` where the
        incident is about none."""
        return self.get(incident) or (GONE if self.gone(incident) else NO_TASK)

    def look(self) -> None:
        """The operator wants to see what is so now: what is known stays, and is asked for again."""
        self._looked += 1

    def missing(self, incidents: Iterable[I], most: int = SLICE) -> list[I]:
        """Those whose task has not been asked for since the operator looked, at most so many of them."""
        found: dict[str, I] = {}
        for incident in incidents:
            if is_of_task(incident) and self._known.get(incident.id, (None, -1))[1] < self._looked:
                found[incident.id] = incident
                if len(found) == most:
                    break
        return list(found.values())

    async def learn(self, client: IncidentTaskLists, incidents: Sequence[OfTask]) -> None:
        """Ask for the tasks of these incidents, at most :data:`SLICE` of them.

        Raises:
            EngineProblem: the engine did not answer.
        """
        looked = self._looked
        asked = {one.id: one.configuration for one in incidents[:SLICE] if one.configuration is not None}
        query = among(ExternalTaskQuery(), asked.values())
        if query is None:
            return
        there = {task.id: _fact(task) for task in await client.external_tasks(query, 0, SLICE)}
        for id, task_id in asked.items():
            self._known.pop(id, None)
            self._known[id] = there.get(task_id), looked
        for id in [id for id, _ in zip(self._known, range(len(self._known) - MOST_KEPT), strict=False)]:
            del self._known[id]

    def tell(self, incidents: Iterable[OfTask]) -> tuple[Counter[str], Counter[str], int]:
        """Topics and workers of these tasks as far as they are known, and how many of them were asked for."""
        topics: Counter[str] = Counter()
        workers: Counter[str] = Counter()
        asked = 0
        for incident in incidents:
            asked += incident.id in self._known
            fact = self.get(incident)
            if fact is not None:
                topics[fact.topic_name or ""] += 1
                if fact.worker_id is not None:
                    workers[fact.worker_id] += 1
        return topics, workers, asked


def is_of_task(incident: OfTask) -> bool:
    """An external task has failed; one in a called process has no id here."""
    return incident.incident_type == FAILED_EXTERNAL_TASK and incident.configuration is not None


def _fact(task: ExternalTask) -> TaskFact:
    worker = None if task.worker_id is None else intern(task.worker_id)
    return TaskFact(intern(task.topic_name), task.business_key, worker, task.retries, task.suspended, task.priority)
