"""What the console watches all the time, whatever screen is in front: the batches and their tasks, and how many rows
each view has."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from console.batches.batch_events import Ended, announcement
from console.batches.launched_tasks import LaunchedTasks, launched_tasks_of
from console.session.poller import Poller
from console.text.inert import inert
from store.contract.queries import ExternalTaskQuery, IncidentQuery, JobQuery, ProcessInstanceQuery
from store.contract.records import SET_EXTERNAL_TASK_RETRIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.batches.batch_view import BatchView
    from console.batches.outcome import Outcome
    from console.batches.outcome_counts import OutcomeCounts
    from console.session.session import Session
    from console.session.snapshot import Snapshot

BATCHES_EVERY = 2.0
"""Seconds between two looks at the batches while any runs."""
BATCHES_EVERY_AT_REST = 10.0
"""The same while none does: one of somebody else's is news, but not urgent."""
COUNTS_EVERY = 30.0
COUNTS_EVERY_WHILE_LAUNCHED = 2.0
COUNTS_EVERY_WHILE_FILLING = 1.0
FILLED_EVERY = 0.5
"""Seconds between two looks at how far the world of a demo is written."""
SETTLING = 2.0
"""Seconds after its last task until what follows it is written too: the batches of other operators."""
FAILED_JOBS = "failed_jobs"
"""Counted beside the views: jobs with no retries left."""
ENDS_EVERY = 1.0
"""Seconds between two looks at how ended batches ended; they are asked about once."""
WORK_EVERY = 3.0
WORK_EVERY_AT_FIRST = 1.0
"""Seconds between two looks while some tasks have not been looked at yet."""
WORK_AT_MOST = 4.0
"""Seconds between two looks also where a look takes long: somebody watches what becomes of the tasks."""

NO_JOURNAL = "Not known: there is no journal that names its tasks."


class WorkLook(NamedTuple):
    """What a look at the tasks of all batches has found.

    Attributes:
        at: when it was, which is news also where the figures are what they were; none where no task is open any more.
        tallies: the figures by the ids of the batches.
    """

    at: datetime | None
    tallies: dict[str, OutcomeCounts]


class BackgroundReading:
    """Keeps what a session knows of batches, and its counts, up to date. Made when the engine is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._batches: Poller[tuple[BatchView, ...]] = Poller(
            self._read_batches, self._show_batches, interval=BATCHES_EVERY_AT_REST
        )
        self._counts: Poller[dict[str, int]] = Poller(self._count, self._show_counts, interval=COUNTS_EVERY)
        self._work: Poller[WorkLook] = Poller(
            self._look_at_work, self._show_work, interval=WORK_EVERY, at_most=WORK_AT_MOST
        )
        self._batch_ends: Poller[int] = Poller(
            lambda: session.ask(session.known_batches.learn),
            lambda _: session.news.publish("batches"),
            interval=ENDS_EVERY,
        )
        self._launched_tasks: dict[str, LaunchedTasks] = {}
        self._learning: asyncio.Task[object] | None = None
        self._working: asyncio.Task[object] | None = None
        self._counting: asyncio.Task[object] | None = None
        self._filling: asyncio.Task[object] | None = None
        self._going_on = asyncio.Event()
        self._going_on.set()
        self._runs: set[str] = set()
        self._at_work: set[str] = set()
        """Batches that ran, and those of them that had jobs to do, when last looked at."""
        session.known_batches.wake = self._learn_soon

    def start(self) -> None:
        """Begin to look."""
        for poller in self._pollers:
            poller.start()
        if self._session.filling:
            self._counts.every(self._counts_every)
            self._filling = asyncio.create_task(self._until_filled(), name="filling")

    async def stop(self) -> None:
        """Look no more."""
        if self._filling is not None:
            self._filling.cancel()
        for poller in self._pollers:
            await poller.stop()

    async def _until_filled(self) -> None:
        """Tell how far the world of a demo is written; once it is, what was read of a part of it is read again."""
        while self._session.filling:
            self._session.news.publish("counts")
            await asyncio.sleep(FILLED_EVERY)
        self._counts.every(self._counts_every)
        await self._going_on.wait()
        self._session.news.publish("filled")
        await asyncio.gather(self.count(), self.look())
        await asyncio.sleep(SETTLING)
        await self._going_on.wait()
        await asyncio.gather(self.count(), self.look())

    def heed_pause(self) -> None:
        """Rest while the session is paused; look no more often than its pace."""
        (self._going_on.clear if self._session.paused else self._going_on.set)()
        self._batches.every(self._batches_every)
        for poller in self._pollers:
            if poller.paused != self._session.paused:
                (poller.pause if self._session.paused else poller.resume)()

    @property
    def _pollers(self) -> tuple[Poller[Any], ...]:
        return (self._batches, self._counts, self._work, self._batch_ends)

    async def look(self) -> None:
        """Read the batches now."""
        if self._batches.running:
            self._session.known_batches.expire()
            await self._batches.refresh()

    async def count(self) -> None:
        """Count the rows of each view now."""
        if self._counts.running:
            await self._counts.refresh()

    async def look_at_work(self) -> None:
        """Look at the tasks of the batches now."""
        if self._work.running:
            await self._work.refresh()

    async def launched(self, batch_id: str) -> None:
        """A batch was launched here: it is looked for until it has ended, and its tasks are followed."""
        self._session.launched.add(batch_id)
        self._session.known_batches.expect(batch_id)
        self._launched_tasks.pop(batch_id, None)
        await self.look()
        if self._session.known_batches.get(batch_id) is None and self._session.rights.unseen("batches"):
            self._session.launched.discard(batch_id)  # it will never be seen, running or ended
        # Thousands of tasks take seconds to look at: whoever has launched them waits for the batch alone.
        self._work_soon()

    def forget(self, batch_id: str) -> None:
        """A batch was launched by somebody else after all, or is proven to be ours: what is told of it is looked up."""
        self._launched_tasks.pop(batch_id, None)

    def undone(self, batch_id: str, ids: Iterable[str]) -> None:
        """An undo of the launch that made this batch was ordered for these tasks."""
        launched_tasks = self._launched_tasks.get(batch_id)
        if launched_tasks is not None and launched_tasks.outcome is not None:
            launched_tasks.outcome.setting_back(ids)

    def _work_soon(self) -> None:
        """Look at the tasks now: all of them are set."""
        if self._work.running and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work.refresh(), name="work")

    def _learn_soon(self) -> None:
        """Look into the ended batches that have come into sight, unless that is being done."""
        if self._batch_ends.running and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._batch_ends.refresh(), name="batch ends")

    def launched_tasks(self, batch_id: str) -> LaunchedTasks | None:
        """What a batch was launched for, once that was looked up."""
        return self._launched_tasks.get(batch_id)

    # -- batches ----------------------------------------------------------------------------------------------------

    @property
    def _batches_every(self) -> float:
        live = self._session.launched or self._session.known_batches.running()
        return max(BATCHES_EVERY if live else BATCHES_EVERY_AT_REST, self._session.pace)

    @property
    def _counts_every(self) -> float:
        if self._session.filling:
            return COUNTS_EVERY_WHILE_FILLING
        return COUNTS_EVERY_WHILE_LAUNCHED if self._session.launched else COUNTS_EVERY

    async def _read_batches(self) -> tuple[BatchView, ...]:
        """The batches; a view that lists them reads them for everybody."""
        # Less than the interval: what this poller has read itself at its last turn is old.
        seconds = self._batches_every * 0.9
        return await self._session.ask(lambda client: self._session.known_batches.read_unless(client, seconds))

    def _show_batches(self, snapshot: Snapshot[tuple[BatchView, ...]]) -> None:
        views = snapshot.value
        if views is None:
            return
        running = {view.id for view in views if not view.ended}
        for batch_id in sorted(self._session.launched - running):
            self._ended(batch_id)
        self._session.count(batches=len(running))
        self._heed_movement(views)
        self._counts.every(self._counts_every)
        self._batches.every(self._batches_every)
        self._session.news.publish("batches")

    def _heed_movement(self, views: tuple[BatchView, ...]) -> None:
        """When a batch has no job left to do, or ends, what is shown beside it is asked for again: the number of jobs,
        and its tasks."""
        runs = {view.id for view in views if not view.ended}
        at_work = {view.id for view in views if not view.ended and view.progress.waiting}
        if self._runs - runs or self._at_work - at_work:
            self.count_soon()
        self._runs, self._at_work = runs, at_work
        followed = [view for view in views if view.work is not None and not view.work.settled]
        if any(_state_of_jobs(view)[1] and view.work_at is not None for view in followed):
            self._work_soon()

    def count_soon(self) -> None:
        """Count now, unless that is being done."""
        if self._counts.running and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._counts.refresh(), name="counts")

    def _ended(self, batch_id: str) -> None:
        view = self._session.known_batches.get(batch_id)
        if view is not None and view.ended:
            self._session.launched.discard(batch_id)
            self._work_soon()
            sentence, ink = announcement(batch_id, Ended(view.total, view.batch_end))
            self._session.say(inert(sentence), ink)

    # -- their tasks ------------------------------------------------------------------------------------------------

    async def _look_at_work(self) -> WorkLook:
        """A piece of the tasks of every batch whose tasks are known and not all at their end."""
        found: dict[str, OutcomeCounts] = {}
        unread, open_ = False, False
        for view in self._session.known_batches.all():
            if view.id in self._session.watched_by_run:
                continue
            outcome = await self._outcome(view)
            if outcome is None or view.phase == "gone":
                continue
            if not outcome.tally.settled:
                all_set, quiet = _state_of_jobs(view)
                done = view.completed if view.counted else None
                # Once no job is left to do every task is looked at again: what was read before would contradict that.
                look = partial(outcome.look, all_set=all_set, quiet=quiet, jobs_done=done)
                stale = quiet and outcome.tally.jobs_done != done
                await self._session.ask(partial(look, slices=None) if stale else look)
                unread, open_ = unread or outcome.unread, True
            found[view.id] = outcome.tally
        self._work.every(WORK_EVERY_AT_FIRST if unread else WORK_EVERY)
        return WorkLook(datetime.now(UTC) if open_ else None, found)

    async def _outcome(self, view: BatchView) -> Outcome | None:
        """The tasks of a batch; the journal is asked once, or until it knows what was launched a moment ago."""
        if view.type != SET_EXTERNAL_TASK_RETRIES:
            self._launched_tasks[view.id] = LaunchedTasks(
                None, f"A batch of type {inert(view.type)} works on no external tasks."
            )
            return None
        known, journal = self._launched_tasks.get(view.id), self._session.journal
        late = known is not None and known.why_not == NO_JOURNAL and journal is not None
        if known is None or late or (known.retries is None and view.id in self._session.launched):
            known = (
                LaunchedTasks(None, NO_JOURNAL)
                if journal is None
                else await launched_tasks_of(journal, view.id, view.start)
            )
            self._launched_tasks[view.id] = known
        return known.outcome

    def _show_work(self, snapshot: Snapshot[WorkLook]) -> None:
        for batch_id, tally in snapshot.value.tallies.items() if snapshot.value is not None else ():
            for event in self._session.known_batches.note_work(batch_id, tally):
                sentence, ink = announcement(batch_id, event.what)
                self._session.say(inert(sentence), ink)
        self._session.news.publish("batches")

    # -- counts -----------------------------------------------------------------------------------------------------

    async def _count(self) -> dict[str, int]:
        """Rows of each view. One request after another: an engine has better things to do than to count."""
        ask = self._session.ask
        await self._session.learn_capabilities()
        if self._session.history_level == "not known" and self._session.counts.get("tasks"):
            await self._session.learn_rights()
        return {
            "tasks": await ask(lambda client: client.count_external_tasks(ExternalTaskQuery())),
            "incidents": await ask(lambda client: client.count_incidents(IncidentQuery())),
            "instances": await ask(lambda client: client.count_process_instances(ProcessInstanceQuery())),
            "jobs": await ask(lambda client: client.count_jobs(JobQuery())),
            FAILED_JOBS: await ask(lambda client: client.count_jobs(JobQuery(no_retries_left=True))),
        }

    def _show_counts(self, snapshot: Snapshot[dict[str, int]]) -> None:
        if snapshot.value is not None:
            counts = dict(snapshot.value)
            failed = counts.pop(FAILED_JOBS)
            self._session.known_batches.incidents = counts.get("incidents")
            changed = failed != self._session.failed_jobs
            self._session.failed_jobs = failed
            self._session.count(**counts)
            if changed:
                self._session.news.publish("counts")


def _state_of_jobs(view: BatchView) -> tuple[bool, bool]:
    """Whether the batch has carried out all of its jobs with success, and whether it carries out no further one."""
    seen = view.progress
    if view.ended:
        batch_end = view.batch_end
        return batch_end is not None and batch_end.how == "done" and not batch_end.dropped, True
    through = seen.created >= seen.total and not seen.left
    return through and seen.total > 0, through or seen.stuck
