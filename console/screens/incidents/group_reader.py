"""Reading incidents by cause: groups that grow while they are read, and keep their places afterwards."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from retriage.console.causes.open_incidents import OpenIncidents
from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.incidents.retried import RetriedBefore
from retriage.console.screens.incidents.rows import row_of
from retriage.console.screens.row_reader import RowReader, RowsView
from retriage.console.session.poller import until_wanted
from retriage.console.text.words import things
from retriage.console.widgets.rows import Row

if TYPE_CHECKING:
    from collections.abc import Collection

    from retriage.console.causes.groups import Group
    from retriage.console.reading.row_filter import RowFilter
    from retriage.console.screens.incidents.subject import GroupSubject
    from retriage.console.screens.subject import SortKey
    from retriage.console.session.snapshot import Snapshot
    from retriage.store.contract.queries import IncidentQuery
    from retriage.store.contract.records import Incident

NOTED = 20
"""Incidents of a page that completion learns values from."""
REDRAWN = 0.25
"""Seconds between two pictures while everything is being read."""


class GroupsShown(NamedTuple):
    """What the screen shows of the open incidents, so that it is drawn again when that differs."""

    incidents: OpenIncidents
    changes: int
    counted: int | None
    exact: bool
    minute: int


class GroupsView(RowsView, Protocol):
    """The screen whose groups are read."""

    @property
    def is_mounted(self) -> bool:
        """Its widgets are there."""
        ...

    def tell_groups(self) -> None:
        """Groups have changed: show the one under the cursor, and what is new."""
        ...


class GroupReader(RowReader):
    """Reads the groups of a table over :class:`~retriage.console.causes.open_incidents.OpenIncidents`.

    Groups are sorted while everything is read for the first time, unless the operator has begun to move. From then on
    a group keeps its line, new groups come to the end, and ``r``, ``o`` and ``O`` sort again.

    Args:
        view: the screen that shows them.
        subject: what the groups are.
    """

    def __init__(self, view: GroupsView, subject: GroupSubject) -> None:
        super().__init__(view)
        self._groups_view = view
        self._groups = subject
        self.open_incidents: OpenIncidents | None = None
        """The incidents that match, grouped; nothing before the engine is open."""
        self.placed: list[str] = []
        """Names of the groups in the order of their lines."""
        self.facts = subject.facts
        self.retried = RetriedBefore(self.session)
        self._wanted: RowFilter | None = None
        """What the console looks for itself; learns of each page that is read."""
        self._drawn_at = -inf
        self._pointed = ""
        """Name of the group that the cursor goes to as soon as it is read; empty for none."""
        self._asked = False
        """The operator wants it to be read, also while paused."""

    def why_not_all_known(self) -> str:
        """The members of the groups that fit are known when everything was read."""
        known = self.open_incidents
        if known is None or known.complete or not known.sieved:
            return ""
        so_far = things(len(known.groups), "incident")
        return f"Still looking: {so_far} so far. All can be taken when all incidents have been read."

    def ids_that_fit(self) -> Collection[str] | None:
        """Ids of the members of all groups, where the engine cannot filter for all of the words."""
        known = self.open_incidents
        return frozenset(known.groups.ids()) if known is not None and known.sieved else None

    # -- reading ----------------------------------------------------------------------------------------------------

    def apply(self, text: str, asked_at: float = inf) -> None:
        """Group what matches this filter."""
        parsed = self._groups.parsed(text)
        if parsed.mistakes:
            return
        query, self._wanted = parsed.query, self.row_filter(parsed, self.facts)
        self._wanted.look()
        finds = self._wanted.finds(self.session.connection.now()) if parsed.conditions else None
        other = text != self.text
        self.text = text
        self.query = query
        self.parsed = (parsed.query, parsed.conditions)
        if other and self.view.table.marks and self.view.table.marked_at < asked_at:
            self.view.table.unmark()
            self.session.news.say("All groups were unmarked, since other incidents match now.", "warning")
        self.matching = None
        self.placed = []
        splits = self.open_incidents.groups.splits if self.open_incidents is not None else None
        self.open_incidents = OpenIncidents(query, self._page, self._counted_now, finds)
        if splits:
            self.open_incidents.groups.splits.update(splits)
        self.retried.forget()
        self.session.watch.grouped = self.open_incidents if not text else None
        self.view.table.empty = "reading …"
        self.view.table.begin()
        self.view.tell_count()
        self.run("groups.fill", partial(self._fill, self.open_incidents))

    async def _page(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        await until_wanted(self._going)
        wanted = self._wanted
        page = await self.session.connection.ask(lambda client: client.incidents(query, first, size), self.fresh)
        self.session.watch.known_values.note(page[:NOTED])
        if wanted is not None:
            await wanted.learn(page, lambda question: self.session.connection.ask(question, self.fresh))
        return page

    async def _counted_now(self, query: IncidentQuery) -> int:
        await until_wanted(self._going)
        return await self.session.connection.ask(lambda client: client.count_incidents(query), self.fresh)

    async def _fill(self, incidents: OpenIncidents) -> None:
        try:
            await incidents.fill(lambda: self._grown(incidents))
        except EngineProblem as problem:
            self._not_read(incidents, problem.sentence)
            return
        self.fresh.heard()
        self._asked = False
        self._settle(incidents)
        await self._find_again(incidents)

    def _grown(self, incidents: OpenIncidents) -> None:
        """More is read: show it, but not more often than an eye can follow."""
        now = time.monotonic()
        if incidents is self.open_incidents and now - self._drawn_at >= REDRAWN:
            self._drawn_at = now
            self.show_groups()

    def _settle(self, incidents: OpenIncidents) -> None:
        """Everything is read."""
        if incidents is not self.open_incidents:
            return
        if not self._touched:
            self._sort_untouched()
        elif len(self.placed) > 1:
            self.session.news.say("All incidents are read; r sorts the groups.", "muted")
        self.show_groups()

    def _not_read(self, incidents: OpenIncidents, sentence: str) -> None:
        if incidents is not self.open_incidents:
            return
        if not self.session.connection.stale:
            self.session.news.say(sentence, "failed")
        if not len(incidents.groups):
            self.view.table.empty = sentence
            self.view.table.refresh()

    def count_soon(self) -> None:
        """Every look does."""

    async def look(self) -> Any:
        """What came since, and from time to time everything again; asked by the poller."""
        incidents = self.open_incidents
        if incidents is None:
            return None
        if not incidents.complete:
            await self._resume(incidents)
            return None
        await incidents.catch_up()
        self.fresh.heard()
        if incidents.overdue and not self.working("groups.again"):
            self.read_again()
        if incidents.exact and not self.text:
            self.session.watch.note_counts(incidents=len(incidents.groups))
        minute = int(time.time() // 60)
        return GroupsShown(incidents, incidents.groups.changes, incidents.counted, incidents.exact, minute)

    async def _resume(self, incidents: OpenIncidents) -> None:
        """Go on with a first reading that has failed, as soon as the engine answers."""
        if not self.working("groups.fill"):
            incidents.counted = await self._counted_now(incidents.query)
            self.run("groups.fill", partial(self._fill, incidents))

    def read_again(self) -> None:
        """Read everything again, unless that is going on or the first reading is: something was changed."""
        if self.open_incidents is not None and self.open_incidents.complete and not self.working("groups.again"):
            self.run("groups.again", partial(self._read_again, self.open_incidents))

    async def _read_again(self, incidents: OpenIncidents) -> None:
        if self._wanted is not None:
            self._wanted.look()
        with suppress(EngineProblem):
            await incidents.read_again(lambda: self._grown(incidents))
        self._asked = False
        if incidents is self.open_incidents:
            self.show_groups()
            if self.retried.overdue:
                await self._find_again(incidents)

    async def _find_again(self, incidents: OpenIncidents) -> None:
        await self.retried.find(incidents)
        if incidents is self.open_incidents:
            self.show_groups()

    def show(self, snapshot: Snapshot[Any]) -> None:
        """Show the groups, if they are those of the filter."""
        found = snapshot.value
        if isinstance(found, GroupsShown) and found.incidents is self.open_incidents and not snapshot.stale:
            self.show_groups()

    def _going(self) -> bool:
        """While paused nothing is read, except what was asked for; a first reading waits."""
        return self._asked or not self.session.watch.paused

    async def refresh(self) -> None:
        """Read everything again, and sort: what came until now is not new any more."""
        self._asked = True
        self.facts.look()
        self.sort_by(self.sort)
        self.read_again()
        await super().refresh()

    # -- places -----------------------------------------------------------------------------------------------------

    @property
    def _touched(self) -> bool:
        """The operator has begun to choose, so that lines stay where they are."""
        return bool(self.view.table.cursor or self.view.table.marks)

    def sort_groups(self) -> None:
        """Sort the groups, and forget those that all members have left."""
        if self.open_incidents is None:
            return
        self.open_incidents.groups.look()
        known = sorted(self.open_incidents.groups, key=lambda group: group.cause.casefold())
        known.sort(key=self._sorted_by, reverse=self.sort.descending)
        self.placed = [group.key for group in known]

    def _sort_untouched(self) -> None:
        """Sort while they are read: the cursor is on the first line, not on the group that was read first."""
        self.sort_groups()
        self.view.table.stay()

    @property
    def in_order(self) -> bool:
        """The lines stand in the order that was asked for; groups that grow, close or are new keep their places."""
        groups = self.open_incidents.groups if self.open_incidents is not None else None
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

    def point_at(self, key: str) -> None:
        """Put the cursor on a group as soon as it is read."""
        self._pointed = key
        self.show_groups()

    def show_groups(self) -> None:
        """Bring the table and what is said about it up to date."""
        incidents = self.open_incidents
        if incidents is None or not self._groups_view.is_mounted:
            return
        if not incidents.complete and not self._touched:
            self._sort_untouched()
        else:
            before = set(self.placed)
            self.placed = [key for key in self.placed if incidents.groups.get(key) is not None]
            self.placed += [group.key for group in incidents.groups if group.key not in before]
        if self.placed or incidents.complete:
            self.matched(len(self.placed))
        if self._pointed in self.placed:
            self.view.table.move_to(self.placed.index(self._pointed))
            self._pointed = ""
        self.put_in_sight()
        self.view.tell_count()
        self._groups_view.tell_groups()

    def put_in_sight(self) -> None:
        """Hand the groups in sight to the table as they are now."""
        table = self.view.table
        if not self.placed:
            return
        table.age()
        if table.cursor_id in self.placed and (at := self.placed.index(table.cursor_id)) != table.cursor:
            table.put(at, [self._line(self.placed[at])])
        first, last = table.window()
        table.put(first, [self._line(key) for key in self.placed[first : last + 1]])

    def read_rows(self, first: int, last: int) -> None:
        """Lines that the table wants are there already."""
        self.view.table.put(first, [self._line(key) for key in self.placed[first : last + 1]])

    def _line(self, key: str) -> Row:
        assert self.open_incidents is not None
        group = self.open_incidents.groups.get(key)
        assert group is not None
        return row_of(group, self.session.connection.now(), self.facts, self.again_of(group))

    def again_of(self, group: Group) -> int | None:
        """How many members failed again after a retry; nothing where that is not known."""
        return None if self.open_incidents is None else self.retried.count(group, self.open_incidents)

    def sort_by(self, sort: SortKey) -> None:
        """Another order; the cursor stays on its group."""
        self.sort = sort
        self.sort_groups()
        self.show_groups()
