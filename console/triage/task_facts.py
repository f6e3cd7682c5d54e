"""What the tasks of incidents tell that the incidents do not: topic, business key, worker, retries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from sys import intern
from typing import NamedTuple, Protocol

from console.triage.narrow import among
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


class Tasks(Protocol):
    """The part of the client that is needed."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


class TaskFacts:
    """Tasks that were asked for; a task that is gone is remembered as nothing."""

    def __init__(self) -> None:
        self._known: dict[str, TaskFact | None] = {}

    def get(self, task_id: str | None) -> TaskFact | None:
        """What is known of a task."""
        return self._known.get(task_id) if task_id is not None else None

    def gone(self, task_id: str | None) -> bool:
        """The task was asked for and not there."""
        return task_id in self._known and self._known[task_id] is None

    def missing(self, ids: Iterable[str | None], most: int = SLICE) -> list[str]:
        """Those that have not been asked for yet, at most so many of them."""
        found: dict[str, None] = {}
        for id in ids:
            if id is not None and id not in self._known:
                found[id] = None
                if len(found) == most:
                    break
        return list(found)

    async def learn(self, client: Tasks, ids: Sequence[str]) -> None:
        """Ask for these tasks, at most :data:`SLICE` of them.

        Raises:
            EngineProblem: the engine did not answer.
        """
        query = among(ExternalTaskQuery(), ids[:SLICE])
        if query is None:
            return
        there = {task.id: _fact(task) for task in await client.external_tasks(query, 0, SLICE)}
        for id in ids[:SLICE]:
            self._known.pop(id, None)
            self._known[id] = there.get(id)
        for id in [id for id, _ in zip(self._known, range(len(self._known) - MOST_KEPT), strict=False)]:
            del self._known[id]

    def forget(self, ids: Iterable[str]) -> None:
        """Ask for these again when they are wanted."""
        for id in ids:
            self._known.pop(id, None)

    def tell(self, ids: Collection[str]) -> tuple[Counter[str], Counter[str], int]:
        """Topics and workers of these tasks as far as they are known, and how many of them were asked for."""
        topics: Counter[str] = Counter()
        workers: Counter[str] = Counter()
        asked = 0
        for id in ids:
            asked += id in self._known
            fact = self._known.get(id)
            if fact is not None:
                topics[fact.topic] += 1
                if fact.worker is not None:
                    workers[fact.worker] += 1
        return topics, workers, asked


def _fact(task: ExternalTask) -> TaskFact:
    worker = None if task.worker_id is None else intern(task.worker_id)
    return TaskFact(intern(task.topic_name), task.business_key, worker, task.retries, task.suspended)
