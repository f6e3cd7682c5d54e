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

from console.actions import at
from console.batches.batch_events import NewCauses, newest_first, record_events
from console.batches.batch_view import BatchView
from console.batches.failed_jobs import FailedJobs
from console.batches.inspection import BatchInspection
from console.batches.job_states import JobState
from console.engine.errors import EngineProblem
from console.screens.base import BASE_CSS, ConsoleScreen
from console.screens.batches.chart import LEGEND, LEGEND_OF_JOBS, chart_lines
from console.screens.batches.engine_box import doctor, engine_brief, engine_lines, heading
from console.screens.batches.incident_lines import incident_lines, incident_summary
from console.screens.batches.lists import EVENT_COLUMNS, HALF_OF_JOBS, JOB_COLUMNS, event_rows, failed_rows, job_rows
from console.screens.batches.outcomes import OutcomesScreen
from console.screens.batches.shares import share_lines
from console.screens.batches.verbs import BatchVerbs
from console.screens.batches.work_box import as_of, work_answer, work_brief
from console.screens.live import LiveVerbs
from console.session.poller import Poller
from console.session.session import News, Session
from console.text.inert import inert
from console.text.words import clock, count, things
from console.widgets.bindings import bindings
from console.widgets.line import Line
from console.widgets.line_table import LineTable
from console.widgets.pane import Pane, Prose, Spans, laid_out
from store.contract.queries import JobQuery

if TYPE_CHECKING:
    from console.batches.batch_events import BatchEvent
    from console.batches.inspection import Looked
    from console.batches.launched_tasks import LaunchedTasks
    from console.session.snapshot import Snapshot

EVERY = 3.0
SHORT_IDS = 140
"""Columns below which the id of the batch is cut, so that the reason for the launch is seen."""
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
        self._view = view
        self._poller: Poller[Looked] | None = None
        self._inspection: BatchInspection | None = None
        self._looked: Looked | None = None
        self._had_groups = False
        self._seen_ended = False
        self.attach(BatchVerbs(self, self.chosen, self._look_now, self.group, self.vital_job))
        self.attach(LiveVerbs(self, self._look_at_all))

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
        self.session.watched_by_run.discard(self._view.id)
        self._watch()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Bars are as long as there is room; what does not fit is left out."""
        self.call_after_refresh(self._show)

    def on_news(self, news: News) -> None:
        """The batch has moved on."""
        if news in ("batches", "counts"):
            self._show()
        elif news == "state":
            self._heed_pause()

    def chosen(self) -> BatchView:
        """The batch as it is known now."""
        return self.session.known_batches.get(self._view.id) or self._view

    # -- asking -----------------------------------------------------------------------------------------------------

    @work(group="batch.watch", exclusive=True, exit_on_error=False)
    async def _watch(self) -> None:
        self._inspection = BatchInspection(self.chosen(), self.session.known_batches, self._is_ours)
        self._poller = Poller(self._look, self._show_looked, interval=EVERY)
        self._poller.start()
        if self.session.paused:
            self._poller.pause()
            self._look_now()
        try:
            await self.session.ask(lambda client: self.session.known_batches.open(client, self._view))
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
        if self.session.follower is not None:
            await self.session.follower.look_at_work()
        self._show()

    def _is_ours(self, task_id: str) -> bool:
        launched_tasks = self._launched_tasks
        return (
            launched_tasks is not None
            and launched_tasks.outcome is not None
            and launched_tasks.outcome.state(task_id) is not None
        )

    async def _look(self) -> Looked:
        inspection = self._inspection
        assert inspection is not None
        acquired = "acquired" not in self.session.capabilities.unreliable("jobs")
        return await self.session.ask(lambda client: inspection.look(client, self.chosen(), acquired))

    def _show_looked(self, snapshot: Snapshot[Looked]) -> None:
        if snapshot.value is not None:
            self._looked = snapshot.value
            if self._looked.of_ended and self._poller is not None and self._over():
                self._poller.pause()
            self._show()

    def _over(self) -> bool:
        """Nothing about it changes any more: it has ended, and so have its tasks, where they are followed."""
        view, looked = self.chosen(), self._looked
        read = looked is not None and looked.read >= view.failed
        told = looked is None or looked.incidents is None or looked.incidents.complete
        return read and told and (view.work is None or view.work.settled)

    @work(group="batch.now", exclusive=True, exit_on_error=False)
    async def _look_now(self) -> None:
        await self._look_once()

    async def _look_once(self) -> None:
        if self._poller is not None and self._poller.running:
            await self._poller.refresh()

    @work(group="batch.now", exclusive=True, exit_on_error=False)
    async def _look_at_all(self) -> None:
        """Read the batch, its jobs and its tasks now."""
        if self.session.follower is not None:
            await self.session.follower.look()
            await self.session.follower.look_at_work()
        await self._look_once()

    def _heed_pause(self) -> None:
        """Read on, unless the console is paused or something else is in front."""
        if self._poller is not None:
            (self._poller.resume if self.is_current and not self.session.paused else self._poller.pause)()

    # -- showing ----------------------------------------------------------------------------------------------------

    @property
    def narrow(self) -> bool:
        """There is no room for two boxes side by side."""
        return self.size.width < 100

    @property
    def _beside(self) -> bool:
        """Jobs and events stand side by side, unless jobs have failed: what those say takes the whole width."""
        return not self.narrow and not self._had_groups

    @property
    def _launched_tasks(self) -> LaunchedTasks | None:
        follower = self.session.follower
        return follower.launched_tasks(self._view.id) if follower is not None else None

    def _show(self) -> None:
        if not self.is_mounted:
            return
        view, now = self.chosen(), self.session.now()
        self.query_one("#which", Line).show(
            heading(view, self._launched_tasks, now, narrow=self.size.width < SHORT_IDS)
        )
        self._show_engine(view)
        self._show_work(view)
        self._show_doctor(view)
        self._show_jobs(view, now)
        self._show_since(view)
        self._show_events(view, now)
        self.tell_hints()

    def _show_engine(self, view: BatchView) -> None:
        pane = self.query_one("#engine", Pane)
        diagnosis = self._looked.diagnosis if self._looked is not None and not view.ended else None
        lines = engine_brief if self.narrow else engine_lines
        pane.show(lines(view, diagnosis, pane.size.width))

    def _show_work(self, view: BatchView) -> None:
        pane, launched_tasks = self.query_one("#work", Pane), self._launched_tasks
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
        pane.border_subtitle = as_of(view.work)
        since = self._looked.incidents if self._looked is not None else None
        if self.narrow and since is not None:
            items.append(Spans((("incidents since  ", "muted"), *incident_summary(since))))
        if launched_tasks is not None and launched_tasks.probable:
            items.append(Prose(PROBABLY, "warning", lines=2))
        pane.show(items)

    def _show_doctor(self, view: BatchView) -> None:
        pane = self.query_one("#doctor", Pane)
        diagnosis = self._looked.diagnosis if self._looked is not None else None
        items = doctor(view, diagnosis, readonly=self.session.safety.readonly)
        pane.styles.height = len(laid_out(items, max(self.size.width - 2, 20)))
        pane.display = bool(items)
        pane.show(items)

    def _show_jobs(self, view: BatchView, now: datetime) -> None:
        """The failed jobs by cause first: they are what something can be done about."""
        table, looked = self.query_one("#jobs", LineTable), self._looked
        if looked is not None and looked.of_ended != view.ended:
            # What was read while it ran is not so any more.
            looked = None
            if view.ended and not self._seen_ended:
                self._seen_ended = True
                self._look_now()
        groups = looked.failed if looked is not None else ()
        orders = not view.ended and not self.session.safety.readonly
        rows = failed_rows(groups, orders=orders)
        rows += job_rows(looked.jobs if looked is not None else (), now, orders=orders)
        appears = bool(groups) and not self._had_groups
        self._had_groups = bool(groups)
        table.display = bool(rows)
        table.border_title = self._title_of_jobs(view, len(groups))
        table.border_subtitle = f"as of {clock(looked.at)}" if looked is not None and looked.at is not None else ""
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
        timeline = self.session.known_batches.timeline(view.id)
        since = self._looked.incidents if self._looked is not None else None
        causes = since is not None and bool(since.causes)
        seen = timeline is not None and len(timeline.steps(2)[1]) > 1
        # While it runs both have their places from the beginning: nothing jumps when the first figures come.
        runs = not view.ended
        lines = self._share_lines(seen or causes or runs) - FRAME
        incidents.display, chart.display = causes or runs, seen or runs
        causes = incidents.display
        incidents.show(incident_lines(since, lines) if since is not None else [Prose("reading …", "faint")])
        if timeline is None or not seen:
            chart.show([Prose("Drawn after the second reading.", "faint")])
            return
        width = (self.size.width // 2 if causes else self.size.width) - FRAME - 2
        work = view.work if timeline.of_tasks else None
        chart.entitle(f"Since the launch  {LEGEND if work is not None else LEGEND_OF_JOBS}")
        total = work.total if work is not None else view.total
        open_now = self.session.counts.get("incidents")  # as on line 2
        chart.border_subtitle = f"{things(open_now, 'incident')} open" if open_now is not None else ""
        chart.show(chart_lines(timeline, total, width, lines))

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
        rows = event_rows(self._events(view), now)
        table = self.query_one("#events", LineTable)
        newest = not table.cursor or not table.has_focus
        table.set_total(len(rows))
        table.put(0, rows)
        if newest and table.cursor:
            table.move_to(0)

    def _events(self, view: BatchView) -> list[BatchEvent]:
        """Everything that is known to have happened, the newest first."""
        known = [
            *record_events(view.total, view.user, view.start, view.execution_start, view.end, view.batch_end),
            *self.session.known_batches.events(view.id),
            *(self._looked.log if self._looked is not None else ()),
        ]
        return newest_first(known)

    def idle(self) -> Collection[str]:
        """Its tasks are known only where it was launched from here."""
        launched_tasks = self._launched_tasks
        known = launched_tasks is not None and launched_tasks.outcome is not None
        return [*super().idle(), *(() if known else ("batch.outcomes",))]

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
        if self._poller is not None:
            self._poller.pause()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._heed_pause()
        self._show()

    def on_unmount(self) -> None:
        """Look no more."""
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
            self.session.say(inert(cast("BatchEvent", row.item).sentence))

    @work(group="batch.job", exclusive=True, exit_on_error=False)
    async def _open_job(self, job_id: str) -> None:
        try:
            jobs = await self.session.ask(lambda client: client.jobs(JobQuery(job_id=job_id), 0, 1))
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
            return
        if jobs:
            self.navigator.show("job", jobs[0])
        else:
            self.session.say("This job is gone.", "warning")

    def action_outcomes(self) -> None:
        """What has become of its tasks, one by one."""
        launched_tasks = self._launched_tasks
        if launched_tasks is None or launched_tasks.outcome is None:
            self.session.say(
                launched_tasks.why_not if launched_tasks is not None else "Its tasks are not looked up yet.", "warning"
            )
            return
        self.app.push_screen(OutcomesScreen(self.session, self._view.id, launched_tasks.outcome))

    def action_back(self) -> None:
        """To the list."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id of the batch."""
        self.hand_out(self._view.id)
