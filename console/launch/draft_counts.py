"""What a draft selects, counted while it is written: first the engine's counts, then page by page what they are.

One question is asked at a time. Every step gives a picture of what is known so far; whoever looks may stop after any of
them. A task that several sources name is counted once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from retriage.console.engine.client import EngineClient
from retriage.console.engine.total_order import in_order_of_ids
from retriage.console.language import SUBJECTS, Parsed
from retriage.console.launch.breakdown import Breakdown, breakdowns_of
from retriage.console.launch.draft import Draft, Source
from retriage.console.launch.earlier_launches import EarlierLaunches
from retriage.console.launch.overlapping_batches import TopicWithoutWorker, topics_without_worker
from retriage.console.nouns import NOUNS
from retriage.console.reading.filtered_pages import FilteredPages
from retriage.console.reading.pages import Pages, Read, pieces
from retriage.console.reading.row_filter import Retried, RowFilter
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

T = TypeVar("T")
Ask = Callable[[Callable[[EngineClient], Awaitable[T]]], Awaitable[T]]
"""Puts a question to the engine."""

MOST = 50_000
"""Rows that are looked at for a breakdown when the engine can count the rest itself."""
NAMED = 200
"""Ids in one question."""
BUSIEST = 3
"""Topics that are looked at for a sign of a worker."""


@dataclass
class SourceCounts:
    """What one source selects.

    Attributes:
        matched: rows that the engine counts: tasks, or instances; nothing before it was asked.
        looked: rows that were looked at.
        kept: of those, the ones that fit what the console looks for.
        tasks: external tasks that it names, as far as they are known.
        ended: all its rows were looked at.
    """

    matched: int | None = None
    looked: int = 0
    kept: int = 0
    tasks: int = 0
    ended: bool = False


@dataclass
class DraftCounts:
    """What is known so far.

    Attributes:
        sources: field of a source -> what it selects.
        ids: ids of the rows selected, each one once.
        healthy: tasks among them that have no need of a retry: some retries left, or never failed.
        breakdown: trait -> value -> rows.
        quiet: topics where no worker was seen lately.
        record: what the last launches over the topic with most tasks came to, where that is known.
        exact: everything was looked at.
        cut: the breakdown stops here, although there is more.
        at: when the last question was answered.
        seconds: time that the questions took.
    """

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    healthy: int = 0
    breakdown: dict[str, Counter[str]] = field(default_factory=dict)
    quiet: tuple[TopicWithoutWorker, ...] = ()
    record: EarlierLaunches | None = None
    exact: bool = False
    cut: bool = False
    at: datetime | None = None
    seconds: float = 0.0


async def count_draft(
    ask: Ask[Any],
    draft: Draft,
    now: datetime,
    *,
    most: int | None = MOST,
    retried: Retried | None = None,
    record: Callable[[str], Awaitable[EarlierLaunches | None]] | None = None,
) -> AsyncIterator[DraftCounts]:
    """Count a draft that has no mistake.

    Args:
        ask: puts a question to the engine.
        draft: what is counted.
        now: the moment that times count from.
        retried: which of some tasks were retried from here before; nobody knows if it is not given.
        record: what the last launches over a topic came to; nobody knows if it is not given.
        most: rows to look at where the engine's own count is enough; ``None`` looks at all of them.

    Raises:
        EngineProblem: the engine did not answer.
    """
    counting = _Counting(ask, draft, now, most, retried, record if draft.request else None)
    async for _ in counting.steps():
        counting.tally.at = datetime.now(UTC)
        yield counting.tally


class _Counting:
    def __init__(
        self,
        ask: Ask[Any],
        draft: Draft,
        now: datetime,
        most: int | None,
        retried: Retried | None,
        record: Callable[[str], Awaitable[EarlierLaunches | None]] | None,
    ) -> None:
        self._retried = retried
        self._record = record
        self._ask = ask
        self._draft = draft
        self._now = now
        self._most = most
        self._traits: Sequence[Breakdown] = breakdowns_of("tasks" if draft.request else draft.sources[0].subject, now)
        self.tally = DraftCounts(breakdown={trait.name: Counter() for trait in self._traits})

    async def steps(self) -> AsyncIterator[None]:
        """One step per question, or thereabouts."""
        for source in self._chosen():
            told = self.tally.sources[source.field] = SourceCounts()
            if source.subject:
                told.matched = await self._count(source)
                yield
        for source in self._chosen():
            async for _ in self._rows(source):
                yield
        self.tally.exact = not self.tally.cut
        yield
        async for _ in self._workers():
            yield

    def _chosen(self) -> list[Source]:
        return self._draft.chosen or ([] if self._draft.request else list(self._draft.sources))

    async def _count(self, source: Source) -> int:
        query = self._draft.parsed(source).query
        answer: int = await self._ask(lambda client: getattr(client, NOUNS[source.subject].counted)(query))
        return answer

    def _rows(self, source: Source) -> AsyncIterator[None]:
        if source.subject and not source.whole:
            return self._own(source)
        if source.subject:
            return self._of_query(source)
        if source.whole:
            return self._of_instances(source, self._draft.ids(source), last=True)
        return self._by_id(source)

    async def _own(self, source: Source) -> AsyncIterator[None]:
        """Rows that the source lists itself."""
        told, parsed = self.tally.sources[source.field], self._draft.parsed(source)
        pages = self._filter_here(source, parsed)
        while not pages.ended:
            before = len(pages.kept)
            await pages.next()
            told.looked, told.kept = pages.looked, len(pages.kept)
            told.tasks = told.kept
            for row in pages.kept[before:]:
                self._add(row)
            told.ended = pages.ended
            yield
            if parsed.plain and self._most is not None and told.looked >= self._most and not pages.ended:
                self.tally.cut = True
                return

    async def _of_query(self, source: Source) -> AsyncIterator[None]:
        """Tasks of the instances that a query lists."""
        told = self.tally.sources[source.field]
        pages = self._filter_here(source, self._draft.parsed(source))
        while not pages.ended:
            before = len(pages.kept)
            await pages.next()
            told.looked, told.kept = pages.looked, len(pages.kept)
            yield
            async for _ in self._of_instances(source, [row.id for row in pages.kept[before:]], last=pages.ended):
                yield

    async def _of_instances(self, source: Source, ids: list[str], *, last: bool) -> AsyncIterator[None]:
        """All tasks of instances."""
        told = self.tally.sources[source.field]
        for some in pieces(ids, NAMED):
            query = in_order_of_ids(ExternalTaskQuery(process_instance_id_in=list(some)))
            async for rows in Pages(self._read("tasks", query)):
                self._take(told, rows)
                yield
        if not source.subject:
            told.looked = told.kept = len(ids)
        told.ended = last

    async def _by_id(self, source: Source) -> AsyncIterator[None]:
        """Tasks that are named; those that are gone are counted among the rows looked at."""
        told, ids = self.tally.sources[source.field], self._draft.ids(source)
        read = 0
        for some in pieces(ids, NAMED):
            query = ExternalTaskQuery(external_task_id_in=list(some))
            rows: list[ExternalTask] = await self._read("tasks", query)(0, len(some))
            read += len(some)
            told.looked, told.kept = read, told.kept + len(rows)
            self._take(told, rows)
            told.ended = read == len(ids)
            yield

    async def _workers(self) -> AsyncIterator[None]:
        """Where no worker was seen, and what became of the last launches."""
        topics = [topic for topic, _ in self.tally.breakdown.get("topic", Counter()).most_common(BUSIEST)]
        for topic in topics:
            quiet = await self._ask(partial(topics_without_worker, topics=[topic], now=self._now))
            if quiet:
                self.tally.quiet = (*self.tally.quiet, *quiet)
                yield
        if topics and self._record is not None:
            self.tally.record = await self._record(topics[0])
            yield

    def _filter_here(self, source: Source, parsed: Parsed[Any]) -> FilteredPages[Any]:
        read = self._read(source.subject, in_order_of_ids(parsed.query))
        wanted = RowFilter(parsed.conditions, SUBJECTS[source.subject], self._retried)

        async def page(first: int, size: int) -> list[Any]:
            rows = await read(first, size)
            await wanted.learn(rows, self._ask)
            return rows

        return FilteredPages(page, _id, wanted.finds(self._now))

    def _read(self, subject: str, query: Any) -> Read[Any]:
        name = NOUNS[subject].listed
        return lambda first, size: self._ask(lambda client: getattr(client, name)(query, first, size))

    def _take(self, told: SourceCounts, rows: Sequence[ExternalTask]) -> None:
        told.tasks += len(rows)
        for row in rows:
            self._add(row)

    def _add(self, row: Any) -> None:
        if row.id in self.tally.ids:
            return
        self.tally.ids.add(row.id)
        self.tally.healthy += isinstance(row, ExternalTask) and row.retries != 0
        for trait in self._traits:
            self.tally.breakdown[trait.name][trait.value(row)] += 1


def _id(row: Any) -> str:
    return str(row.id)
