"""The members of a group as a full list: filtered by the engine, retried by their marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.reading.incident_pages import IncidentPages
from retriage.console.reading.incident_tasks import GONE, NO_TASK, TaskFact, TaskFacts
from retriage.console.reading.reading_order import ReadingOrder
from retriage.console.reading.selection import Marked
from retriage.console.screens.incidents.subject import IncidentSubject
from retriage.console.screens.incidents.verbs import IncidentVerbs
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.listing import ListScreen
from retriage.console.screens.operations.dialog import open_operation
from retriage.console.screens.row_filters import cell_words
from retriage.console.screens.subject import SortKey
from retriage.console.session.session import Session
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, short, things, version_of
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.columns import Column
from retriage.console.widgets.pane import Fact, Item
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.causes.group_members import GroupMember
    from retriage.console.causes.groups import Group
    from retriage.console.engine.client import EngineClient
    from retriage.console.language import Parsed
    from retriage.console.reading.row_filter import Retried
    from retriage.store.contract.queries import Query


class One(NamedTuple):
    """A member and what is known of its task."""

    member: GroupMember
    fact: TaskFact | None
    gone: bool

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """What a file of rows holds of it: the incident as the group remembers it, and its task."""
        incident = self.member._asdict()
        for name in ("kind", "arrived"):
            del incident[name]
        incident["incident_timestamp"] = self.member.incident_timestamp.isoformat()
        task = self.fact or (GONE if self.gone else NO_TASK)
        return {_wire(name): value for name, value in {**incident, **task._asdict()}.items()}


def _wire(name: str) -> str:
    """``incident_type`` as ``incidentType``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Members(IncidentSubject):
    """Members of one group. What matches a filter is asked from the engine, and only members are kept of it."""

    title = "Members"
    thing = "Member"
    columns = (
        Column("age", 5, keep=7, align="right"),
        Column("key", 12, share=1, most=24, keep=8),
        Column("process", 16, share=1, most=28, keep=6),
        Column("try", 4, keep=7, align="right"),
        Column("activity", 12, share=1, most=22, keep=4),
        Column("worker", 10, share=1, most=20, keep=2),
        Column("failed", 13, keep=5, tail=True),
        Column("message", 18, share=4, keep=9),
    )
    sorts = (SortKey("incidentTimestamp", "newest", descending=True),)
    legend = "try: retries of the task now; gone: the task no longer exists"

    def __init__(self, group: Group, facts: TaskFacts, retried: Retried) -> None:
        self._group = group
        self._facts = facts
        self._retried = retried
        self._found: list[GroupMember] | None = None
        self._text = ""

    def parsed(self, text: str) -> Parsed[Any]:
        """What a filter text says. All of it is asked for, or looked for, when the members are read."""
        parsed = super().parsed(text)
        if not parsed.mistakes:
            self._text, self._found = text, None
        return replace(parsed, conditions=())

    def reading_order(self, query: Query) -> ReadingOrder:
        """The members are here, in the order of their time."""
        return ReadingOrder(query)

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[Any]:
        """Members with the tasks they are about."""
        members = (await self._matching(client, query))[first : first + size]
        if self._group.kind == "T":
            wanted = self._facts.missing(members)
            if wanted:
                await self._facts.learn(client, wanted)
        return [One(member, self._facts.get(member), self._facts.gone(member)) for member in members]

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many members match."""
        return len(await self._matching(client, query))

    async def _matching(self, client: EngineClient, query: Query) -> list[GroupMember]:
        """The members that match now, in the order of the query."""
        if self._text and self._found is None:
            self._found = await self._asked(client, self._text)
        members = self.all_matching()
        return members[::-1] if query.sort_order == "asc" else members

    def all_matching(self) -> list[GroupMember]:
        """The members that match, as far as was asked for, the newest first; without a filter all that there are."""
        if self._text:
            return [member for member in self._found or () if member.id in self._group]
        return self._group.newest_first()

    async def _asked(self, client: EngineClient, text: str) -> list[GroupMember]:
        parsed = super().parsed(text)
        wanted = self.row_filter(parsed, self._retried, self._facts)
        wanted.look()
        fits = wanted.finds(self.now())
        walk = IncidentPages(client.incidents, parsed.query)
        found: dict[str, GroupMember] = {}
        while not walk.ended:
            members = [
                (incident, member)
                for incident in await walk.next()
                if (member := self._group.get(incident.id)) is not None
            ]
            await wanted.learn((incident for incident, _ in members), lambda question: question(client))
            found |= {member.id: member for incident, member in members if fits(incident)}
        return sorted(found.values(), key=lambda member: member.incident_timestamp, reverse=True)

    def cell_words(self, record: Any) -> Mapping[str, str]:
        """Title of a column -> the word of the filter that fits the members that are like this one there."""
        return cell_words("members", record)

    def identify(self, record: Any) -> str:
        """The id of the incident."""
        return str(record.member.id)

    def cells(self, record: Any, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        member, fact = record.member, record.fact
        process = (member.process_definition_id or "-").split(":")[0]
        version = version_of(member.process_definition_id or "")
        key = fact.business_key if fact is not None else None
        return (
            Cell(age(member.incident_timestamp, now), "muted"),
            Cell(inert(key or short(member.process_instance_id, 10))),
            Cell(inert(f"{process} {version}".strip()), "muted"),
            Cell(*_tries(record)),
            Cell(inert(member.activity_id or "-"), "muted"),
            Cell(inert(fact.worker_id if fact is not None and fact.worker_id else "-"), "muted"),
            Cell(inert(member.configuration or "-"), "muted"),
            Cell(inert(member.incident_message or "(no message)"), "failed"),
        )

    def brief(self, record: Any, now: datetime) -> list[Item]:
        """Everything short about the incident and its task."""
        said, ink = _tries(record)
        items = super().brief(record.member, now)
        fact = record.fact
        if fact is not None:
            items[1:1] = [
                Fact("topic", inert(fact.topic_name or "-")),
                Fact("key", inert(fact.business_key or "-")),
                Fact("worker", inert(fact.worker_id or "-")),
            ]
        return [Fact("retries", said, ink), *items]

    def summary(self, record: Any, now: datetime) -> list[Item]:
        """The same in two lines."""
        return super().summary(record.member, now)


def _tries(record: One) -> tuple[str, Ink]:
    if record.gone:
        return "gone", "faint"
    if record.fact is None or record.fact.retries is None:
        return "-", "faint"
    if record.fact.retries:
        return str(record.fact.retries), "good"
    return ("0 S", "suspended") if record.fact.suspended else ("0", "failed")


class MembersScreen(ListScreen):
    """All members of a group."""

    PLACES: ClassVar[tuple[str, ...]] = ("members", "incident", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"members", "incident"}))
    VIEW: ClassVar[str] = "incidents"
    MARKABLE = True

    def __init__(self, session: Session, group: Group, facts: TaskFacts) -> None:
        self._members = Members(group, facts, session.watch.retried)
        super().__init__(session, self._members)
        self.attach(IncidentVerbs(self, self.incident_in_hand))
        self._group = group
        self._facts = facts

    def show_detail(self, row: Row | None) -> None:
        """The pane, and over the table whose members these are."""
        self.table.border_title = f"Members of: {cut(inert(self._group.cause), 200).rstrip()}"
        super().show_detail(row)

    def nothing(self) -> str:
        """What to say when no row matches."""
        if self.filter_text:
            return f"None of its {things(self._group.count, 'member')} matches.  esc clears the filter"
        return "All members of this group have closed."

    def incident_in_hand(self) -> GroupMember | None:
        """The incident under the cursor."""
        row = self.table.row
        return cast("One", row.item).member if row is not None else None

    def open_row(self, row: Row) -> None:
        """The incident in full."""
        self.navigator.show("incident", cast("One", row.item).member)

    def action_refresh(self) -> None:
        """Read everything again, their tasks too."""
        self._facts.look()
        super().action_refresh()

    def action_back(self) -> None:
        """End the range, clear the filter, then back to the groups."""
        if self.table.ranging or self.filter_text:
            super().action_back()
        else:
            self.dismiss()

    def action_retry(self) -> None:
        """Retry the tasks or jobs of the marked members, or of the one under the cursor."""
        self.heed_filter()
        ids, kind = self._chosen(), self._group.kind
        if kind == "J":
            said = things(len(ids), "member") + " of a group"
            chosen = Marked(ids, said) if ids else None
            open_operation(self.app, self.session, RetryJobs(1), chosen, self._launched)
        elif kind == "T":
            open_launch(self.app, self.session, Marked(ids) if ids else None, lambda batch: self._launched())
        else:
            self.session.news.say("None of this can be retried.", "warning")

    def _launched(self) -> None:
        if self.is_attached:
            self.table.unmark()

    def _chosen(self) -> frozenset[str]:
        marks, row = self.table.marks, self.table.row
        if marks:
            chosen = [member for member in self._members.all_matching() if member.id in marks]
        else:
            chosen = [cast("One", row.item).member] if row is not None else []
        return frozenset(member.configuration for member in chosen if member.configuration is not None)
