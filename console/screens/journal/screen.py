"""View 6: every launch, every run and all work by hand from this console, on this engine, the newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.journal import journal_problem
from retriage.console.runs.run_view import RunView, view_of
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.journal.rows import (
    COLUMNS,
    facts,
    facts_by_hand,
    request_lines,
    row_by_hand,
    row_of,
    summary,
    summary_by_hand,
)
from retriage.console.screens.journal.run_rows import row_of_run, run_facts, run_summary
from retriage.console.screens.journal.verbs import LaunchVerbs
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.words import things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Item, Pane, Spans
from retriage.store.journal import WrittenHandWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retriage.store.journal import Launch

MOST = 500
"""So many of the newest launches are shown."""
OPENED = ("launches.open",)
"""What can be done with a run from the list: on its page is the rest."""
LOOKED_FOR = 20
"""So many of their batches are looked for in the history when the view is opened."""


class JournalScreen(ConsoleScreen):
    """The launches, and the one under the cursor."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("journal.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("launches", "journal")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"launches", "journal"}))
    VIEW: ClassVar[str] = "journal"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.attach(LaunchVerbs(self, self.chosen, self._why_no_launch))
        self.add_class("journal")
        self.matching: int | None = None
        """How many launches there are, once they are read."""
        self._launches: list[Launch] = []
        """Launches that are no batches of a run: those are told by the page of the run."""
        self._runs: list[RunView] = []
        self._by_hand: Sequence[WrittenHandWork] = ()
        self._looked_for: set[str] = set()

    def body(self) -> Iterable[Widget]:
        """Table and pane."""
        yield Line(id="which")
        with Horizontal(id="upper"):
            table = LineTable(COLUMNS, markable=False, id="rows", empty="opening the journal …")
            table.add_class("framed")
            yield table
            yield Pane("Launch", id="detail", classes="framed")

    @property
    def table(self) -> LineTable:
        """The launches."""
        return self.query_one("#rows", LineTable)

    @property
    def narrow(self) -> bool:
        """There is no room for a pane beside the table."""
        return self.size.width < 100

    def on_mount(self) -> None:
        """Read them."""
        self.table.border_title = "Launches"
        self._read()

    def _seek(self) -> None:
        """Whoever looks here wants to know what became of a launch that was not answered."""
        self.session.watch.seek()

    def idle(self) -> Collection[str]:
        """Where there is no launch, all that is done with one; a run has orders of its own on its page."""
        if self.matching == 0 or self.by_hand() is not None:
            return [action.name for action in at(self.PLACES)]
        return (
            [action.name for action in at(self.PLACES) if action.name not in OPENED] if self.run() is not None else ()
        )

    def on_news(self, news: News) -> None:
        """A launch, or its batch, has changed."""
        if news in ("journal", "runs") or (news == "state" and not self._launches):
            self._read()
        elif news == "batches":
            self._show()

    def on_screen_resume(self) -> None:
        """Somebody else may have launched with this journal meanwhile."""
        self._read()
        self._seek()

    @work(group="journal.read", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        journal = self.session.memory.journal
        if journal is None:
            opening = self.session.connection.client is None and not self.session.connection.failed_to_open
            self.table.empty = (
                "opening the journal …" if opening else "There is no journal: launches are not written down."
            )
            self.table.refresh()
            return
        try:
            found = await journal.launches(self.session.memory.engine_name, MOST)
            runs = await journal.runs.with_waves(self.session.memory.engine_name)
            self._by_hand = await journal.by_hand(self.session.memory.engine_name, MOST)
        except journal_problem() as problem:
            self.table.empty = f"The journal cannot be read: {getattr(problem, 'orig', None) or problem}"
            self.table.refresh()
            return
        now = datetime.now(UTC)
        self._launches = [one for one in found if one.run_id is None]
        self._runs = [view_of(run, waves, now) for run, waves in runs]
        self.matching = len(self._launches) + len(self._runs) + len(self._by_hand)
        self.table.empty = "" if self.matching else "Nothing launched from here yet: R on tasks, then look here."
        self.table.set_total(self.matching)
        self._show()
        self.table.refresh()
        await self._look_for_batches()

    async def _look_for_batches(self) -> None:
        """What has become of the batches that nobody has looked at yet, once for each of them."""
        known = self.session.watch.known_batches
        newest = {launch.batch_id for launch in self._launches[:LOOKED_FOR] if launch.batch_id} - self._looked_for
        self._looked_for |= newest
        unseen = [batch_id for batch_id in newest if known.get(batch_id) is None]
        for batch_id in unseen:
            known.expect(batch_id)
        if unseen:
            await self.session.watch.look()

    def _show(self) -> None:
        now, known = datetime.now(UTC), self.session.watch.known_batches
        told = [(one.began_at, row_of(one, known.get(one.batch_id or ""), now)) for one in self._launches]
        told += [(view.run.began_at, row_of_run(view, now)) for view in self._runs]
        told += [(one.began_at, row_by_hand(one, now)) for one in self._by_hand]
        rows = [row for _, row in sorted(told, key=lambda one: one[0], reverse=True)]
        self.table.put(0, rows)
        launches = things(len(self._launches), "launch", "launches")
        parts = [launches] if self._launches or not (self._runs or self._by_hand) else []
        parts += [things(len(self._runs), "run")] if self._runs else []
        parts += [f"{len(self._by_hand)} by hand"] if self._by_hand else []
        said = f" {', '.join(parts)}" if self.matching is not None else ""
        kept = f" on this engine, written down before {'it was' if len(rows) == 1 else 'they were'} sent"
        self.query_one("#which", Line).show([(said, "strong"), (kept if said else "", "muted")])
        self._detail()

    @on(LineTable.CursorMoved, "#rows")
    def _detail(self) -> None:
        pane = self.query_one("#detail", Pane)
        launch, run, by_hand = self.chosen(), self.run(), self.by_hand()
        pane.entitle("Run" if run is not None else "By hand" if by_hand is not None else "Launch")
        if by_hand is not None:
            pane.show(summary_by_hand(by_hand) if self.narrow else facts_by_hand(by_hand))
        elif run is not None:
            pane.show(run_summary(run) if self.narrow else run_facts(run))
        else:
            pane.show([] if launch is None else self._told(launch))
        self.tell_hints()

    def _told(self, launch: Launch) -> list[Item]:
        view = self.session.watch.known_batches.get(launch.batch_id or "")
        if self.narrow:
            return summary(launch, view)
        return [*facts(launch, view), Spans(), *request_lines(launch)]

    def on_resize(self) -> None:
        """The pane says as much as fits."""
        self.call_after_refresh(self._detail)

    def chosen(self) -> Launch | None:
        """The launch under the cursor, if it is one."""
        row = self.table.row
        other = self.run() is not None or self.by_hand() is not None
        return None if row is None or other else cast("Launch", row.item)

    def _why_no_launch(self) -> str:
        """Why the keys of a launch do nothing here, and where a run is undone."""
        run = self.run()
        if run is not None:
            return f"Enter opens run {run.run.id}: what can be done with it, undo too, is on its page."
        return "There is no launch." if self.by_hand() is None else "Work by hand cannot be undone or launched again."

    def by_hand(self) -> WrittenHandWork | None:
        """The work by hand under the cursor, if it is that."""
        row = self.table.row
        return row.item if row is not None and isinstance(row.item, WrittenHandWork) else None

    def run(self) -> RunView | None:
        """The run under the cursor, if it is one."""
        row = self.table.row
        return row.item if row is not None and isinstance(row.item, RunView) else None

    @on(LineTable.Opened, "#rows")
    def action_open(self) -> None:
        """The launch with its tasks, or the run with its waves."""
        launch, run = self.chosen(), self.run()
        if run is not None:
            self.navigator.show("run", run.run.id)
        elif launch is not None:
            self.navigator.show("launch", launch)

    def legend(self) -> str:
        """What the columns mean."""
        return "to: retries set   again: failed again since   Z restores the former retries"
