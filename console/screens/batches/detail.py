"""One batch: are the retries set, did it help, why does it not move, what has failed, what has happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.batches.batch_events import NewCauses
from retriage.console.batches.batch_view import BatchView
from retriage.console.batches.failed_jobs import FailedJobs
from retriage.console.batches.inspection import BatchInspection
from retriage.console.batches.job_states import JobState
from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.batches.chart import LEGEND, LEGEND_OF_JOBS, OTHER_ENDS, chart_lines
from retriage.console.screens.batches.engine_box import doctor, engine_brief, engine_lines, heading
from retriage.console.screens.batches.incident_lines import incident_lines, incident_summary
from retriage.console.screens.batches.lists import (
    EVENT_COLUMNS,
    HALF_OF_JOBS,
    JOB_COLUMNS,
    event_rows,
    failed_rows,
    job_rows,
)
from retriage.console.screens.batches.outcomes import OutcomesScreen
from retriage.console.screens.batches.shares import share_lines
from retriage.console.screens.batches.verbs import BatchVerbs
from retriage.console.screens.batches.work_box import as_of, work_answer, work_brief
from retriage.console.screens.live import LiveVerbs
from retriage.console.session.freshness import Freshness
from retriage.console.session.news import News
from retriage.console.session.poller import Poller
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import count
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane, Prose, Spans, laid_out
from retriage.store.contract.queries import JobQuery

if TYPE_CHECKING:
    from retriage.console.batches.batch_events import BatchEvent
    from retriage.console.batches.inspection import BatchLook, Part
    from retriage.console.session.snapshot import Snapshot

EVERY, AT_MOST = 3.0, 4.0
"""Seconds between two looks, and where a look takes long: somebody watches."""
BROAD = 140
"""Columns from which half a screen has room for all that is told of the jobs."""
FRAME = 2
"""Lines, and columns, of a frame."""
CHROME = 5
"""Lines that are not shared out: the chrome, and which batch it is."""
PROBABLY = "Probably the batch of this launch, whose answer never came: nothing proves it yet."


class BatchDetail(ConsoleScreen):
    """A batch in full, also after it has moved to the history."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("detail.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("batches", "batch", "failures", "live", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"batches", "batch", "detail", "failures", "live"}))
    VIEW: ClassVar[str] = "batches"

    def __init__(self, session: Session, view: BatchView) -> None:
        super().__init__(session)
        self._batch = session.watch.known_batches.put(view)
        self._poller: Poller[BatchLook] | None = None
        self._fresh = Freshness(lambda: self._poller.rests if self._poller is not None else None, self._tell_fresh)
        self._looked: BatchLook | None = None
        self._had_groups = False
        self.attach(BatchVerbs(self, self.chosen, self._look_now, self.group, self.vital_job))
        self.attach(LiveVerbs(self, self._look_now))

    def body(self) -> Iterable[Widget]:
        """Two questions above, the doctor between, then how it went, its jobs and events."""
        yield Line(id="which")
        with Horizontal(id="upper"):
            yield Pane("Engine: are the retries set?", id="engine", classes="framed")
            yield Pane("Work: did it help?", id="work", classes="framed")
        yield Pane(id="doctor")
        with Horizontal(id="since"):
            yield Pane("Since the launch", id="chart", classes="framed")
            yield Pane("Incidents since the launch", id="incidents", classes="framed")
        with Container(id="lists"):
            jobs = LineTable(JOB_COLUMNS, markable=False, id="jobs", empty="looking …")
            jobs.add_class("framed")
            yield jobs
            events = LineTable(EVENT_COLUMNS, markable=False, id="events", empty="nothing yet")
            events.add_class("framed")
            yield events

    def on_mount(self) -> None:
        """Show what is known, ask for the rest."""
        self.query_one("#events").border_title = "Events"
        self.session.watch.take_from_run(self._batch.view.id)
        self._watch()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Bars are as long as there is room; what does not fit is left out."""
        self.call_after_refresh(self._show)

    def on_news(self, news: News) -> None:
        """The batch has moved on: what is shown of it is read again, all of it."""
        if news == "batches" and self._looked is None:
            self._show()
        elif news == "batches" and self.is_current and self.chosen().phase != self._batch.view.phase:
            self._look_now()
        elif news == "state":
            self._tell_page()

    @property
    def freshness(self) -> Freshness:
        """What became of the last look."""
        return self._fresh

    def _tell_fresh(self) -> None:
        if self.is_attached:
            self.tell_chrome()

    def chosen(self) -> BatchView:
        """The batch as the page shows it: as of the last look, before the first as it was listed."""
        return self._looked.view if self._looked is not None else self._batch.view

    # -- asking -----------------------------------------------------------------------------------------------------

    @work(group="batch.watch", exclusive=True, exit_on_error=False)
    async def _watch(self) -> None:
        try:
            await self.session.connection.ask(
                lambda client: self.session.watch.known_batches.open(client, self._batch.view)
            )
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
        inspection, watch = BatchInspection(self._batch, self.session.watch.known_batches), self.session.watch
        self._poller = Poller(
            lambda: watch.look_at(inspection, self._fresh),
            self._show_looked,
            interval=EVERY,
            at_most=AT_MOST,
            wanted=lambda: self._reads and not self._over(),
        )
        self._poller.start()
        self._tell_page()
        if self.session.watch.paused:
            self._look_now()

    def _show_looked(self, snapshot: Snapshot[BatchLook]) -> None:
        if snapshot.value is not None:
            self._looked = snapshot.value
            self._show()

    def _over(self) -> bool:
        """Nothing about it changes any more: it has ended, and so have its tasks, where they are followed."""
        looked = self._looked
        if looked is None or not looked.view.ended:
            return False
        view = looked.view
        told = looked.incidents is None or looked.incidents.complete
        return looked.read >= view.failed and told and (view.work is None or view.work.settled)

    @work(group="batch.now", exclusive=True, exit_on_error=False)
    async def _look_now(self) -> None:
        if self._poller is not None and self._poller.running:
            await self._poller.refresh()

    @property
    def _reads(self) -> bool:
        return self.in_front and not self.session.watch.paused

    def _tell_page(self) -> None:
        """Whether this page reads the tasks of the batch, so that nobody else has to."""
        self._batch.on_page = self._reads

    # -- showing ----------------------------------------------------------------------------------------------------

    @property
    def narrow(self) -> bool:
        """There is no room for two boxes side by side."""
        return self.size.width < 100

    @property
    def _beside(self) -> bool:
        """Jobs and events stand side by side, unless jobs have failed: what those say takes the whole width."""
        return not self.narrow and not self._had_groups

    def _show(self) -> None:
        if not self.is_mounted:
            return
        view, now = self.chosen(), self.session.connection.now()
        until = self._looked.until if self._looked is not None else None
        self.query_one("#which", Line).show(heading(view, self._batch.launched_tasks, now, until, self.size.width))
        self._show_engine(view)
        self._show_work(view)
        self._show_doctor(view)
        self._show_jobs(view, now)
        self._show_since(view)
        self._show_events(view, now)
        self.tell_hints()

    def _unread(self, part: Part) -> str:
        """Why this part could not be read in the last look; empty if it could."""
        return self._looked.unread.get(part, "") if self._looked is not None else ""

    def _show_engine(self, view: BatchView) -> None:
        pane = self.query_one("#engine", Pane)
        diagnosis = self._looked.diagnosis if self._looked is not None else None
        lines = engine_brief if self.narrow else engine_lines
        pane.show(lines(view, diagnosis, pane.size.width, unread=bool(self._unread("jobs"))))

    def _show_work(self, view: BatchView) -> None:
        pane, launched_tasks = self.query_one("#work", Pane), self._batch.launched_tasks
        if view.work is not None:
            items = work_brief(view) if self.narrow else work_answer(view, pane.size.width, pane.size.height)
        else:
            items = [
                Prose(
                    launched_tasks.why_not if launched_tasks is not None else "looking …",
                    "muted",
                    lines=2 if self.narrow else 6,
                )
            ]
        if unread := self._unread("tasks"):
            items.append(Prose(f"Not read now: {unread}", "warning", lines=2))
        pane.border_subtitle = as_of(view)
        since = self._looked.incidents if self._looked is not None else None
        if self.narrow and since is not None:
            items.append(Spans((("incidents since  ", "muted"), *incident_summary(since))))
        if launched_tasks is not None and launched_tasks.probable:
            items.append(Prose(PROBABLY, "warning", lines=2))
        pane.show(items)

    def _show_doctor(self, view: BatchView) -> None:
        pane = self.query_one("#doctor", Pane)
        diagnosis = self._looked.diagnosis if self._looked is not None else None
        items = doctor(view, diagnosis, self._unread("jobs"), readonly=self.session.connection.safety.readonly)
        pane.styles.height = len(laid_out(items, max(self.size.width - 2, 20)))
        pane.display = bool(items)
        pane.show(items)

    def _show_jobs(self, view: BatchView, now: datetime) -> None:
        """The failed jobs by cause first: they are what something can be done about."""
        table, looked = self.query_one("#jobs", LineTable), self._looked
        groups = looked.failed if looked is not None else ()
        orders = not view.ended and not self.session.connection.safety.readonly
        rows = failed_rows(groups, orders=orders)
        rows += job_rows(looked.jobs if looked is not None else (), now, orders=orders)
        appears = bool(groups) and not self._had_groups
        self._had_groups = bool(groups)
        table.display = bool(rows)
        table.border_title = self._title_of_jobs(view, len(groups))
        table.set_total(len(rows))
        table.put(0, rows)
        events = self.query_one("#events", LineTable)
        if appears and not events.cursor:
            table.move_to(0)
            table.focus()
        elif table.has_focus and not rows:
            events.focus()

    def _title_of_jobs(self, view: BatchView, groups: int) -> str:
        read = self._looked.read if self._looked is not None else 0
        first = f"the first {count(read)} of {count(view.failed)} " if 0 < read < view.failed else ""
        if view.ended:
            return f"Failed batch jobs, {first}by cause (what had failed when it was dropped)"
        return f"Jobs: {first}failed ones by cause (they keep the batch open)" if groups else "Jobs"

    # -- how it went ------------------------------------------------------------------------------------------------

    def _show_since(self, view: BatchView) -> None:
        """The chart, where something was seen, and the incidents, where there were any: each gets its lines first."""
        chart, incidents = self.query_one("#chart", Pane), self.query_one("#incidents", Pane)
        timeline, until = self._batch.timeline, self._looked.until if self._looked is not None else None
        since, unread = self._looked.incidents if self._looked is not None else None, self._unread("incidents")
        causes = since is not None and bool(since.causes)
        seen = timeline is not None and len(timeline.steps(2, until)[1]) > 1
        # While it runs both have their places from the beginning: nothing jumps when the first figures come.
        runs = not view.ended
        lines = self._share_lines(seen or causes or runs) - FRAME
        incidents.display, chart.display = causes or runs, seen or runs
        causes = incidents.display
        none = Prose(f"Not read now: {unread}", "warning") if unread else Prose("reading …", "faint")
        incidents.show(incident_lines(since, lines) if since is not None else [none])
        if timeline is None or not seen:
            chart.show([Prose("Drawn after the second reading.", "faint")])
            return
        width = (self.size.width // 2 if causes else self.size.width) - FRAME - 2
        work = view.work if timeline.of_tasks else None
        since_when = "Since the launch" if timeline.since == view.start else "Since first seen"
        other = OTHER_ENDS if work is not None and work.other else ""
        chart.entitle(f"{since_when}  {f'{LEGEND}{other}' if work is not None else LEGEND_OF_JOBS}")
        total = work.total if work is not None else view.total
        chart.show(chart_lines(timeline, total, width, lines, until))

    def _share_lines(self, shown: bool) -> int:
        """Give each part its lines; answers how many the chart and the incidents get."""
        upper, doctor, since, lists, jobs, events = (
            self.query_one(f"#{id}") for id in ("upper", "doctor", "since", "lists", "jobs", "events")
        )
        beside = jobs.display and self._beside
        lists.set_class(beside, "-beside")
        self.query_one("#jobs", LineTable).hide(HALF_OF_JOBS if beside and self.size.width < BROAD else frozenset())
        shares = share_lines(
            self.size.height - CHROME - len(self.query("TourLine")),
            narrow=self.narrow,
            doctor=int(doctor.styles.height.value) if doctor.display and doctor.styles.height is not None else 0,
            jobs=self.query_one("#jobs", LineTable).total if jobs.display else 0,
            since=shown,
            beside=beside,
        )
        since.display = shares.since > 0
        lines_of_lists = shares.events if beside else shares.jobs + shares.events
        for part, lines in (
            (upper, shares.upper),
            (since, shares.since),
            (lists, lines_of_lists),
            (jobs, shares.jobs),
            (events, shares.events),
        ):
            if part.styles.height is None or part.styles.height.value != lines:
                part.styles.height = lines
        return shares.since

    def _show_events(self, view: BatchView, now: datetime) -> None:
        rows = event_rows(self._looked.events if self._looked is not None else (), now)
        table = self.query_one("#events", LineTable)
        unread = self._unread("job log")
        table.border_subtitle = f"job log not read: {inert(unread)}" if unread else ""
        newest = not table.cursor or not table.has_focus
        table.set_total(len(rows))
        table.put(0, rows)
        if newest and table.cursor:
            table.move_to(0)

    def idle(self) -> Collection[str]:
        """Its tasks are known only where it was launched from here."""
        return [*super().idle(), *(() if self._batch.outcome is not None else ("batch.outcomes",))]

    # -- the group under the cursor ---------------------------------------------------------------------------------

    def group(self) -> FailedJobs | None:
        """The failed jobs under the cursor, while their table has the focus."""
        table = self.query_one("#jobs", LineTable)
        row = table.row if table.display and table.has_focus else None
        return row.item if row is not None and isinstance(row.item, FailedJobs) else None

    def vital_job(self) -> str:
        """The seed or monitor job that keeps the batch from going on; empty if there is none."""
        diagnosis = self._looked.diagnosis if self._looked is not None else None
        return diagnosis.job if diagnosis is not None else ""

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_screen_suspend(self) -> None:
        """Nothing is read behind a dialog."""
        self._tell_page()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._tell_page()
        self._show()

    def on_unmount(self) -> None:
        """Look no more."""
        self._batch.on_page = False
        if self._poller is not None:
            self._poller.close()

    def action_open(self) -> None:
        """One job of the group in full; of an event about tasks, the tasks."""
        group, jobs = self.group(), self.query_one("#jobs", LineTable)
        if group is not None:
            self._open_job(group.jobs[0])
            return
        if jobs.has_focus:
            one = jobs.row.item if jobs.row is not None else None
            if isinstance(one, JobState) and one.job:
                self._open_job(one.job)
            return
        row = self.query_one("#events", LineTable).row
        if row is not None and isinstance(cast("BatchEvent", row.item).what, NewCauses):
            self.action_outcomes()
        elif row is not None:
            self.session.news.say(inert(cast("BatchEvent", row.item).sentence))

    @work(group="batch.job", exclusive=True, exit_on_error=False)
    async def _open_job(self, job_id: str) -> None:
        try:
            jobs = await self.session.connection.ask(lambda client: client.jobs(JobQuery(job_id=job_id), 0, 1))
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
            return
        if jobs:
            self.navigator.show("job", jobs[0])
        else:
            self.session.news.say("This job is gone.", "warning")

    def action_outcomes(self) -> None:
        """What has become of its tasks, one by one."""
        launched_tasks = self._batch.launched_tasks
        if self._batch.outcome is None:
            self.session.news.say(
                launched_tasks.why_not if launched_tasks is not None else "Its tasks are not looked up yet.", "warning"
            )
            return
        self.app.push_screen(OutcomesScreen(self.session, self._batch, self._batch.outcome))

    def action_back(self) -> None:
        """To the list."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id of the batch."""
        self.hand_out(self._batch.view.id)
