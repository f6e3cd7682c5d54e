"""What reads the rows of a list: it is asked for a filter and an order, and hands rows to the table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Coroutine
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from retriage.console.session.freshness import Freshness
from retriage.console.session.poller import Poller

if TYPE_CHECKING:
    from textual.worker import Worker

    from retriage.console.language import Condition, Parsed
    from retriage.console.reading.incident_tasks import TaskFacts
    from retriage.console.reading.row_filter import RowFilter
    from retriage.console.screens.filtered_list import FilteredList
    from retriage.console.screens.subject import ListSubject, SortKey
    from retriage.console.session.session import Session
    from retriage.console.session.snapshot import Snapshot
    from retriage.console.widgets.line_table import LineTable
    from retriage.store.contract.queries import Query


class RowsView(Protocol):
    """The screen whose rows are read."""

    session: Session
    subject: ListSubject[Any]

    @property
    def table(self) -> LineTable:
        """The rows."""
        ...

    @property
    def is_attached(self) -> bool:
        """It has not been left for good."""
        ...

    @property
    def in_front(self) -> bool:
        """Nothing is over it, no dialog either."""
        ...

    def run_worker(self, work: Any, *, group: str, exclusive: bool, exit_on_error: bool) -> Worker[Any]:
        """Run a question that ends with the screen; of a group the last one, where it is exclusive."""
        ...

    def tell_matching(self, number: int) -> None:
        """So many rows match: the table, the pane and the lines show it."""
        ...

    def tell_count(self) -> None:
        """Show how many rows match."""
        ...

    def tell_fresh(self) -> None:
        """Show whether the rows can be read."""
        ...


class RowReader(ABC):
    """Reads what a list shows, and again from time to time while the list is in front.

    Args:
        view: the screen that shows the rows.
    """

    def __init__(self, view: RowsView) -> None:
        self.view = view
        self.session = view.session
        self.subject = view.subject
        self.text = ""
        """The filter as it was typed."""
        self.sort: SortKey = view.subject.sorts[0]
        self.query: Query | None = None
        """What is asked for; nothing before the engine is open."""
        self.matching: int | None = None
        """How many rows match, once they are counted."""
        self.filtered_list: FilteredList | None = None
        """Who filters the rows, where the filter holds words that the engine does not know."""
        self.parsed: tuple[Query, tuple[Condition, ...]] | None = None
        """What the filter was read as."""
        self.fresh = Freshness(lambda: self._poller.rests if self._poller is not None else None, view.tell_fresh)
        """What became of the last question for the rows."""
        self._poller: Poller[Any] | None = None
        self._workers: dict[str, Worker[Any]] = {}

    @abstractmethod
    def apply(self, text: str, asked_at: float = inf) -> None:
        """Show what matches a filter, from the first row on; one with a mistake changes nothing.

        Args:
            text: the filter.
            asked_at: when the operator asked for it: what was marked later stays marked.
        """

    @abstractmethod
    def sort_by(self, sort: SortKey) -> None:
        """Show the rows in another order."""

    @abstractmethod
    def read_rows(self, first: int, last: int) -> None:
        """Hand the rows of these indexes to the table as soon as they are known."""

    @abstractmethod
    def count_soon(self) -> None:
        """The next look counts the rows too."""

    @abstractmethod
    async def look(self) -> Any:
        """What is so now; asked again and again.

        Raises:
            EngineProblem: the engine did not answer.
        """

    @abstractmethod
    def show(self, snapshot: Snapshot[Any]) -> None:
        """Show what a look has found."""

    def why_not_all_known(self) -> str:
        """One sentence while rows that fit may be unknown; empty when all are known, or the engine finds them."""
        filtered = self.filtered_list
        return filtered.not_yet(self.subject.thing.lower()) if filtered is not None and not filtered.exact else ""

    def ids_that_fit(self) -> Collection[str] | None:
        """Ids of all rows that fit, where the engine's part of the filter matches more; else nothing."""
        return self.filtered_list.ids if self.filtered_list is not None else None

    def row_filter(self, parsed: Parsed[Any], facts: TaskFacts | None = None) -> RowFilter:
        """What the console looks for itself of a filter; said where nobody could tell."""
        wanted = self.subject.row_filter(parsed, self.session.watch.retried, facts)
        if wanted.remembers and self.session.memory.journal is None:
            self.session.news.say("Without a journal nobody knows what was retried from here.", "warning")
        return wanted

    def start(self) -> None:
        """Begin to read as soon as the engine is open."""
        self.run("list.start", self._start, exclusive=False)

    async def _start(self) -> None:
        await self.session.connection.opened()
        self.apply(self.text)
        self._poller = Poller(self.look, self.show, interval=self._interval, wanted=self.wanted)
        self._poller.start()

    def heed_capabilities(self) -> None:
        """More is known of what the engine can: the filter may be carried out by somebody else now."""
        if self.query is None:
            return
        parsed = self.subject.parsed(self.text)
        if parsed.mistakes:
            self.session.news.say(f"The filter was removed. {parsed.mistakes[0].sentence}", "warning")
            self.apply("")
        elif self.subject.sortable(self.sort) != self.sort or _said(parsed) != self.parsed:
            self.apply(self.text)

    def heed_pace(self) -> None:
        """Read as often as the session does."""
        if self._poller is not None:
            self._poller.every(self._interval)

    def wanted(self) -> bool:
        """The list is in front, and nobody has paused."""
        return self.view.in_front and not self.session.watch.paused

    async def refresh(self) -> None:
        """Read now, also while paused."""
        if self._poller is not None:
            await self._poller.refresh(anew=self.session.connection.state.silent)

    def close(self) -> None:
        """Read no more."""
        if self._poller is not None:
            self._poller.close()

    def run(self, group: str, work: Callable[[], Coroutine[Any, Any, None]], *, exclusive: bool = True) -> None:
        """Run a question that ends with the screen; where it is exclusive a newer one of its group ends it."""
        self._workers[group] = self.view.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)

    def working(self, group: str) -> bool:
        """Whether a question of this group is under way."""
        worker = self._workers.get(group)
        return worker is not None and worker.is_running

    def matched(self, number: int | None) -> None:
        """So many rows match; nothing where that is not known."""
        if number is not None:
            self.matching = number
            self.view.tell_matching(number)

    @property
    def _interval(self) -> float:
        """Seconds between two readings: the more questions one takes, the longer."""
        return self.session.watch.pace * self.subject.questions


def _said(parsed: Parsed[Any]) -> tuple[Query, tuple[Condition, ...]]:
    return parsed.query, parsed.conditions
