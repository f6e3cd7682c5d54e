"""What the tasks of incidents tell that the incidents do not: topic, business key, worker, retries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from sys import intern
from typing import NamedTuple, Protocol

from console.causes.group_members import GroupMember
from console.reading.narrowed_queries import among
from store.contract.queries import ExternalTaskQuery
from store.contract.records import ExternalTask

SLICE = 500
"""Ids of one question."""
MOST_KEPT = 20_000
"""Tasks that are remembered, those asked for last."""
MOST_ASKED = 5_000
"""Tasks of one group that are asked for, to tell its workers and topics."""


class TaskFact(NamedTuple):
    """A task as it was when it was asked for."""

    topic: str
    key: str | None
    worker: str | None
    retries: int | None
    suspended: bool


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

    def get(self, member: GroupMember) -> TaskFact | None:
        """What is known of the task of an incident."""
        return self._known.get(member.id, (None, 0))[0]

    def gone(self, member: GroupMember) -> bool:
        """The task was asked for and not there."""
        return member.id in self._known and self._known[member.id][0] is None

    def look(self) -> None:
        """The operator wants to see what is so now: what is known stays, and is asked for again."""
        self._looked += 1

    def missing(self, members: Iterable[GroupMember], most: int = SLICE) -> list[GroupMember]:
        """Those whose task has not been asked for since the operator looked, at most so many of them."""
        found: dict[str, GroupMember] = {}
        for member in members:
            if member.configuration is not None and self._known.get(member.id, (None, -1))[1] < self._looked:
                found[member.id] = member
                if len(found) == most:
                    break
        return list(found.values())

    async def learn(self, client: IncidentTaskLists, members: Sequence[GroupMember]) -> None:
        """Ask for the tasks of these incidents, at most :data:`SLICE` of them.

        Raises:
            EngineProblem: the engine did not answer.
        """
        looked = self._looked
        asked = {member.id: member.configuration for member in members[:SLICE] if member.configuration is not None}
        query = among(ExternalTaskQuery(), asked.values())
        if query is None:
            return
        there = {task.id: _fact(task) for task in await client.external_tasks(query, 0, SLICE)}
        for id, task_id in asked.items():
            self._known.pop(id, None)
            self._known[id] = there.get(task_id), looked
        for id in [id for id, _ in zip(self._known, range(len(self._known) - MOST_KEPT), strict=False)]:
            del self._known[id]

    def tell(self, members: Iterable[GroupMember]) -> tuple[Counter[str], Counter[str], int]:
        """Topics and workers of these tasks as far as they are known, and how many of them were asked for."""
        topics: Counter[str] = Counter()
        workers: Counter[str] = Counter()
        asked = 0
        for member in members:
            asked += member.id in self._known
            fact = self.get(member)
            if fact is not None:
                topics[fact.topic] += 1
                if fact.worker is not None:
                    workers[fact.worker] += 1
        return topics, workers, asked


def _fact(task: ExternalTask) -> TaskFact:
    worker = None if task.worker_id is None else intern(task.worker_id)
    return TaskFact(intern(task.topic_name), task.business_key, worker, task.retries, task.suspended)
