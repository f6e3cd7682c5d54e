"""What the external task log says about tasks since a launch: completed, cancelled, failed again.

The log is kept at history level full. It can be asked by task one by one only, but by activity instance, which each
task has of its own, for many at once. Tasks whose activity instance is not known are looked for in the newest entries.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from console.engine.errors import Refused
from console.reading.pages import Pages, pieces
from store.contract.history import HistoricExternalTaskLog, HistoricExternalTaskLogQuery
from store.contract.queries import Sorting

SLICE = 500
"""Activity instances in one question."""

PAGE = 1000
"""Entries of one answer."""

PAGES = 4
"""So many pages of the newest entries are read at once."""

MOST_PAGES = 8
"""So many pages are read of one question's activity instances: tasks that fail for days have thousands of entries."""

_NEWEST_FIRST = [Sorting(sort_by="timestamp", sort_order="desc")]


class TaskHistory(Protocol):
    """The part of the client that tells what became of external tasks."""

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        """A page of the external task log."""
        ...


@dataclass(frozen=True)
class Failed:
    """Failures of one task around a launch.

    Attributes:
        before: message of the last failure before it.
        since: message of the last failure after it.
        again: it has failed since.
    """

    before: str | None = None
    since: str | None = None
    again: bool = False


class TaskLog:
    """Asks the log of one engine, until it is known that there is none.

    Args:
        since: when the batch was started, by the engine's clock: what is older belongs to an earlier attempt.
    """

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._newest: Pages[HistoricExternalTaskLog] | None = None
        self._seen: set[str] = set()
        self.missing = False
        """The engine has no such log, or does not show it."""
        self.read_back = False
        """The newest entries were read back to the launch."""

    async def completed(self, client: TaskHistory, instances: Sequence[str]) -> set[str]:
        """Ids of the tasks of these activity instances that a worker has completed since."""
        entries = await self._of(client, instances, success_log=True)
        return {entry.external_task_id for entry in entries if entry.timestamp >= self._since}

    async def failures(self, client: TaskHistory, instances: Sequence[str]) -> dict[str, Failed]:
        """Failures of the tasks of these activity instances, by id of the task."""
        found: dict[str, Failed] = {}
        for entry in sorted(
            await self._of(client, instances, failure_log=True), key=lambda entry: (entry.timestamp, entry.id)
        ):
            old = found.get(entry.external_task_id, Failed())
            if entry.timestamp >= self._since:
                found[entry.external_task_id] = Failed(old.before, entry.error_message, True)
            else:
                found[entry.external_task_id] = Failed(entry.error_message, old.since, old.again)
        return found

    async def lately_completed(self, client: TaskHistory, wanted: Collection[str]) -> set[str]:
        """Which of these tasks were completed since, as far as the newest entries have been read back.

        Every call reads a few pages further; ``read_back`` says when the launch is reached.
        """
        found = self._seen.intersection(wanted)
        for _ in range(PAGES):
            if self.read_back or self.missing:
                break
            entries = await self._newest_of(client).next()
            fresh = {entry.external_task_id for entry in entries if entry.timestamp >= self._since}
            self._seen |= fresh
            found |= fresh.intersection(wanted)
            self.read_back = self._newest_of(client).ended or any(entry.timestamp < self._since for entry in entries)
        return found

    def _newest_of(self, client: TaskHistory) -> Pages[HistoricExternalTaskLog]:
        """The way back through the log, from its newest entry when the way began."""
        if self._newest is None:
            query = HistoricExternalTaskLogQuery(success_log=True, sorting=_NEWEST_FIRST)
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
            query = HistoricExternalTaskLogQuery(activity_instance_id_in=list(some), sorting=_NEWEST_FIRST, **events)
            read = partial(self._ask, client, query)
            older = set(some)
            way: Pages[HistoricExternalTaskLog] = Pages(read, size=PAGE)
            for _ in range(MOST_PAGES):
                page = await way.next()
                entries += page
                older.difference_update(entry.activity_instance_id for entry in page if entry.timestamp < self._since)
                if way.ended or not older:
                    break
        return entries

    async def _ask(
        self, client: TaskHistory, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        if self.missing:
            return []
        try:
            return await client.external_task_log(query, first, size)
        except Refused as problem:
            if not problem.says_never:
                raise
            self.missing = True
            return []
