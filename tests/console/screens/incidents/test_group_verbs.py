"""What the keys do with groups of incidents, without a screen: who is chosen, what is launched, asked about, said."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.causes.groups import Group
from retriage.console.causes.open_incidents import OpenIncidents
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.reading.selection import Marked
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.incidents import group_verbs
from retriage.console.screens.incidents.group_verbs import GroupVerbs
from retriage.console.screens.incidents.note import Answer
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident
from tests.console.fake import FakeEngine
from tests.console.incidents_of import Incidents, incident

CARD, PSP, LOCK, CALLED = (
    "T card <*> expired",
    "T HTTP <*> from psp",
    "J lock <*> lost",
    "C (failed in a called process)",
)


class Screen:
    """A list of groups as its verbs see it: questions and orders run as soon as they are begun."""

    is_attached = True

    def __init__(self, session: Session, under_cursor: str) -> None:
        self.session = session
        self.app = self
        self.under_cursor = under_cursor
        self.table = SimpleNamespace(marks=set[str](), unmark=lambda: self.table.marks.clear())
        self.list_verbs = SimpleNamespace(action_export=lambda: self.called.append("export"))
        self.called: list[str] = []
        self.asked: list[list[str]] = []
        self.typed: list[Answer] = []
        """What is typed into the next dialogs of a note."""
        self.offered: list[tuple[str, str]] = []
        """The note and the draft that dialogs were opened with."""
        self.sure = True
        self._work: list[asyncio.Task[None]] = []

    def heed_filter(self) -> None:
        self.called.append("heed filter")

    def run_worker(self, work: Callable[[], Awaitable[None]], **how: Any) -> None:
        async def run() -> None:
            await work()

        self._work.append(asyncio.create_task(run()))

    async def ended(self) -> None:
        """Everything that was begun."""
        while self._work:
            await self._work.pop()

    async def ask_late(self, question: Confirm) -> bool:
        self.asked.append([str(item) for item in question._items])
        return self.sure


class Reader:
    """Groups as they were read, placed as they were found."""

    def __init__(self, incidents: OpenIncidents) -> None:
        self.open_incidents: OpenIncidents | None = incidents
        self.placed = [group.key for group in incidents.groups]
        self.read = 0

    def read_again(self) -> None:
        self.read += 1

    def show_groups(self) -> None:
        """The table draws them."""


class Stage:
    """Verbs, the screen and the reader they work with, and the dialogs that they open."""

    def __init__(self, incidents: OpenIncidents, under_cursor: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = FakeEngine(20)
        self.session = Session(ConnectionIdentity("TEST", "in this process"))
        self.session.connection.open(self.engine)  # type: ignore[arg-type]
        self.screen = Screen(self.session, under_cursor)
        self.reader = Reader(incidents)
        self.launches: list[tuple[Marked, Callable[[str], None], Marked | None, Callable[[], None]]] = []
        self.verbs = GroupVerbs(self.screen, self.reader, self.group)  # type: ignore[arg-type]
        monkeypatch.setattr(group_verbs, "open_launch", self._open_launch)
        self.operations: list[tuple[object, Marked, Callable[[], None]]] = []
        monkeypatch.setattr(group_verbs, "open_operation", self._open_operation)
        monkeypatch.setattr(group_verbs, "NoteDialog", lambda note, number, draft: (note, number, draft))
        monkeypatch.setattr(self.screen, "push_screen_wait", self._note, raising=False)

    def group(self) -> Group | None:
        """The group under the cursor."""
        incidents = self.reader.open_incidents
        return incidents.groups.get(self.screen.under_cursor) if incidents is not None else None

    @property
    def said(self) -> str:
        """What was said last."""
        return self.session.news.newest.sentence if self.session.news.newest is not None else ""

    def _open_launch(
        self,
        app: object,
        session: Session,
        selection: Marked,
        launched: Callable[[str], None],
        *,
        jobs: Marked | None,
        begun: Callable[[], None],
    ) -> None:
        self.launches.append((selection, launched, jobs, begun))

    def _open_operation(
        self, app: object, session: Session, operation: object, selection: Marked, done: Callable[[], None]
    ) -> None:
        self.operations.append((operation, selection, done))

    async def _note(self, dialog: tuple[str, int, str]) -> Answer:
        note, _, draft = dialog
        self.screen.offered.append((note, draft))
        return self.screen.typed.pop(0)


Staged = Callable[..., Awaitable[Stage]]


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Staged:
    """Makes a stage of incidents, the cursor on one of their groups."""

    async def made(incidents: Sequence[Incident], under_cursor: str = CARD) -> Stage:
        source = Incidents(incidents)
        known = OpenIncidents(IncidentQuery(), source.read, source.count)
        await known.fill(lambda: None)
        return Stage(known, under_cursor, monkeypatch)

    return made


def tasks_and_jobs() -> list[Incident]:
    """Two causes of tasks, one of jobs, one of a called process."""
    found = [incident(number, f"card {number} expired") for number in range(3)]
    found += [incident(number, f"HTTP {number} from psp") for number in range(10, 14)]
    found += [incident(number, f"lock {number} lost", type="failedJob") for number in range(20, 22)]
    return [*found, incident(30, None, cause="i-0", configuration=None)]


async def test_the_marked_groups_are_chosen_or_the_one_under_the_cursor(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs())
    assert [group.key for group in stage.verbs.chosen()] == [CARD]
    stage.screen.table.marks |= {PSP, LOCK, "T gone"}
    assert {group.key for group in stage.verbs.chosen()} == {PSP, LOCK}
    assert stage.reader.open_incidents is not None
    stage.reader.open_incidents.groups.drop(["i-20", "i-21"])
    assert {group.key for group in stage.verbs.chosen()} == {PSP}, "no member of the marked group is open any more"
    stage.reader.open_incidents = None
    assert stage.verbs.chosen() == []


async def test_the_tasks_of_the_groups_are_launched_and_their_retry_is_remembered(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs())
    stage.verbs.action_retry()
    stage.screen.table.marks |= {CARD, PSP}
    stage.verbs.action_retry()
    (one, _, jobs, _), (both, launched, _, _) = stage.launches
    assert (one, jobs) == (Marked(frozenset({"t-0", "t-1", "t-2"}), "card <*> expired"), None)
    numbers = (*range(3), *range(10, 14))
    assert both == Marked(frozenset(f"t-{number}" for number in numbers), "2 groups of incidents")
    assert stage.screen.called == ["heed filter", "heed filter"], "what is typed counts before R does"
    launched("b-1")
    await stage.screen.ended()
    assert not stage.screen.table.marks
    retried = [group.retried[1] for group in stage.verbs._reader.open_incidents.groups if group.retried]  # type: ignore[union-attr]
    assert retried == ["b-1", "b-1"]
    assert stage.engine.orders == []


async def test_jobs_are_retried_in_the_dialog_of_the_tasks_that_were_chosen_with_them(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs(), LOCK)
    stage.screen.table.marks |= {CARD, LOCK}
    stage.verbs.action_retry()
    ((tasks, _, jobs, begun),) = stage.launches
    assert tasks == Marked(frozenset({"t-0", "t-1", "t-2"}), "2 groups of incidents")
    assert jobs == Marked(frozenset({"t-20", "t-21"}), "lock <*> lost")
    assert (stage.operations, stage.engine.orders, stage.reader.read) == ([], [], 0)
    begun()
    assert (stage.screen.table.marks, stage.reader.read) == (set(), 1)


async def test_jobs_alone_are_retried_in_their_dialog(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs(), LOCK)
    stage.verbs.action_retry()
    assert not stage.launches
    assert [one[:2] for one in stage.operations] == [
        (RetryJobs(1), Marked(frozenset({"t-20", "t-21"}), "lock <*> lost"))
    ]
    assert stage.engine.orders == []


async def test_what_cannot_be_retried_says_why(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs(), CALLED)
    stage.verbs.action_retry()
    assert "these incidents close with the one in the called process" in stage.said
    stage.screen.under_cursor = ""
    stage.verbs.action_retry()
    assert stage.said == "There is no group to retry."
    other = await staged([incident(1, "odd", type="odd", configuration=None)], "? odd")
    other.verbs.action_retry()
    assert other.said == "None of this can be retried."
    assert not stage.launches + other.launches


async def test_it_is_said_when_not_all_incidents_are_read(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs())
    assert stage.reader.open_incidents is not None
    stage.reader.open_incidents.complete = False
    stage.verbs.action_retry()
    assert stage.said == "Not all incidents have been read yet: this takes those read so far."
    assert len(stage.launches) == 1
    assert stage.launches[0][0].describe().endswith(", those read so far")


async def test_a_note_is_for_what_was_read_while_it_was_typed_too(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await staged(tasks_and_jobs())
    incidents = stage.reader.open_incidents
    assert incidents is not None
    incidents.complete = False
    type_it = stage._note

    async def read_meanwhile(dialog: Any) -> Answer:
        (group,) = stage.verbs.chosen()
        incidents.groups.put([next(group.members())._replace(id="i-late")])
        answer: Answer = await type_it(dialog)
        return answer

    monkeypatch.setattr(stage.screen, "push_screen_wait", read_meanwhile)
    stage.screen.typed = [Answer("PSP", True)]
    stage.verbs.action_note()
    await stage.screen.ended()
    assert "It is written on 4 incidents" in "".join(stage.screen.asked[0])
    assert ("annotate_incident", "i-late", "PSP") in stage.engine.orders
    assert any("those read so far" in event.sentence for event in stage.session.news)


async def test_a_note_is_kept_as_a_draft_of_its_groups_until_it_is_written(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs())
    stage.screen.typed = [Answer("PSP", False), Answer("", False), Answer("PSP", True), Answer("PSP", True)]
    stage.verbs.action_note()
    await stage.screen.ended()
    assert stage.said == "The note is kept as a draft: N goes on with it."
    stage.screen.under_cursor = PSP
    stage.verbs.action_note()
    await stage.screen.ended()
    stage.screen.under_cursor = CARD
    stage.screen.sure = False
    stage.verbs.action_note()
    await stage.screen.ended()
    assert stage.engine.orders == []
    stage.screen.sure = True
    stage.verbs.action_note()
    await stage.screen.ended()
    assert stage.engine.orders == [("annotate_incident", f"i-{number}", "PSP") for number in (2, 1, 0)]
    assert stage.reader.read == 1
    assert stage.reader.open_incidents is not None
    stage.reader.open_incidents.groups.put(
        group_member._replace(annotation="PSP")
        for group in list(stage.verbs.chosen())
        for group_member in list(group.members())
    )
    stage.screen.typed = [Answer("PSP", False)]
    stage.verbs.action_note()
    await stage.screen.ended()
    assert stage.screen.offered == [("", ""), ("", ""), ("", "PSP"), ("", "PSP"), ("PSP", "")]
    assert "kept as a draft" not in stage.said, "it is the note that is there"


async def test_no_note_is_typed_where_none_could_be_written(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs(), "")
    stage.verbs.action_note()
    await stage.screen.ended()
    assert stage.said == "There is no incident to write a note on."
    stage.screen.under_cursor = CARD
    stage.session.connection.safety.readonly = True
    stage.verbs.action_note()
    await stage.screen.ended()
    assert "read-only" in stage.said
    assert not stage.screen.offered


async def test_a_group_is_no_record_and_not_the_marked_groups_but_what_matches_is_written(staged: Staged) -> None:
    stage = await staged(tasks_and_jobs())
    stage.verbs.action_copy_curl()
    assert stage.said.startswith("A group is not a record of the engine")
    stage.screen.table.marks.add(PSP)
    stage.verbs.action_export()
    assert stage.said == "All incidents that match are written, not those of marked groups: u unmarks."
    assert not stage.screen.called
    stage.screen.table.marks.clear()
    stage.verbs.action_export()
    assert stage.screen.called == ["export"]


async def test_a_cause_is_split_and_joined_again_in_its_place(staged: Staged) -> None:
    found = [incident(number, f"carrier '{'AB'[number % 2]}' refused parcel {number}") for number in range(50, 100)]
    stage = await staged([*found, *tasks_and_jobs()[:3]], "T carrier <*> refused parcel <*>")
    place = stage.reader.placed.index(stage.screen.under_cursor)
    stage.screen.table.marks.add(stage.screen.under_cursor)
    stage.verbs.action_split()
    await stage.screen.ended()
    halves = {f"T carrier '{letter}' refused parcel <*>" for letter in "AB"}
    assert set(stage.reader.placed[place : place + 2]) == halves
    assert stage.said == "Kept apart: 2 groups of 50 incidents.  + joins them."
    assert not stage.screen.table.marks
    stage.screen.under_cursor = min(halves)
    stage.verbs.action_join()
    await stage.screen.ended()
    assert stage.reader.placed[place] == "T carrier <*> refused parcel <*>"
    assert stage.said == "Joined: 1 group of 50 incidents."
    stage.screen.under_cursor = CARD
    stage.verbs.action_join()
    assert stage.said == "This group was not split."


async def test_messages_that_are_alike_cannot_be_kept_apart(staged: Staged) -> None:
    stage = await staged([incident(number, "down") for number in range(3)], "T down")
    stage.verbs.action_split()
    await stage.screen.ended()
    assert stage.said.startswith("Nothing can be kept apart here")
