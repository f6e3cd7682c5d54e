"""Which tasks a selection names and what each of them has now, read from the engine page by page."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from retriage.console.reading.counts import SelectionCounts
from retriage.console.reading.failure_proofs import FailureLists, IncidentTimes, last_failures
from retriage.console.reading.lock_states import lock_state
from retriage.console.reading.narrowed_queries import among
from retriage.console.reading.pages import pages_by_id, pieces
from retriage.console.reading.selection import Composed, Everything, Marked, Selection
from retriage.console.reading.task_history import Failed, TaskLog
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.contract.records import ExternalTask, HistoricProcessInstance, ProcessInstance

SAMPLE = 3
"""So many of the oldest tasks are kept to be shown."""


class SelectionLists(FailureLists, Protocol):
    """The part of the client that reads tasks, and the instances of a composed request."""

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


@dataclass
class SelectedTasks:
    """What was read of a selection.

    Attributes:
        at: when reading began, by the engine's clock: locks are compared with it.
        named: ids that the selection names; none where it is a query.
        retries: id -> retries, for every task that exists; ``None`` is never failed.
        held: tasks that a worker holds, or may hold: where neither the log nor an incident tells, the record of a task
            that failed before does not tell its retry time from a lock.
        unsure: those of them of which that is not known.
        delayed: tasks that nobody holds, and no worker gets before their retry time is over.
        locked_until: when the last of these locks and retry times ends.
        suspended: tasks of suspended instances.
        topics: tasks by topic.
        sample: the oldest tasks.
    """

    at: datetime
    named: frozenset[str] = frozenset()
    retries: dict[str, int | None] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    delayed: set[str] = field(default_factory=set)
    locked_until: datetime | None = None
    suspended: set[str] = field(default_factory=set)
    topics: Counter[str] = field(default_factory=Counter)
    sample: list[ExternalTask] = field(default_factory=list)

    @property
    def gone(self) -> list[str]:
        """Named ids of tasks that do not exist."""
        return [id for id in self.named if id not in self.retries]

    def take(self, tasks: Iterable[ExternalTask], failures: Mapping[str, Failed] = MappingProxyType({})) -> None:
        """More tasks, with what is known of the failures of some; one that is known already is not taken twice."""
        for task in tasks:
            if task.id in self.retries:
                continue
            self.retries[task.id] = task.retries
            self.topics[task.topic_name] += 1
            if task.suspended:
                self.suspended.add(task.id)
            if (held := lock_state(task, self.at, failures.get(task.id))) != "free":
                (self.delayed if held == "retry time" else self.held).add(task.id)
                if held == "either":
                    self.unsure.add(task.id)
                expiry = task.lock_expiration_time
                assert expiry is not None, "it is not free"
                self.locked_until = max(self.locked_until or expiry, expiry)
            self.sample.append(task)
        self.sample = sorted(self.sample, key=_created)[:SAMPLE]

    def only(self, ids: Iterable[str]) -> "SelectedTasks":
        """Some of the tasks by id, with no more than their retries."""
        part = SelectedTasks(self.at, frozenset(ids))
        part.retries = {id: self.retries[id] for id in part.named if id in self.retries}
        return part

    def facts(self) -> SelectionCounts:
        """The same as counts."""
        left = Counter(has for has in self.retries.values() if has != 0)
        found = len(self.retries)
        return SelectionCounts(
            asked=len(self.named) or found,
            found=found,
            no_retries=found - left.total(),
            retries_left=left.total(),
            locked=len(self.held),
            delayed=len(self.delayed),
            suspended=len(self.suspended),
            retries=left,
            at=self.at,
            locked_until=self.locked_until,
            unsure=len(self.unsure),
            sample=tuple(self.sample),
        )


def _created(task: ExternalTask) -> tuple[datetime, str]:
    return (task.create_time or datetime.max.replace(tzinfo=UTC), task.id)


async def read_selected_tasks(
    client: SelectionLists, selection: Selection, progress: Callable[[int], None] | None = None, most: int | None = None
) -> SelectedTasks | None:
    """Read the tasks of a selection; nothing when there are more than ``most``.

    Args:
        client: lists tasks and instances.
        selection: whose tasks.
        progress: is told how many are known, after every page.
        most: give up beyond so many.

    Raises:
        EngineProblem: the engine did not answer.
    """
    selected_tasks = SelectedTasks(client.engine_now(), selection.ids if isinstance(selection, Marked) else frozenset())
    but = selection.but if isinstance(selection, Everything) else frozenset()
    log, incidents = TaskLog(selected_tasks.at), IncidentTimes()
    async for page in task_pages(client, selection):
        unsure = [task for task in page if lock_state(task, selected_tasks.at) == "either"]
        failures = await last_failures(client, log, incidents, unsure)
        selected_tasks.take((task for task in page if task.id not in but), failures)
        if progress is not None:
            progress(len(selected_tasks.retries))
        if most is not None and len(selected_tasks.retries) > most:
            return None
    return selected_tasks


async def instances_by_activity(client: SelectionLists, selection: Selection) -> dict[str, set[str]]:
    """Activities of the tasks of a selection -> ids of the process instances that have one there.

    Raises:
        EngineProblem: the engine did not answer.
    """
    but = selection.but if isinstance(selection, Everything) else frozenset()
    found: dict[str, set[str]] = {}
    async for page in task_pages(client, selection):
        for task in page:
            if task.id not in but:
                found.setdefault(task.activity_id, set()).add(task.process_instance_id)
    return found


def task_pages(client: SelectionLists, selection: Selection) -> AsyncIterator[list[ExternalTask]]:
    """The tasks of a selection that exist, page by page; a task may be given twice, and those that an operator took out
    are given too.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if isinstance(selection, Marked):
        return _by_ids(client, selection.ids)
    if isinstance(selection, Everything):
        return aiter(pages_by_id(client.external_tasks, selection.query))
    return _by_sources(client, selection)


async def _by_ids(client: SelectionLists, ids: Iterable[str]) -> AsyncIterator[list[ExternalTask]]:
    for some in pieces(sorted(ids)):
        query = among(ExternalTaskQuery(), some)
        assert query is not None
        yield await client.external_tasks(query, 0, len(some))


async def _by_instances(client: SelectionLists, instances: Iterable[str]) -> AsyncIterator[list[ExternalTask]]:
    for some in pieces(sorted(set(instances))):
        async for page in pages_by_id(client.external_tasks, ExternalTaskQuery(process_instance_id_in=list(some))):
            yield page


async def _by_sources(client: SelectionLists, selection: Composed) -> AsyncIterator[list[ExternalTask]]:
    """The union, source by source; no task is taken twice."""
    sources = selection.sources
    if sources.external_task_ids:
        async for page in _by_ids(client, (id for id in sources.external_task_ids if id is not None)):
            yield page
    if sources.external_task_query is not None:
        async for page in pages_by_id(client.external_tasks, sources.external_task_query):
            yield page
    if sources.process_instance_ids:
        async for page in _by_instances(client, (id for id in sources.process_instance_ids if id is not None)):
            yield page
    if sources.process_instance_query is not None:
        async for found in pages_by_id(client.process_instances, sources.process_instance_query):
            async for page in _by_instances(client, (instance.id for instance in found)):
                yield page
    if sources.historic_process_instance_query is not None:
        async for ever in pages_by_id(client.historic_process_instances, sources.historic_process_instance_query):
            async for page in _by_instances(client, (instance.id for instance in ever)):
                yield page
