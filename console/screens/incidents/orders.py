"""What can be done with groups of incidents: retry them, note on them, fold them finer or coarser."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import work

from console.orders.job_retries import retry_failed_jobs
from console.screens.base import ordering
from console.screens.dialogs.confirm import Confirm
from console.screens.incidents.grouping import GroupingScreen
from console.screens.verbs import carry_out
from console.text.inert import inert
from console.text.words import count, things

if TYPE_CHECKING:
    from console.causes.groups import Group
    from console.session.session import Session


class GroupOrders(GroupingScreen):
    """A table of groups to which orders can be given."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._drafts: dict[frozenset[str], str] = {}
        """Names of groups -> the note on them that was typed and is not written."""

    def group(self) -> Group | None:
        """The group under the cursor."""
        raise NotImplementedError

    def chosen(self) -> list[Group]:
        """The marked groups, or the one under the cursor where none is marked."""
        if self.book is None:
            return []
        if self.table.marks:
            return [group for group in self.book.groups if group.key in self.table.marks and group.count]
        group = self.group()
        return [group] if group is not None else []

    # -- retry ------------------------------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """Retry the tasks of the chosen groups in the launch dialog; their jobs are asked about apart."""
        from console.reading.selection import Marked
        from console.screens.launch.flow import open_launch

        self.heed_filter()
        groups = self.chosen()
        tasks = frozenset(id for group in groups if group.kind == "T" for id in group.failed())
        jobs = sorted({id for group in groups if group.kind == "J" for id in group.failed()})
        if not tasks and not jobs:
            self.session.say(self._nothing_to_retry(groups), "warning")
            return
        if self.book is not None and not self.book.complete:
            self.session.say("Not all incidents are read yet: this takes those read so far.", "warning")
        if tasks:
            said = inert(groups[0].cause) if len(groups) == 1 else f"{len(groups)} groups of incidents"
            open_launch(
                self.app, self.session, Marked(tasks, said), lambda batch: self._launched(jobs), follow=not jobs
            )
        else:
            self._retry_jobs(jobs)

    def _launched(self, jobs: list[str]) -> None:
        """The tasks are on their way; now the jobs that were chosen with them."""
        if self.is_attached:
            self.table.unmark()
            if jobs:
                self._retry_jobs(jobs)

    def _nothing_to_retry(self, groups: list[Group]) -> str:
        if any(group.kind == "C" for group in groups):
            return "Nothing can be retried here: these incidents close with the one in the called process."
        return "Nothing of this can be retried." if groups else "There is no group to retry."

    @ordering("groups.jobs")
    async def _retry_jobs(self, jobs: list[str]) -> None:
        if await carry_out(self, partial(retry_failed_jobs, self.session, jobs)) is not None:
            self.table.unmark()
            self.read_soon()

    async def _sure(self, title: str, sentences: list[str], label: str, key: str, number: int) -> bool:
        """Ask; where the environment is guarded the number has to be typed. Must run in a worker."""
        typed = str(number) if self.session.safety.guarded else ""
        return await self.ask_late(Confirm(title, sentences, label, key, typed=typed))

    def read_soon(self) -> None:
        """Something was changed: see what has become of it."""
        if self.book is not None and self.book.complete and not self._working("groups.again"):
            self._read_again(self.book)

    # -- note -------------------------------------------------------------------------------------------------------

    @ordering("groups.note")
    async def action_note(self) -> None:
        """Write a note on the incidents of the chosen groups."""
        from console.screens.incidents.note import NoteDialog, written

        groups = self.chosen()
        ids = [id for group in groups for id in group.ids()]
        problem = self.session.why_no_orders() or ("" if ids else "There is no incident to note on.")
        if problem:
            self.session.say(problem, "warning")
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
                self.session.say("The note is kept as a draft: N goes on with it.", "muted")
            return
        what = "Take the notes away" if not text else "Write this note"
        sentences = [text or "(no note)", f"It is written on {things(len(ids), 'incident')}, one after the other."]
        if before:
            sentences.append(f"{things(before, 'note')} there already will be replaced.")
        if await self._sure(f"{what}?", sentences, "Write", "W", len(ids)):
            if await written(self.session, ids, text or None):
                self._drafts.pop(about, None)
            self.read_soon()

    # -- fold -------------------------------------------------------------------------------------------------------

    def action_split(self) -> None:
        """Keep two causes of the group apart that were folded to one."""
        from itertools import islice

        from console.causes.split import EXAMINED, finer

        group = self.group()
        if self.book is None or group is None:
            return
        kept = self.book.groups.kept(group)
        step = max(group.count // EXAMINED, 1)
        some = islice(group.members(), 0, None, step)
        hole = finer((member.incident_message for member in islice(some, EXAMINED)), kept)
        if hole is None:
            self.session.say("Nothing can be kept apart here: all messages are alike, or each one differs.", "warning")
        else:
            self._fold(group, (*kept, hole))

    def action_join(self) -> None:
        """Fold again what was split last in this cause."""
        group = self.group()
        if self.book is None or group is None:
            return
        kept = self.book.groups.kept(group)
        if kept:
            self._fold(group, kept[:-1])
        else:
            self.session.say("This group was not split.", "warning")

    @work(group="groups.fold", exclusive=True, exit_on_error=False)
    async def _fold(self, group: Group, kept: tuple[int, ...]) -> None:
        book = self.book
        if book is None:
            return
        place = self.placed.index(group.key) if group.key in self.placed else len(self.placed)
        before = {one.key for one in book.groups}
        members = book.groups.keep(group.kind, group.base, kept)
        await book.rehome(members)
        made = [one.key for one in book.groups if one.key not in before]
        self.placed = [key for key in self.placed if book.groups.get(key) is not None]
        self.placed[place:place] = [key for key in made if key not in self.placed]
        self.table.unmark()
        self.show_groups()
        whole = f"{things(len(made), 'group')} of {count(len(members))} incidents"
        self.session.say(f"Kept apart: {whole}.  + joins them." if kept else f"Joined: {whole}.", "good")
