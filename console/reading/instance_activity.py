"""Where process instances stand: their external tasks and incidents, asked for a page of instances at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retriage.console.engine.errors import EngineProblem, Unreachable
from retriage.console.reading.pages import pages_by_id, pieces
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.contract.records import ExternalTask, HistoricProcessInstance, ProcessInstance

SLICE = 200
"""Instances of one question."""
MOST_TASKS = 1000
"""Tasks that one question answers; instances whose tasks may be missing then are not counted."""
MOST_STARTS = 5000
"""Instances whose start is remembered."""


class Engine(Protocol):
    """The part of the client that is needed."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...

    async def process_instances(self, query: ProcessInstanceQuery, first: int, size: int) -> list[ProcessInstance]:
        """A page of running instances."""
        ...

    async def historic_process_instances(
        self, query: HistoricProcessInstanceQuery, first: int, size: int
    ) -> list[HistoricProcessInstance]:
        """A page of instances, running or ended."""
        ...


@dataclass(frozen=True)
class InstanceActivity:
    """An instance and where it stands.

    Attributes:
        instance: the instance.
        tasks: its external tasks; ``None`` when there were too many to be asked for.
        incident: it has an open incident.
        started: when it began, if history knows.
    """

    instance: ProcessInstance
    tasks: tuple[ExternalTask, ...] | None
    incident: bool
    started: datetime | None

    @property
    def definition_id(self) -> str:
        """Of the instance."""
        return self.instance.definition_id

    @property
    def definition_key(self) -> str:
        """Of the instance."""
        return self.instance.definition_key

    @property
    def business_key(self) -> str | None:
        """Of the instance."""
        return self.instance.business_key

    @property
    def suspended(self) -> bool:
        """Of the instance."""
        return self.instance.suspended

    @property
    def tenant_id(self) -> str | None:
        """Of the instance."""
        return self.instance.tenant_id

    @property
    def id(self) -> str:
        """Of the instance."""
        return self.instance.id

    @property
    def without_retries(self) -> int:
        """Tasks that have no retries left."""
        return sum(task.retries == 0 for task in self.tasks or ())

    @property
    def activities(self) -> list[str]:
        """Where its tasks are, those without retries first, each once."""
        tasks = sorted(self.tasks or (), key=lambda task: task.retries != 0)
        return list(dict.fromkeys(task.activity_id for task in tasks))

    def model_dump(self, **how: object) -> dict[str, object]:
        """What a file of rows holds: the instance as the engine tells it."""
        return self.instance.model_dump(mode="json", by_alias=True)


class InstanceActivities:
    """Looks up where instances stand; starts are remembered, since they do not change."""

    def __init__(self) -> None:
        self._started: dict[str, datetime] = {}

    async def of(self, client: Engine, instances: Sequence[ProcessInstance]) -> list[InstanceActivity]:
        """The instances with where they stand.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found: list[InstanceActivity] = []
        for some in pieces(instances, SLICE):
            found += await self._slice(client, some)
        return found

    async def _slice(self, client: Engine, some: Sequence[ProcessInstance]) -> list[InstanceActivity]:
        ids = [instance.id for instance in some]
        tasks, failing, _ = await asyncio.gather(
            client.external_tasks(ExternalTaskQuery(process_instance_id_in=ids), 0, MOST_TASKS),
            client.process_instances(ProcessInstanceQuery(process_instance_ids=ids, with_incident=True), 0, len(ids)),
            self._starts(client, ids),
        )
        own: dict[str, list[ExternalTask]] = {id: [] for id in ids}
        for task in tasks:
            own.setdefault(task.process_instance_id, []).append(task)
        whole = len(tasks) < MOST_TASKS
        troubled = {instance.id for instance in failing}
        return [
            InstanceActivity(one, tuple(own[one.id]) if whole else None, one.id in troubled, self._started.get(one.id))
            for one in some
        ]

    async def _starts(self, client: Engine, ids: Sequence[str]) -> None:
        unknown = [id for id in ids if id not in self._started]
        if not unknown:
            return
        query = HistoricProcessInstanceQuery(process_instance_ids=unknown)
        try:
            found = await client.historic_process_instances(query, 0, len(unknown))
        except Unreachable:
            raise
        except EngineProblem:
            return
        self._started.update((one.id, one.start_time) for one in found)
        for id in list(self._started)[: max(len(self._started) - MOST_STARTS, 0)]:
            del self._started[id]


async def tasks_without_retries(client: Engine, instance_ids: Iterable[str]) -> set[str]:
    """Ids of the tasks of these instances that have no retries left, and of no other task.

    Raises:
        EngineProblem: the engine did not answer.
    """
    found: set[str] = set()
    for some in pieces(sorted(instance_ids), SLICE):
        query = ExternalTaskQuery(process_instance_id_in=list(some), no_retries_left=True)
        async for page in pages_by_id(client.external_tasks, query):
            found.update(task.id for task in page)
    return found


def activity_of(standings: Iterable[InstanceActivity]) -> list[tuple[str, int, int]]:
    """Activity, instances that stand there, and those of them without retries; the most frequent first, and of equally
    frequent ones the one with more that are stuck."""
    here: Counter[str] = Counter()
    stuck: Counter[str] = Counter()
    for one in standings:
        for activity in {task.activity_id for task in one.tasks or ()}:
            here[activity] += 1
            stuck[activity] += any(task.retries == 0 and task.activity_id == activity for task in one.tasks or ())
    found = [(activity, number, stuck[activity]) for activity, number in here.items()]
    return sorted(found, key=lambda at: (-at[1], -at[2], at[0]))
