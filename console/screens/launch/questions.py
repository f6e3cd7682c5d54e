"""The launch dialog: what it asks the engine and the journal, most wanted first, and again while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import work
from textual.screen import ModalScreen

from console.launch.record import READ_MOST
from console.launch.send import DecidedLaunch
from console.reading.selection import Everything, Marked, Selection, named_by_query
from console.session import saved_filters
from console.text.words import count

if TYPE_CHECKING:
    from textual.timer import Timer

    from console.launch.counts import SelectionCounts
    from console.launch.earlier_launches import EarlierLaunches
    from console.launch.overlapping_batches import OverlappingBatch, TopicWithoutWorker
    from console.reading.selected_tasks import SelectedTasks
    from console.session.session import Session

DRIFT_EVERY = 5.0
"""Seconds between two looks at how many match by now."""
TOPICS_READ = 100
"""So many tasks of a query that is too large to be read tell its topics."""


class Gathering(ModalScreen[DecidedLaunch | None]):
    """What is known of the selection."""

    session: Session
    selection: Selection

    def __init__(self) -> None:
        super().__init__()
        self._forget()
        self._drift: Timer | None = None

    def _forget(self) -> None:
        self.facts: SelectionCounts | None = None
        self.roll: SelectedTasks | None = None
        self.settled: Selection = Marked(frozenset())
        self.again: int | None = None
        """How many failed again after an earlier retry; none while that is not known."""
        self.rivals: Sequence[OverlappingBatch] = ()
        self.workerless: Sequence[TopicWithoutWorker] = ()
        self.record: EarlierLaunches | None = None
        """What the last launches over the topic with most tasks came to, where that is known."""
        self.now_matching: int | None = None
        """How many match, or exist, by now."""

    def write(self) -> None:
        """Show what is so now."""
        raise NotImplementedError

    def counting(self, sentence: str) -> None:
        """Nothing can be shown yet."""
        raise NotImplementedError

    def failed(self, sentence: str) -> None:
        """It could not be counted."""
        raise NotImplementedError

    @work(group="launch.gather", exclusive=True, exit_on_error=False)
    async def gather(self) -> None:
        """Ask everything from the beginning."""
        from console.engine.errors import EngineProblem

        self._forget()
        if self._drift is not None:
            self._drift.stop()
        try:
            await self._count()
        except EngineProblem as problem:
            self.failed(problem.sentence)
            return
        self.write()
        for question in (self._read, self._look_around, self._remember):
            with suppress(EngineProblem):
                await question()
            self.write()
        self._drift = self.set_interval(DRIFT_EVERY, self._look_again)

    async def _count(self) -> None:
        """Counts where the engine is told a query; else the tasks themselves, which its ids are taken from."""
        from console.launch.counts import count_selection
        from console.reading.selected_tasks import read_selected_tasks

        selection = self.selection
        self.settled = selection
        if isinstance(selection, Everything) and named_by_query(selection):
            self.facts = await self.session.ask(lambda client: count_selection(client, selection.query))
            return
        self.roll = await self.session.ask(lambda client: read_selected_tasks(client, selection, self._progress))
        assert self.roll is not None
        self.facts = self.roll.facts()

    def _progress(self, number: int) -> None:
        self.counting(f"reading the tasks … {count(number)}")

    async def _read(self) -> None:
        """The tasks of a query, up to a number: for the journal, and to see who else works on them."""
        from console.reading.selected_tasks import read_selected_tasks

        if self.roll is None and self.facts is not None and 0 < self.facts.asked <= READ_MOST:
            roll = await self.session.ask(lambda client: read_selected_tasks(client, self.selection, most=READ_MOST))
            self.roll = roll

    async def _look_around(self) -> None:
        """Other batches at work, and whether workers are."""
        from console.launch.overlapping_batches import overlapping_batches, topics_without_worker

        facts, journal = self.facts, self.session.journal
        if facts is None or not facts.asked:
            return
        ids = self.roll.retries.keys() if self.roll is not None else None
        self.rivals = await self.session.ask(lambda client: overlapping_batches(client, journal, ids))
        self.write()
        topics = await self._topics()
        self.workerless = await self.session.ask(
            lambda client: topics_without_worker(client, topics, datetime.now(UTC))
        )
        self.write()
        if topics:
            self.record = await saved_filters.record(self.session, topics[0])

    async def _topics(self) -> list[str]:
        """Topics of the tasks, those with the most tasks first."""
        if self.roll is not None:
            return [topic for topic, _ in self.roll.topics.most_common()]
        query = self.selection.query if isinstance(self.selection, Everything) else None
        if query is None or query.topic_name:
            return [query.topic_name] if query is not None and query.topic_name else []
        some = await self.session.ask(lambda client: client.external_tasks(query, 0, TOPICS_READ))
        return sorted({task.topic_name for task in some})

    async def _remember(self) -> None:
        """Who failed again after a launch from here."""
        if self.session.journal is not None and self.roll is not None:
            failed = [id for id, has in self.roll.retries.items() if has == 0]
            self.again = len(await saved_filters.retried(self.session, failed))

    @work(group="launch.drift", exclusive=True, exit_on_error=False)
    async def _look_again(self) -> None:
        """How many match by now."""
        from console.engine.errors import EngineProblem

        if self.session.paused or self.facts is None:
            return
        with suppress(EngineProblem):
            number = await self._now()
            if number is not None and number != self.now_matching:
                self.now_matching = number
                self.write()

    async def _now(self) -> int | None:
        selection = self.selection
        query = selection.query if isinstance(selection, Everything) else None
        if isinstance(selection, Marked) and selection.origin is not None:
            query = selection.origin
        if query is None or (isinstance(selection, Everything) and selection.but):
            return None
        return await self.session.ask(lambda client: client.count_external_tasks(query))
