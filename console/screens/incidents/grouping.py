"""The part of the incidents view that reads: groups that grow while they are read, and keep their places afterwards."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import work

from console.screens.incidents.retried import RetriedBefore
from console.screens.incidents.rows import row_of
from console.screens.incidents.subject import GroupSubject
from console.screens.listing import ListScreen
from console.screens.subject import SortKey
from console.session.session import News, Session
from console.widgets.rows import Row

if TYPE_CHECKING:
    from console.causes.groups import Group
    from console.causes.open_incidents import OpenIncidents
    from console.session.snapshot import Snapshot
    from store.contract.queries import IncidentQuery
    from store.contract.records import Incident

NOTED = 20
"""Incidents of a page that completion learns values from."""
REDRAWN = 0.25
"""Seconds between two pictures while everything is being read."""


class GroupsShown(NamedTuple):
    """What the screen shows of a book, so that it is drawn again when that differs."""

    book: OpenIncidents
    changes: int
    counted: int | None
    exact: bool
    minute: int


class GroupingScreen(ListScreen):
    """A table of groups over an :class:`~console.causes.open_incidents.IncidentBook`.

    Groups are sorted while everything is read for the first time, unless the operator has begun to move. From then on
    a group keeps its line, new groups come to the end, and ``r``, ``o`` and ``O`` sort again.
    """

    def __init__(self, session: Session) -> None:
        from console.causes.task_facts import TaskFacts

        self._groups = GroupSubject()
        super().__init__(session, self._groups)
        self.book: OpenIncidents | None = None
        self.placed: list[str] = []
        """Names of the groups in the order of their lines."""
        self.facts = TaskFacts()
        self.retried = RetriedBefore(session)
        self._drawn_at = -inf
        self._going = asyncio.Event()
        self._going.set()

    # -- reading ----------------------------------------------------------------------------------------------------

    def _apply(self, text: str, asked_at: float = inf) -> None:
        """Group what matches this filter."""
        from console.causes.open_incidents import OpenIncidents

        found = self._groups.sieve(text)
        if found is None:
            return
        query, wanted = found
        other = text != self.filter_text
        self.filter_text = text
        self._query = query
        if other and self.table.marks and self.table.marked_at < asked_at:
            self.table.unmark()
            self.session.say("All groups were unmarked, since other incidents match now.", "warning")
        self.matching = None
        self.placed = []
        splits = self.book.groups.splits if self.book is not None else None
        self.book = OpenIncidents(query, self._page, self._counted_now, wanted)
        if splits:
            self.book.groups.splits.update(splits)
        self.retried.forget()
        self.session.grouped = self.book if not text else None
        self.table.empty = "reading …"
        self.table.begin()
        self._tell_count()
        self._fill(self.book)

    async def _page(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        await self._going.wait()
        page = await self.session.ask(lambda client: client.incidents(query, first, size), self.fresh)
        self.session.known.note(page[:NOTED])
        return page

    async def _counted_now(self, query: IncidentQuery) -> int:
        await self._going.wait()
        return await self.session.ask(lambda client: client.count_incidents(query), self.fresh)

    @work(group="groups.fill", exclusive=True, exit_on_error=False)
    async def _fill(self, book: OpenIncidents) -> None:
        from console.engine.errors import EngineProblem

        try:
            await book.fill(lambda: self._grown(book))
        except EngineProblem as problem:
            self._not_read(book, problem.sentence)
            return
        self.fresh.heard()
        self._heed_going()
        self._settle(book)
        await self._find_again(book)

    def _grown(self, book: OpenIncidents) -> None:
        """More is read: show it, but not more often than an eye can follow."""
        now = time.monotonic()
        if book is self.book and now - self._drawn_at >= REDRAWN:
            self._drawn_at = now
            self.show_groups()

    def _settle(self, book: OpenIncidents) -> None:
        """Everything is read."""
        if book is not self.book:
            return
        if not self._touched:
            self.sort_groups()
        elif len(self.placed) > 1:
            self.session.say("All incidents are read; r sorts the groups.", "muted")
        self.show_groups()

    def _not_read(self, book: OpenIncidents, sentence: str) -> None:
        if book is not self.book:
            return
        if not self.session.stale:
            self.session.say(sentence, "failed")
        if not len(book.groups):
            self.table.empty = sentence
            self.table.refresh()

    async def _look(self) -> Any:
        """What came since, and from time to time everything again; asked by the poller."""
        book = self.book
        if book is None:
            return None
        if not book.complete:
            await self._resume(book)
            return None
        await book.catch_up()
        self.fresh.heard()
        if book.overdue and not self._working("groups.again"):
            self._read_again(book)
        if book.exact and not self.filter_text:
            self.session.count(incidents=len(book.groups))
        return GroupsShown(book, book.groups.changes, book.counted, book.exact, int(time.time() // 60))

    async def _resume(self, book: OpenIncidents) -> None:
        """Go on with a first reading that has failed, as soon as the engine answers."""
        if not self._working("groups.fill"):
            book.counted = await self._counted_now(book.query)
            self._fill(book)

    def _working(self, group: str) -> bool:
        return any(worker.group == group and worker.is_running and worker.node is self for worker in self.workers)

    @work(group="groups.again", exclusive=True, exit_on_error=False)
    async def _read_again(self, book: OpenIncidents) -> None:
        from console.engine.errors import EngineProblem

        with suppress(EngineProblem):
            await book.read_again(lambda: self._grown(book))
        self._heed_going()
        if book is self.book:
            self.show_groups()
            if self.retried.overdue:
                await self._find_again(book)

    async def _find_again(self, book: OpenIncidents) -> None:
        await self.retried.find(book)
        if book is self.book:
            self.show_groups()

    def _show_picture(self, snapshot: Snapshot[Any]) -> None:
        told = snapshot.value
        if isinstance(told, GroupsShown) and told.book is self.book and not snapshot.stale:
            self.show_groups()

    def _heed_pause(self) -> None:
        super()._heed_pause()
        self._heed_going()

    def _heed_going(self) -> None:
        """While paused nothing is read, except what was asked for."""
        (self._going.clear if self.session.paused else self._going.set)()

    def action_refresh(self) -> None:
        """Read everything again, and sort: what came until now is not new any more."""
        self._going.set()
        self.facts.look()
        self.sort_again(self.sort)
        if self.book is not None and self.book.complete and not self._working("groups.again"):
            self._read_again(self.book)
        super().action_refresh()

    def on_news(self, news: News) -> None:
        """What a launch changes is looked at soon."""
        super().on_news(news)
        if news == "state":
            self._heed_going()

    # -- places -----------------------------------------------------------------------------------------------------

    @property
    def _touched(self) -> bool:
        """The operator has begun to choose, so that lines stay where they are."""
        return bool(self.table.cursor or self.table.marks)

    def sort_groups(self) -> None:
        """Sort the groups, and forget those that all members have left."""
        if self.book is None:
            return
        self.book.groups.look()
        known = sorted(self.book.groups, key=lambda group: group.cause.casefold())
        known.sort(key=self._sorted_by, reverse=self.sort.descending)
        self.placed = [group.key for group in known]

    @property
    def in_order(self) -> bool:
        """The lines stand in the order that was asked for; groups that grow, close or are new keep their places."""
        groups = self.book.groups if self.book is not None else None
        values = [self._sorted_by(group) for key in self.placed if groups and (group := groups.get(key)) is not None]
        pairs = pairwise(reversed(values) if self.sort.descending else values)
        return all(one <= other for one, other in pairs)

    def _sorted_by(self, group: Group) -> Any:
        if self.sort.key == "count":
            return group.count
        return group.cause.casefold() if self.sort.key == "cause" else self._moment(group)

    def _moment(self, group: Group) -> datetime:
        span = group.span()
        return datetime.min.replace(tzinfo=UTC) if span is None else span[0 if self.sort.key == "first" else 1]

    def show_groups(self) -> None:
        """Bring the table and what is said about it up to date."""
        book = self.book
        if book is None or not self.is_mounted:
            return
        if not book.complete and not self._touched:
            self.sort_groups()
        else:
            before = set(self.placed)
            self.placed = [key for key in self.placed if book.groups.get(key) is not None]
            self.placed += [group.key for group in book.groups if group.key not in before]
        if self.placed or book.complete:
            self._matched(len(self.placed))
        self._put_in_sight()
        self._tell_count()

    def _put_in_sight(self) -> None:
        table = self.table
        if not self.placed:
            return
        table.age()
        if table.cursor_id in self.placed and (at := self.placed.index(table.cursor_id)) != table.cursor:
            table.put(at, [self._line(self.placed[at])])
        first, last = table.window()
        table.put(first, [self._line(key) for key in self.placed[first : last + 1]])

    async def _read(self, first: int, size: int) -> None:
        """Lines that the table wants are there already."""
        self.table.put(first, [self._line(key) for key in self.placed[first : first + size]])

    def _line(self, key: str) -> Row:
        assert self.book is not None
        group = self.book.groups.get(key)
        assert group is not None
        return row_of(group, datetime.now(UTC), self.facts, self.again_of(group))

    def again_of(self, group: Group) -> int | None:
        """How many members failed again after a retry; nothing where that is not known."""
        return None if self.book is None else self.retried.count(group, self.book)

    def sort_again(self, sort: SortKey) -> None:
        """Another order; the cursor stays on its group."""
        self.sort = sort
        self.sort_groups()
        self.show_groups()
