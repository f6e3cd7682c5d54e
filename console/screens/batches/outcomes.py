"""What has become of the tasks of a batch, one by one; those that failed again can be launched anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem, NotThere
from retriage.console.reading.selection import Marked
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.batches.rows import WORDS, WORK_INKS
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.live import LiveVerbs
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import count, short, things, until
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line import Line, Span
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.batches.known_batches import KnownBatch
    from retriage.console.batches.outcome import Outcome
    from retriage.console.batches.outcome_counts import FollowedTask
    from retriage.console.batches.task_state import State

COLUMNS = (
    Column("outcome", 11, keep=10),
    Column("task", 13, share=1, most=36, keep=9, tail=True),
    Column("topic", 12, share=1, most=24, keep=6),
    Column("key", 10, share=1, most=20, keep=7),
    Column("try", 3, keep=8, align="right"),
    Column("lock", 5, keep=4, align="right"),
    Column("worker", 8, share=1, most=20, keep=2),
    Column("error", 16, share=4, keep=5),
)
ORDER: tuple[State, ...] = (
    "again", "changed", "waiting", "delayed", "locked", "done", "gone", "unkept", "undone", "unset", "unknown",
)  # fmt: skip
"""States in the order in which ``f`` goes through them; tasks are shown in this order too."""
NOT_THERE: frozenset[State] = frozenset({"done", "gone", "unkept", "unknown"})
"""States of tasks that nobody can retry."""
AHEAD = 40
"""Rows that are handed to the table before it has asked for any."""


class OutcomesScreen(ConsoleScreen):
    """Tasks of a batch with their outcome, all of them or those of one state.

    Args:
        session: whose engine.
        batch: whose tasks.
        outcome: its tasks; kept up to date by the follower.
    """

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("outcomes.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("outcomes", "live", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"outcomes", "live", "detail"}))
    VIEW: ClassVar[str] = "batches"

    def __init__(self, session: Session, batch: KnownBatch, outcome: Outcome) -> None:
        super().__init__(session)
        self._batch = batch
        self._outcome = outcome
        self._only: State | None = "again" if outcome.tally.of("again") else None
        self.attach(LiveVerbs(self, self._look))

    @property
    def table(self) -> LineTable:
        """The tasks."""
        return self.query_one("#rows", LineTable)

    @property
    def states(self) -> tuple[State, ...]:
        """States whose tasks are shown."""
        return ORDER if self._only is None else (self._only,)

    def body(self) -> Iterable[Widget]:
        """How many are in which state, and the tasks."""
        yield Line(id="states")
        table = LineTable(COLUMNS, id="rows", empty="no such task")
        table.add_class("framed")
        yield table

    def on_mount(self) -> None:
        """Show the first rows."""
        launched_tasks = self._batch.launched_tasks
        probably = ", probably those of its launch" if launched_tasks is not None and launched_tasks.probable else ""
        self.table.border_title = f"Tasks of batch {inert(short(self._batch.view.id))}{probably}"
        self._show()

    def on_news(self, news: News) -> None:
        """The follower has looked again."""
        if news == "batches" and self.is_current:
            self._show()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._show()

    @work(group="outcomes.now", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        """Look at the tasks now."""
        await self.session.watch.look_at_work()

    def _show(self) -> None:
        self.query_one("#states", Line).show(self._states())
        table, tally = self.table, self._outcome.tally
        table.set_total(sum(tally.of(state) for state in self.states))
        if not table.total:
            table.refresh()
        first, last = table.window()
        self._hand_in(first, max(last, first + AHEAD))
        self.tell_hints()

    def _states(self) -> list[Span]:
        tally = self._outcome.tally
        spans: list[Span] = [*_chosen(f"all {count(tally.total)}", self._only is None)]
        for state in ORDER:
            if tally.of(state) or state == self._only:
                spans += _chosen(f"{WORDS.get(state, state)} {count(tally.of(state))}", state == self._only)
        return spans

    def _hand_in(self, first: int, last: int) -> None:
        now = self.session.connection.now()
        tasks = list(islice(self._outcome.tasks(self.states), first, last + 1))
        self.table.put(first, [_row(task, now) for task in tasks])

    @on(LineTable.RowsWanted, "#rows")
    def _rows_wanted(self, message: LineTable.RowsWanted) -> None:
        self._hand_in(message.first, message.last)

    @on(LineTable.MarksChanged, "#rows")
    def _marks_changed(self) -> None:
        self.tell_hints()

    def hint_labels(self) -> dict[str, str]:
        """``R`` says what it would take."""
        return {"outcomes.retry": f"retry {things(self._number(), 'task')}.."} if self.is_mounted else {}

    def idle(self) -> Collection[str]:
        """There is no task to retry, or none to mark."""
        if not self.is_mounted or self.table.total:
            return {"outcomes.retry"} if self.is_mounted and not self._number() else ()
        return {"outcomes.retry", "outcomes.open", *(action.name for action in at({"marks"}))}

    def _number(self) -> int:
        """Tasks that a launch would take."""
        marks, tally = self.table.marks, self._outcome.tally
        if not self._by_states:
            return len(marks.ids)
        return sum(tally.of(state) for state in self._taken()) - len(marks.ids if marks.everything else ())

    @property
    def _by_states(self) -> bool:
        """Tasks are taken by their state, since no single one is marked."""
        return self.table.marks.everything or not self.table.marks

    def _taken(self) -> tuple[State, ...]:
        """States whose tasks a launch would take: those of the list, but of the list of all those that failed again."""
        states: tuple[State, ...] = ("again",) if self._only is None and not self.table.marks else self.states
        return tuple(state for state in states if state not in NOT_THERE)

    def _chosen_ids(self) -> frozenset[str]:
        """The marked tasks; where none is marked those of the list."""
        if not self._by_states:
            return frozenset(self.table.marks.ids)
        return frozenset(task.id for task in self._outcome.tasks(self._taken())) - self.table.marks.ids

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_next_state(self) -> None:
        """Only the tasks of the next state."""
        self._turn(1)

    def action_previous_state(self) -> None:
        """Only the tasks of the state before."""
        self._turn(-1)

    def _turn(self, step: int) -> None:
        tally = self._outcome.tally
        there: list[State | None] = [None, *(state for state in ORDER if tally.of(state) or state == self._only)]
        self._only = there[(there.index(self._only) + step) % len(there)]
        self.table.begin(keep_marks=False)
        self._show()

    def action_retry(self) -> None:
        """A new launch of what failed again."""
        ids = self._chosen_ids()
        if not ids:
            self.session.news.say(self._why_none(), "warning")
            return
        which = f"{things(len(ids), 'task')} of batch {inert(short(self._batch.view.id))}"
        open_launch(self.app, self.session, Marked(ids, which), lambda batch_id: self.table.unmark())

    def _why_none(self) -> str:
        """Why a launch would take no task, in one sentence."""
        listed = [state for state in self.states if self._outcome.tally.of(state)]
        if not listed:
            return "There is no such task."
        if NOT_THERE.issuperset(listed):
            return "None of these tasks can be retried: they are gone."
        return "None of these tasks has failed again; f goes to others, by state."

    def action_open(self) -> None:
        """The task in full."""
        row = self.table.row
        if row is not None:
            self._open_task(row.id)

    @on(LineTable.Opened, "#rows")
    def _opened(self, message: LineTable.Opened) -> None:
        self._open_task(message.row.id)

    @work(group="outcomes.open", exclusive=True, exit_on_error=False)
    async def _open_task(self, task_id: str) -> None:
        try:
            task = await self.session.connection.ask(lambda client: client.external_task(task_id))
        except NotThere:
            self.session.news.say("This task is gone.", "warning")
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
        else:
            self.navigator.show("task", task)

    def action_back(self) -> None:
        """To the batch."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id of the task."""
        row = self.table.row
        if row is not None:
            self.hand_out(row.id)


def _chosen(text: str, here: bool) -> list[Span]:
    return [("[" if here else " ", "accent"), (text, "accent" if here else "muted"), ("] " if here else "  ", "accent")]


def _row(task: FollowedTask, now: datetime) -> Row:
    seen, ink = task.seen, WORK_INKS[task.state]
    word = WORDS.get(task.state, task.state)
    cells = [Cell(f"{word} NEW" if task.new else word, ink or "strong"), Cell(inert(task.id), "muted")]
    if seen is None:
        return Row(task.id, (*cells, *[Cell("")] * (len(COLUMNS) - 2)), task)
    tries = "-" if seen.retries is None else str(seen.retries)
    gone = task.state in ("done", "gone", "unkept")
    cells += [
        Cell(inert(seen.topic)),
        Cell(inert(seen.key)),
        Cell("" if gone else tries, "failed" if seen.retries == 0 and not gone else ""),
        Cell(until(seen.locked_until, now) if task.state in ("locked", "delayed") else "-", ink or "muted"),
        Cell(inert(seen.worker), "muted"),
        Cell(inert(seen.cause), "failed" if task.state == "again" else "faint"),
    ]
    return Row(task.id, tuple(cells), task)
