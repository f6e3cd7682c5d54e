"""What the history says about tasks since a launch: completed, cancelled, failed again.

The external task log is kept at history level full. It can be asked by task one by one only, but by activity instance,
which each task has of its own, for many at once. Tasks whose activity instance is not known are looked for in the
newest entries. At levels audit and activity the log is empty, and the activity instances themselves tell completed from
cancelled; at level none nothing does. A BPMN error cancels the activity that a boundary event interrupts; one that
nothing catches ends the activity and its scope as if it were the last of it (observed on Camunda 7.24.0). The log has
no success of either.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from retriage.console.engine.errors import Refused
from retriage.console.reading.pages import Pages, believed, pieces
from retriage.store.contract.deployments import ProcessDefinitionXml
from retriage.store.contract.history import (
    HistoricActivityInstance,
    HistoricActivityInstanceQuery,
    HistoricExternalTaskLog,
    HistoricExternalTaskLogQuery,
)
from retriage.store.contract.queries import Sorting

Ending = Literal["done", "cancelled", "unkept"]
"""How a task ended that is not there any more; ``unkept`` where no history tells."""

SLICE = 500
"""Activity instances in one question."""

PAGE = 1000
"""Entries of one answer."""

PAGES = 4
"""So many pages of the newest entries are read at once."""

MOST_PAGES = 8
"""So many pages are read of one question's activity instances: tasks that fail for days have thousands of entries."""

ONE_BY_ONE = 20
"""So many activity instances are asked for by id in one look; more are looked for among those that ended last."""

_SLACK = timedelta(seconds=2)
"""The moment of a launch is known to the second."""

NEWEST_FIRST = [Sorting(sort_by="timestamp", sort_order="desc")]
"""The order of the logs of tasks and of jobs."""


class TaskHistory(Protocol):
    """The part of the client that tells what became of external tasks."""

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        """A page of the external task log."""
        ...

    async def historic_activity_instances(
        self, query: HistoricActivityInstanceQuery, first: int, size: int
    ) -> list[HistoricActivityInstance]:
        """A page of activity instances, running or ended."""
        ...

    async def process_definition_xml(self, id: str) -> ProcessDefinitionXml:
        """The BPMN file of a process definition."""
        ...


@dataclass(frozen=True)
class Failed:
    """Failures of one task around a launch.

    Attributes:
        before: message of the last failure before it.
        since: message of the last failure after it.
        again: it has failed since.
        at: when it failed last.
        worker: who reported that.
    """

    before: str | None = None
    since: str | None = None
    again: bool = False
    at: datetime | None = None
    worker: str | None = None


class TaskLog:
    """Asks the log of one engine, until it is known that there is none.

    Args:
        since: when the batch was started, by the engine's clock: what is older belongs to an earlier attempt.
    """

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._newest: Pages[HistoricExternalTaskLog] | None = None
        self._seen: set[str] = set()
        self.missing = False
        """The engine keeps no such log, or does not show it."""
        self._kept = False
        """An entry was seen: what the log does not know has not happened."""
        self._keeps_activities: bool | None = None
        self._files: dict[str, str] = {}
        """BPMN files of process definitions."""
        self.read_back = False
        """The newest entries were read back to the launch."""

    async def failures(self, client: TaskHistory, instances: Sequence[str]) -> dict[str, Failed]:
        """Failures of the tasks of these activity instances, by id of the task."""
        found: dict[str, Failed] = {}
        for entry in sorted(
            await self._of(client, instances, failure_log=True), key=lambda entry: (entry.timestamp, entry.id)
        ):
            old = found.get(entry.external_task_id, Failed())
            last = entry.timestamp, entry.worker_id
            if entry.timestamp >= self.since:
                found[entry.external_task_id] = Failed(old.before, entry.error_message, True, *last)
            else:
                found[entry.external_task_id] = Failed(entry.error_message, old.since, old.again, *last)
        return found

    async def ended(self, client: TaskHistory, instances: Mapping[str, str]) -> dict[str, Ending]:
        """How tasks ended that were not listed, by id. One without proof of an end is left out: it may be there still.

        Args:
            client: is asked.
            instances: id of each task -> its activity instance.

        Returns:
            ``unkept`` rests on empty answers: it is true of tasks that are not listed when they are requested again.
        """
        if self.missing or not await self.keeps(client, list(instances.values())):
            return await self._ended_activities(client, instances)
        found: dict[str, Ending] = {}
        for entry in await self._of(client, instances.values(), success_log=True):
            found[entry.external_task_id] = "done" if entry.timestamp >= self.since else "cancelled"
        if rest := [instance for id, instance in instances.items() if id not in found]:
            deleted = await self._of(client, rest, deletion_log=True)
            found |= dict.fromkeys((entry.external_task_id for entry in deleted), "cancelled")
        if unproven := {id: instance for id, instance in instances.items() if id not in found}:
            # Each task has an entry from its creation on. One without any may not be read by this user.
            going_on = await self.known(client, unproven)
            hidden = {id: instance for id, instance in unproven.items() if id not in going_on}
            found |= await self._ended_activities(client, hidden) if hidden else {}
        return found

    async def known(self, client: TaskHistory, instances: Mapping[str, str]) -> set[str]:
        """Which of these tasks, by id with their activity instances, the log knows: the history of a process may be
        hidden from this user while that of others is not."""
        entries = await self._of(client, instances.values(), creation_log=True)
        return {entry.external_task_id for entry in entries}.intersection(instances)

    async def knows(self, client: TaskHistory, ids: Collection[str]) -> bool:
        """Whether the log is kept, by some tasks of which nothing but the id is known: each is in it from its creation
        on."""
        for id in sorted(ids)[:PAGES]:
            if not self._kept:
                await self._ask(client, HistoricExternalTaskLogQuery(external_task_id=id), 0, 1)
        self.missing = not self._kept
        return self._kept

    async def keeps(self, client: TaskHistory, instances: Sequence[str]) -> bool:
        """Whether the log is kept, by the activity instances of tasks that exist, or did; asked until it is known."""
        query = HistoricExternalTaskLogQuery(activity_instance_id_in=list(instances[:SLICE]))
        if not self._kept and not self.missing and not await self._ask(client, query, 0, 1):
            self.missing = True
        return not self.missing

    async def _ended_activities(self, client: TaskHistory, instances: Mapping[str, str]) -> dict[str, Ending]:
        """The same by activity instances: the last ones that ended, then a few of the others by id."""
        wanted = {instance: id for id, instance in instances.items()}
        found: dict[str, Ending] = {}

        async def take(ended: Iterable[HistoricActivityInstance]) -> None:
            for one in ended:
                if one.end_time is not None and one.id in wanted:
                    completed = not one.canceled and not await self._broke_off(client, one)
                    found[wanted.pop(one.id)] = "done" if completed else "cancelled"

        sorting = [
            Sorting(sort_by="endTime", sort_order="desc"),
            Sorting(sort_by="activityInstanceId", sort_order="asc"),
        ]
        query = HistoricActivityInstanceQuery(finished=True, finished_after=self.since - _SLACK, sorting=sorting)
        newest = Pages(lambda first, size: self._activities(client, query, first, size), size=SLICE)
        while len(wanted) > ONE_BY_ONE and newest.looked < PAGES * SLICE and not newest.ended:
            await take(await newest.next())
        for instance in list(wanted)[:ONE_BY_ONE]:
            by_id = HistoricActivityInstanceQuery(activity_instance_id=instance)
            known = await self._activities(client, by_id, 0, 1)
            await take(known)
            if not known:
                found[wanted.pop(instance)] = "unkept"
                if self._keeps_activities is None:
                    self._keeps_activities = False
        if self._keeps_activities is False:
            found |= dict.fromkeys(wanted.values(), "unkept")
        return found

    async def _broke_off(self, client: TaskHistory, one: HistoricActivityInstance) -> bool:
        """Whether an activity ended its scope although a sequence flow leaves it: by a BPMN error that nothing caught.
        Of an activity that no sequence flow leaves, only the log tells; it is taken for completed."""
        definition = one.process_definition_id
        if not one.complete_scope or one.activity_id is None or definition is None:
            return False
        if definition not in self._files:
            try:
                self._files[definition] = (await client.process_definition_xml(definition)).bpmn20_xml
            except Refused as problem:
                if not problem.says_never:
                    raise
                self._files[definition] = ""
        flow = rf"""<(?:[\w.-]+:)?sequenceFlow\b[^>]*\bsourceRef\s*=\s*["']{re.escape(one.activity_id)}["']"""
        return re.search(flow, self._files[definition]) is not None

    async def lately_completed(self, client: TaskHistory, wanted: Collection[str]) -> set[str]:
        """Which of these tasks were completed since, as far as the newest entries have been read back.

        Every call reads a few pages further; ``read_back`` says when the launch is reached.
        """
        found = self._seen.intersection(wanted)
        for _ in range(PAGES):
            if self.read_back or self.missing:
                break
            entries = await self._newest_of(client).next()
            fresh = {entry.external_task_id for entry in entries if entry.timestamp >= self.since}
            self._seen |= fresh
            found |= fresh.intersection(wanted)
            self.read_back = self._newest_of(client).ended or any(entry.timestamp < self.since for entry in entries)
        return found

    def _newest_of(self, client: TaskHistory) -> Pages[HistoricExternalTaskLog]:
        """The way back through the log, from its newest entry when the way began."""
        if self._newest is None:
            query = HistoricExternalTaskLogQuery(success_log=True, sorting=NEWEST_FIRST)
            self._newest = Pages(lambda first, size: self._ask(client, query, first, size), size=PAGE)
        return self._newest

    def read_anew(self) -> None:
        """The newest entries are read from the newest on again: tasks have gone since."""
        self._newest = None
        self.read_back = False

    async def _of(self, client: TaskHistory, instances: Iterable[str], **events: bool) -> list[HistoricExternalTaskLog]:
        """The entries of these activity instances, of each at least back to the newest one before the launch, as far as
        :data:`MOST_PAGES` of a piece go."""
        entries: list[HistoricExternalTaskLog] = []
        for some in pieces(sorted(instances), SLICE):
            query = HistoricExternalTaskLogQuery(activity_instance_id_in=list(some), sorting=NEWEST_FIRST, **events)
            read = partial(self._ask, client, query)
            older = set(some)
            way: Pages[HistoricExternalTaskLog] = Pages(read, size=PAGE)
            for _ in range(MOST_PAGES):
                page = await way.next()
                entries += page
                older.difference_update(entry.activity_instance_id for entry in page if entry.timestamp < self.since)
                if way.ended or not older:
                    break
        return entries

    async def _ask(
        self, client: TaskHistory, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        if self.missing:
            return []
        try:
            entries = await believed(client.external_task_log, query, first, size)
        except Refused as problem:
            if not problem.says_never:
                raise
            self.missing = True
            return []
        self._kept = self._kept or bool(entries)
        return entries

    async def _activities(
        self, client: TaskHistory, query: HistoricActivityInstanceQuery, first: int, size: int
    ) -> list[HistoricActivityInstance]:
        if self._keeps_activities is False:
            return []
        try:
            found = await believed(client.historic_activity_instances, query, first, size)
        except Refused as problem:
            if not problem.says_never:
                raise
            self._keeps_activities = False
            return []
        if found:
            self._keeps_activities = True
        return found
