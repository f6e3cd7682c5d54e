"""A run: what happens next and why, what its gate sees, its waves, its steps. Held is a state here, nothing waits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.runs.command_text import resume_command_of
from retriage.console.runs.driver_name import who_drives
from retriage.console.runs.followed_runs import DELETED
from retriage.console.runs.next_step import NextStep, at_work, gate_reading, next_step
from retriage.console.runs.open_runs import tell_open_runs
from retriage.console.runs.run_view import RunRecords, RunView, read_records
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.live import LiveVerbs
from retriage.console.screens.runs.about_box import about
from retriage.console.screens.runs.gate_box import gate_lines, scale, seen
from retriage.console.screens.runs.rows import SIGNS, STEP_COLUMNS, WAVE_COLUMNS, step_rows, wave_row
from retriage.console.screens.runs.verbs import RunVerbs
from retriage.console.screens.runs_of import runs_of
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, count, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line, Span
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Item, Pane, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.runs.run_view import WaveView
    from retriage.console.runs.service import DrivenRun
    from retriage.console.text.ink import Ink

EVERY = 1.0
"""Seconds between two looks into the journal while the run is not over."""
CHROME, UPPER, LOW_UPPER = 5, 7, 5
"""Lines that are not shared out: the chrome with which run it is; and the two boxes."""
FEWEST_STEPS = 3
WORDS: dict[str, tuple[str, Ink]] = {
    "preparing": ("PREPARING", "accent"),
    "running": ("RUNNING", "accent"),
    "interrupted": ("HELD", "warning"),
    "held": ("HELD", "failed"),
    "passed": ("PASSED", "good"),
    "finished": ("FINISHED", "warning"),
    "stopped": ("STOPPED", "warning"),
    "void": ("NOT BEGUN", "warning"),
}
"""What a run is called, and its ink."""


class RunScreen(ConsoleScreen):
    """One run.

    Args:
        session: whose journal.
        run: its number, or the run as this console has just begun it.
    """

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("run", "waves", "live", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"run", "waves", "live", "detail"}))
    VIEW: ClassVar[str] = "journal"
    AUTO_FOCUS = "#waves"

    def __init__(self, session: Session, run: DrivenRun | int) -> None:
        super().__init__(session)
        self._run = run
        self._reading: RunRecords | None = None
        self._problem = ""
        self._placed = 0
        self.attach(RunVerbs(self, self.view))
        self.attach(LiveVerbs(self, self._read))

    def body(self) -> Iterable[Widget]:
        """What happens next, the gate, the waves, the steps."""
        yield Line(id="which")
        with Horizontal(id="upper"):
            yield Pane("What happens next", id="next", classes="framed")
            yield Pane("Gate", id="gate", classes="framed")
        waves = LineTable(WAVE_COLUMNS, markable=False, id="waves", empty="…")
        waves.add_class("framed")
        yield waves
        with Horizontal(id="lower"):
            steps = LineTable(STEP_COLUMNS, markable=False, id="steps", empty="nothing yet")
            steps.add_class("framed")
            yield steps
            yield Pane("What it is", id="about", classes="framed")

    def on_mount(self) -> None:
        """Read, and go on reading while it moves."""
        self.query_one("#waves").border_title = "Waves"
        self.query_one("#steps").border_title = "Steps"
        self.set_interval(EVERY, self._turn)
        self._read()
        self.call_after_refresh(self._show)

    # -- which run --------------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> int | None:
        """Its number; none while it is being written down."""
        return self._run if isinstance(self._run, int) else self._run.run_id

    @property
    def driven(self) -> DrivenRun | None:
        """What this console has to do with it; nothing where it is another's."""
        if not isinstance(self._run, int) and (self._run.run_id is None or self._run.at_work):
            return self._run
        return runs_of(self.app).of(self.run_id) if self.run_id is not None else None

    def view(self) -> RunView | None:
        """The run as it was read last."""
        return self._reading.view if self._reading is not None else None

    # -- reading ----------------------------------------------------------------------------------------------------

    def on_news(self, news: News) -> None:
        """It goes on."""
        if news in ("runs", "journal"):
            self._show()
            self._read()
        elif news == "state":
            self._turn()  # reading goes on after a pause

    def _turn(self) -> None:
        """Read, unless it is over: another console may drive, resume or stop it, and there is no news of that. Nothing
        is read while the console rests."""
        view = self.view()
        if self.session.watch.paused:
            return
        other = self._reading.other if self._reading is not None else None
        if self.is_current and not all(one is not None and one.run.over for one in (view, other or view)):
            self._read()

    @work(group="run.read", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        journal, number = self.session.memory.journal, self.run_id
        if journal is None or number is None:
            return
        try:
            records = await read_records(journal.runs, number)
        except journal_problem() as problem:
            self._problem = f"The journal cannot be read: {said_by_driver(problem)}"
            self._show()
            return
        self._problem = "" if records is not None else f"There is no run {number} in the journal."
        if records is not None:
            before, view = self.view(), records.view
            self._reading = records
            elsewhere = before is not None and (before.word, before.driven) != (view.word, view.driven)
            if elsewhere and not runs_of(self.app).at_work:
                await tell_open_runs(self.session)
        self._show()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._read()

    def on_resize(self) -> None:
        """The scale and the bars are as long as there is room."""
        self.call_after_refresh(self._show)

    # -- showing ----------------------------------------------------------------------------------------------------

    @property
    def narrow(self) -> bool:
        """There is no room for two boxes side by side."""
        return self.size.width < 100

    def _show(self) -> None:
        if not self.is_mounted:
            return
        reading = self._reading
        if reading is None:
            self._show_beginning()
        else:
            self.query_one("#which", Line).show(*_heading(reading.view))
            self._show_next(reading)
            self._show_waves(reading)
            steps = self.query_one("#steps", LineTable)
            rows = step_rows(reading.steps, reading.launches, reading.undos)
            steps.set_total(len(rows))
            steps.put(0, rows)
            if steps.cursor and not steps.has_focus:
                steps.move_to(0)
            self.query_one("#about", Pane).show(about(reading.view, reading.causes, reading.other_said))
        self.tell_hints()

    def _show_beginning(self) -> None:
        """It is being written down, or could not be."""
        driven = self.driven
        title = f" {inert(driven.title)}" if driven is not None else f" run {self.run_id}"
        self.query_one("#which", Line).show([(title, "strong")])
        problem = self._problem or (driven.problem if driven is not None else "")
        items: list[Item] = [Prose(driven.progress if driven is not None else "reading …", "accent")]
        if problem:
            items = [Prose(inert(problem), "failed"), Prose("Nothing was sent.", "muted")]
        elif driven is not None:
            items.append(Prose("Nothing is sent before all of it is written down.", "muted"))
        self.query_one("#next", Pane).show(items)

    def _show_next(self, reading: RunRecords) -> None:
        view = reading.view
        pane, gate = self.query_one("#next", Pane), self.query_one("#gate", Pane)
        driven = self.driven
        driver = driven.driver if driven is not None else None
        step = next_step(view, driver.watched if driver is not None else None)
        deleted = [one.said for one in reading.steps if one.what == DELETED and not view.run.over]
        part = [Prose(reading.other_said, "accent", lines=2)] if reading.other_said else []
        said = self._said(step, view)
        pane.show([said[0], *part, *said[1:], *(Prose(inert(text), "warning", lines=2) for text in deleted)])
        read = gate_reading(view)
        what = "Gate" if view.operation.gated else "How far"
        gate.entitle(f"{what} of wave {read.wave}" if read is not None else what)
        width = max(gate.size.width, 20)
        if self.narrow and view.operation.gated:
            lines: list[Item] = (
                [] if read is None else [seen(read, width, view.operation.unit)[0], Spans(tuple(scale(read, width)))]
            )
            gate.show(lines or gate_lines(read, view.run, width))
        else:
            gate.show(gate_lines(read, view.run, width))

    def _said(self, step: NextStep, view: RunView) -> list[Item]:
        items: list[Item] = [Prose(step.head, step.ink, lines=2)]
        items += [Prose(inert(sentence), lines=3) for sentence in step.why if sentence]
        if view.driven and self.driven is None:
            items.append(Prose(f"Driven by {inert(who_drives(view.run.driver))}.", "muted"))
        problem = self.driven.problem if self.driven is not None else ""
        if problem:
            items.insert(0, Prose(inert(problem), "failed", lines=2))
        return items

    def _show_waves(self, reading: RunRecords) -> None:
        view, table, batches = reading.view, self.query_one("#waves", LineTable), reading.batches
        held = at_work(view) if view.word in ("held", "interrupted") else None
        rows = [wave_row(one, batches.get(one.wave), held=one is held) for one in view.waves]
        table.border_title, table.border_subtitle = _sum(view), SIGNS
        low, frame = self.has_class("-low"), 2 if self.narrow else 3
        lines = self.size.height - CHROME - (LOW_UPPER if low else UPPER)
        height = lines if low else max(min(len(rows) + frame, lines - frame - FEWEST_STEPS), frame + 1)
        if table.styles.height is None or table.styles.height.value != height:
            table.styles.height = height
        table.set_total(len(rows))
        table.put(0, rows)
        # The cursor goes to the wave at work once, and is the operator's from then on.
        here = at_work(view)
        if here is not None and here.wave > self._placed and table.cursor in (0, self._placed - 1):
            self._placed = here.wave
            table.move_to(here.wave - 1)

    def wave(self) -> WaveView | None:
        """The wave under the cursor."""
        row = self.query_one("#waves", LineTable).row
        return cast("WaveView", row.item) if row is not None else None

    # -- keys -------------------------------------------------------------------------------------------------------

    @on(LineTable.Opened, "#waves")
    def action_open(self) -> None:
        """To the batch of the wave."""
        wave = self.wave()
        batch = self._reading.batches.get(wave.wave) if self._reading is not None and wave is not None else None
        if batch is None:
            self.session.news.say("This wave has no batch: nothing of it was sent.", "muted")
        else:
            self.run_worker(self.navigator.show_batch(batch), group="run.batch", exclusive=True, exit_on_error=False)

    def action_copy(self) -> None:
        """Copy the number of the run."""
        if self.run_id is not None:
            self.hand_out(str(self.run_id), "the number of the run")

    def action_copy_command(self) -> None:
        """Copy the command that goes on with it without a screen."""
        if self.run_id is None:
            return
        command = resume_command_of(self.session.connection.identity, self.run_id, login=self.session.connection.login)
        if command:
            self.hand_out(command, "the command")
        else:
            self.session.news.say("The demo engine ends with this console, so no command can use it.", "muted")

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()

    def idle(self) -> Collection[str]:
        """Batches only of waves that were sent."""
        wave = self.wave()
        sent = self._reading is not None and wave is not None and wave.wave in self._reading.batches
        return [*super().idle(), *(() if sent else ("waves.open",))]

    @on(LineTable.CursorMoved, "#waves")
    def _moved(self) -> None:
        self.tell_hints()

    def legend(self) -> str:
        """What the columns mean, those that there is room for."""
        shown = "again: first failure since  wait: not taken yet"
        return shown if self.narrow else f"{shown}  unkn: changed, cancelled or unknown  out: skipped"


def _heading(view: RunView) -> tuple[list[Span], list[Span]]:
    """Which run it is; on the right since when, and whose."""
    run = view.run
    word, ink = WORDS[view.word]
    wave = at_work(view)
    place = f"  wave {wave.wave} of {len(view.waves)}" if wave is not None else f"  {things(len(view.waves), 'wave')}"
    left: list[Span] = [
        (f" RUN {run.id}  ", "strong"),
        (word, ink),
        (place, ""),
        (f"  {view.operation.units(run.listed or 0)} {view.operation.brief_aim}", ""),
        (f"  {inert(run.reason)}" if run.reason else "", "strong"),
        (f"  {inert(run.title)}", "muted"),
    ]
    return left, [(f"  {inert(run.user)} {clock(run.began_at)} ", "muted")]


def _sum(view: RunView) -> str:
    counts = view.counts
    told = [f"{count(counts.done)} done"]
    told += [f"{count(counts.again)} again"] if view.operation.gated else []
    told += [f"{count(counts.open)} open"] if counts.open else []
    return f"Waves  {'  '.join(told)}  of {count(view.run.listed or 0)}  {view.as_of}".rstrip()
