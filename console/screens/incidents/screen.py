"""Incidents by cause: which errors there are, how many, how they grow, and what can be done about one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.reading.incident_tasks import MOST_ASKED, SLICE
from retriage.console.screens.incidents.group_reader import GroupReader
from retriage.console.screens.incidents.group_verbs import GroupVerbs
from retriage.console.screens.incidents.members import MembersScreen
from retriage.console.screens.incidents.panes import group_lines, group_pane, sample_pane, told_of
from retriage.console.screens.incidents.subject import GroupSubject
from retriage.console.screens.listing import LIST_CSS, ListScreen
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, count, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.filter_line import FilterLine
from retriage.console.widgets.line import Line, Span
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.note import Note
from retriage.console.widgets.pane import Item, Pane, Prose
from retriage.console.widgets.rows import Row

if TYPE_CHECKING:
    from retriage.console.causes.group_members import GroupMember
    from retriage.console.causes.groups import Group
    from retriage.console.causes.open_incidents import OpenIncidents

FEW = 12
"""Members whose tasks are asked for first: as many as the pane shows."""


class IncidentsScreen(ListScreen):
    """Open incidents by cause."""

    CSS_PATH = [*LIST_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("incidents", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"incidents"}))
    VIEW: ClassVar[str] = "incidents"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        subject = GroupSubject()
        super().__init__(session, subject, lambda _: GroupReader(self, subject))
        assert isinstance(self.reader, GroupReader)
        self.groups = self.reader
        self.attach(GroupVerbs(self, self.groups, self.group))
        self.add_class("groups")
        self._sampled: dict[str, int] = {}

    def body(self) -> Iterable[Widget]:
        """Filter line, groups, the group under the cursor and one of its messages, what is new."""
        yield FilterLine(self._advise, self.subject.completed, id="filter")
        yield Note(id="advice")
        table = LineTable(self.subject.columns, markable=self.MARKABLE, id="rows")
        table.add_class("framed")
        yield table
        with Horizontal(id="lower"):
            yield Pane("", id="detail", classes="framed")
            yield Pane("", id="sample", classes="framed")
        yield Line(id="looked")

    # -- showing ----------------------------------------------------------------------------------------------------

    def tell_groups(self) -> None:
        """The panes, and what is new."""
        self.show_detail(self.table.row)
        self._tell_new()

    def point_at(self, key: str) -> None:
        """Put the cursor on a group as soon as it is read."""
        self.groups.point_at(key)

    def group(self) -> Group | None:
        """The group under the cursor as it is now."""
        row = self.table.row
        return (
            self.groups.open_incidents.groups.get(row.id)
            if row is not None and self.groups.open_incidents is not None
            else None
        )

    def sample(self, group: Group) -> GroupMember | None:
        """The member whose message is shown."""
        if not group.samples:
            return None
        return group.samples[self._sampled.get(group.key, 0) % len(group.samples)]

    def show_detail(self, row: Row | None) -> None:
        """Both panes, and ask for the tasks of the group when the cursor rests on it."""
        group = self.group()
        pane, sample = self.query_one("#detail", Pane), self.query_one("#sample", Pane)
        if row is None or group is None:
            pane.show([Prose("…", "faint")] if self.table.total else [])
            pane.entitle(self.subject.thing)
            sample.entitle("One raw message")
            sample.show([])
            return
        pane.entitle(cut(inert(group.cause), 120).rstrip() if self.narrow else self.subject.thing)
        sample.entitle(f"One raw message of {count(group.count)}")
        pane.show(self.details(row))
        if self.groups.open_incidents is not None:
            split = bool(self.groups.open_incidents.groups.kept(group))
            sample.show(sample_pane(group, self.sample(group), sample.size.height, split))
        if self._to_learn(group) and not self.groups.working("groups.learn"):
            self.groups.run("groups.learn", partial(self._learn, group))

    def details(self, row: Row) -> list[Item]:
        """What the pane says about the group under the cursor."""
        group = self.group()
        if group is None:
            return []
        now, again, incidents = self.session.connection.now(), self.groups.again_of(group), self.groups.open_incidents
        told = told_of(group, self.groups.facts, MOST_ASKED)
        back = self.groups.retried.back(group, incidents) if incidents is not None else []
        if self.narrow:
            return group_lines(group, told, again, back, now, self.sample(group))
        height = self.query_one("#detail", Pane).size.height
        return group_pane(group, told, self.groups.facts, again, back, now, height)

    def tell_count(self) -> None:
        """How many groups and incidents there are, and how far that can be trusted."""
        spans: list[Span] = [*self._marks_said()]
        incidents = self.groups.open_incidents
        if incidents is not None and (self.groups.placed or incidents.complete):
            spans.append((things(len(self.groups.placed), "group"), "strong"))
            spans.append((f", {things(len(incidents.groups), 'incident')}", "strong"))
            spans.append(self._trust())
        unread = self.unread_said()
        spans += unread
        if not unread and not (self.narrow and self.table.marks):
            spans.append(self._order_said())
        spans.append((" ", ""))
        self.query_one("#filter", FilterLine).show_count(spans)

    def _order_said(self) -> Span:
        """The order, where the lines stand in it; else how to get it."""
        return super()._order_said() if self.groups.in_order else ("  unsorted, r sorts", "warning")

    def _trust(self) -> Span:
        """How far the numbers can be trusted."""
        incidents = self.groups.open_incidents
        assert incidents is not None
        if incidents.sieved and not incidents.complete:
            of = f"/{count(incidents.counted)}" if incidents.counted else ""
            return f" so far, {count(incidents.looked)}{of} read", "warning"
        if incidents.sieved:
            return f" of {count(incidents.looked)} read, {self._agreed(incidents)}", "muted"
        if not incidents.complete:
            of = f" of {count(incidents.counted)}" if incidents.counted else ""
            return f"{of} so far", "warning"
        return f", {self._agreed(incidents)}", "muted"

    def _agreed(self, incidents: OpenIncidents) -> str:
        """Whether the engine counted as many when it was last asked."""
        if self.session.connection.rights.unseen("incidents"):
            return "only those this user may read"
        if incidents.exact and not self.session.connection.stale:
            return "exact"
        return f"as of {clock(incidents.read_at)}" if incidents.read_at else "not exact"

    def _tell_new(self) -> None:
        """What came since the operator looked; else what the signs mean."""
        line, incidents = self.query_one("#looked", Line), self.groups.open_incidents
        new = [
            group
            for key in self.groups.placed
            if incidents and (group := incidents.groups.get(key)) is not None and group.new > 0
        ]
        if not new:
            line.show([(f" {self.subject.legend}", "faint")])
            return
        most = max(new, key=lambda group: group.new)
        number = count(sum(group.new for group in new))
        where = f"in {cut(inert(most.cause), 60).rstrip()}" if len(new) == 1 else f"in {len(new)} groups"
        line.show([(f" NEW since you looked: {number} {where}", "warning"), ("   r", "accent"), (" sorts", "muted")])

    def legend(self) -> str:
        """The signs are explained on a line of their own."""
        return ""

    def nothing(self) -> str:
        """What to say when no group is there."""
        if self.filter_text:
            return "No open incident matches.  esc clears the filter"
        return self.session.connection.rights.unseen("incidents") or "There are no open incidents."

    def hint_labels(self) -> dict[str, str]:
        """``A`` takes groups here."""
        groups = {"marks.mark-all": f"all {count(len(self.groups.placed))}"} if self.groups.placed else {}
        return super().hint_labels() | groups

    def on_news(self, news: News) -> None:
        """The numbers are not exact while the engine is silent."""
        super().on_news(news)
        if news == "filled":
            # The lines stand as they were found in a part of the world: nobody has learnt their places yet.
            self.action_refresh()
        elif news == "state":
            self._tell_new()
            self.tell_count()

    def on_mount(self) -> None:
        """The signs are explained from the beginning."""
        self._tell_new()

    # -- asking for the tasks of the group --------------------------------------------------------------------------

    def _to_learn(self, group: Group) -> bool:
        return (
            self.in_front
            and not self.session.watch.paused
            and not self.session.connection.stale
            and bool(self._wanted(group))
        )

    def _wanted(self, group: Group) -> list[GroupMember]:
        """Incidents whose tasks to ask for next: first lines, each group in sight, then the whole group in slices."""
        if self.groups.open_incidents is None:
            return []
        near = [self.groups.open_incidents.groups.get(row.id) for row in self.table.in_sight()]
        first = [one.samples[0] for one in near if one is not None and one.kind == "T" and one.samples]
        if group.kind == "T":
            first += group.samples[:FEW]
        wanted = self.groups.facts.missing(first)
        if wanted or group.kind != "T" or not self.groups.open_incidents.complete:
            return wanted
        return self.groups.facts.missing(islice(group.members(), MOST_ASKED), SLICE)

    async def _learn(self, group: Group) -> None:
        while self._to_learn(group) and self.group() is group:
            members = self._wanted(group)
            try:
                await self.session.connection.ask(
                    lambda client, members=members: self.groups.facts.learn(client, members)  # type: ignore[misc]
                )
            except EngineProblem:
                return
            self.session.watch.known_values.note(map(self.groups.facts.told, members))
            self.groups.put_in_sight()
            self.show_detail(self.table.row)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_sample(self) -> None:
        """The next message that differs."""
        group = self.group()
        if group is None or not group.samples:
            return
        at_, number = self._sampled.get(group.key, 0), len(group.samples)
        said = group.samples[at_ % number].incident_message
        steps = range(1, number + 1)
        other = next((step for step in steps if group.samples[(at_ + step) % number].incident_message != said), 1)
        self._sampled[group.key] = (at_ + other) % number
        self.show_detail(self.table.row)

    def action_details(self) -> None:
        """What was said in full about the member whose message is shown."""
        group = self.group()
        member = self.sample(group) if group is not None else None
        if member is not None:
            self.navigator.show("incident", member)

    def open_row(self, row: Row) -> None:
        """The members of the group."""
        group = self.groups.open_incidents.groups.get(row.id) if self.groups.open_incidents is not None else None
        if group is not None:
            self.app.push_screen(MembersScreen(self.session, group, self.groups.facts))

    def action_copy(self) -> None:
        """Copy the cause."""
        group = self.group()
        if group is not None:
            self.hand_out(inert(group.cause))
