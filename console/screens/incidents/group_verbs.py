"""What can be done with groups of incidents: retry them, note on them, fold them finer or coarser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from retriage.console.causes.split import EXAMINED, finer
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.orders.note import write_note
from retriage.console.reading.selection import Marked
from retriage.console.screens.incidents.note import NoteDialog
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.operations.dialog import open_operation
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.console.text.inert import inert
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from retriage.console.causes.groups import Group
    from retriage.console.screens.incidents.group_reader import GroupReader
    from retriage.console.screens.listing import ListScreen


class GroupVerbs(Verbs["ListScreen"]):
    """Actions about the chosen groups.

    Args:
        screen: the list of groups.
        reader: what reads them.
        group: the group under the cursor.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("incidents",)

    def __init__(self, screen: ListScreen, reader: GroupReader, group: Callable[[], Group | None]) -> None:
        super().__init__(screen)
        self._reader = reader
        self._group = group
        self._drafts: dict[frozenset[str], str] = {}
        """Names of groups -> the note on them that was typed and is not written."""

    def chosen(self) -> list[Group]:
        """The marked groups, or the one under the cursor where none is marked."""
        incidents, marks = self._reader.open_incidents, self.screen.table.marks
        if incidents is None:
            return []
        if marks:
            return [group for group in incidents.groups if group.key in marks and group.count]
        group = self._group()
        return [group] if group is not None else []

    # -- retry ------------------------------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """Retry the tasks of the chosen groups in the launch dialog, their jobs with them as part 2 of one run; jobs
        alone in the dialog of their operation."""
        self.screen.heed_filter()
        groups = self.chosen()
        tasks = frozenset(id for group in groups if group.kind == "T" for id in group.failed())
        jobs = frozenset(id for group in groups if group.kind == "J" for id in group.failed())
        if not tasks and not jobs:
            self.session.news.say(_nothing_to_retry(groups), "warning")
            return
        so_far = self._say_so_far()
        chosen_jobs = Marked(jobs, _said([group for group in groups if group.kind == "J"], so_far))
        if tasks:
            open_launch(
                self.app,
                self.session,
                Marked(tasks, _said(groups, so_far)),
                lambda batch: self._launched(batch, groups),
                jobs=chosen_jobs if jobs else None,
                begun=self._begun,
            )
        else:
            open_operation(self.app, self.session, RetryJobs(1), chosen_jobs, self._begun)

    def _say_so_far(self) -> bool:
        """Whether a group may have more members than are known, which is said then."""
        incidents = self._reader.open_incidents
        if incidents is None or incidents.complete:
            return False
        self.session.news.say("Not all incidents have been read yet: this takes those read so far.", "warning")
        return True

    def _launched(self, batch_id: str, groups: list[Group]) -> None:
        for group in groups:
            if group.kind == "T":
                group.retried = datetime.now(UTC), batch_id
        if self.screen.is_attached:
            self.screen.table.unmark()

    def _begun(self) -> None:
        if self.screen.is_attached:
            self.screen.table.unmark()
        self._reader.read_again()

    # -- note -------------------------------------------------------------------------------------------------------

    def action_note(self) -> None:
        """Write a note on the incidents of the chosen groups."""
        self.order(partial(self._note, self.chosen()), "groups.note")

    async def _note(self, groups: list[Group]) -> None:
        ids = [id for group in groups for id in group.ids()]
        problem = self.session.connection.why_no_orders() or ("" if ids else "There is no incident to write a note on.")
        if problem:
            self.session.news.say(problem, "warning")
            return
        before = sum(sum(group.notes.values()) for group in groups)
        note = next((note for group in groups for note, _ in group.notes.most_common(1)), "")
        about = frozenset(group.key for group in groups)
        answer = await self.app.push_screen_wait(NoteDialog(note, len(ids), self._drafts.pop(about, "")))
        text = answer.note
        if text and text != note:
            self._drafts[about] = text
        if not answer.to_be_written:
            if about in self._drafts:
                self.session.news.say("The note is kept as a draft: N goes on with it.", "muted")
            return
        # The groups are meant: while the note was typed more of their incidents may have been read.
        self._say_so_far()
        ids = [id for group in groups for id in group.ids()]
        report = await carry_out(self.screen, partial(write_note, ids, text or None, before))
        if report is not None:
            if report.changed:
                self._drafts.pop(about, None)
            self._reader.read_again()

    # -- rows -------------------------------------------------------------------------------------------------------

    def action_copy_curl(self) -> None:
        """A group is no record that could be asked for."""
        self.session.news.say("A group is not a record of the engine; enter lists its incidents.", "warning")

    def action_export(self) -> None:
        """The incidents that match, not the groups, are written to a file."""
        if self.screen.table.marks:
            self.session.news.say(
                "All incidents that match are written, not those of marked groups: u unmarks.", "warning"
            )
        else:
            self.screen.list_verbs.action_export()

    # -- fold -------------------------------------------------------------------------------------------------------

    def action_split(self) -> None:
        """Keep two causes of the group apart that were folded to one."""
        group = self._group()
        if self._reader.open_incidents is None or group is None:
            return
        kept = self._reader.open_incidents.groups.kept(group)
        step = max(group.count // EXAMINED, 1)
        some = islice(group.members(), 0, None, step)
        hole = finer((member.incident_message for member in islice(some, EXAMINED)), kept)
        if hole is None:
            self.session.news.say(
                "Nothing can be kept apart here: all messages are alike, or each one differs.", "warning"
            )
        else:
            self.look_up(partial(self._fold, group, (*kept, hole)), "groups.fold")

    def action_join(self) -> None:
        """Fold again what was split last in this cause."""
        group = self._group()
        if self._reader.open_incidents is None or group is None:
            return
        kept = self._reader.open_incidents.groups.kept(group)
        if kept:
            self.look_up(partial(self._fold, group, kept[:-1]), "groups.fold")
        else:
            self.session.news.say("This group was not split.", "warning")

    async def _fold(self, group: Group, kept: tuple[int, ...]) -> None:
        reader, incidents = self._reader, self._reader.open_incidents
        if incidents is None:
            return
        # All groups of the cause are folded anew; they stand where the first of them stood.
        parts = {one.key for one in incidents.groups if (one.kind, one.base) == (group.kind, group.base)}
        place = next((at for at, key in enumerate(reader.placed) if key in parts), len(reader.placed))
        before = {one.key for one in incidents.groups}
        members = incidents.groups.keep(group.kind, group.base, kept)
        await incidents.rehome(members)
        made = [one.key for one in incidents.groups if one.key not in before]
        reader.placed = [key for key in reader.placed if incidents.groups.get(key) is not None]
        reader.placed[place:place] = [key for key in made if key not in reader.placed]
        self.screen.table.unmark()
        reader.show_groups()
        whole = f"{things(len(made), 'group')} of {count(len(members))} incidents"
        self.session.news.say(f"Kept apart: {whole}.  + joins them." if kept else f"Joined: {whole}.", "good")


def _said(groups: list[Group], so_far: bool) -> str:
    """What is chosen, in words."""
    said = inert(groups[0].cause) if len(groups) == 1 else f"{len(groups)} groups of incidents"
    return said + (", those read so far" if so_far else "")


def _nothing_to_retry(groups: list[Group]) -> str:
    if any(group.kind == "C" for group in groups):
        return "Nothing can be retried here: these incidents close with the one in the called process."
    return "None of this can be retried." if groups else "There is no group to retry."
