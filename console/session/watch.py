"""What the console watches all the time, whatever screen is in front: the batches and their tasks, and how many rows
each view has."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from retriage.console.batches.batch_events import Ended, announcement
from retriage.console.batches.known_batches import KnownBatches
from retriage.console.batches.launched_tasks import LaunchedTasks, launched_tasks_of
from retriage.console.engine.errors import EngineProblem
from retriage.console.session.known_values import KnownValues
from retriage.console.session.poller import PACES, USUAL_PACE, Poller, reconsider_all, until_wanted
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery, JobQuery, ProcessInstanceQuery
from retriage.store.contract.records import SET_EXTERNAL_TASK_RETRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from retriage.console.batches.batch_view import BatchView
    from retriage.console.batches.inspection import BatchInspection, BatchLook
    from retriage.console.batches.known_batches import KnownBatch
    from retriage.console.batches.outcome import Outcome
    from retriage.console.causes.open_incidents import OpenIncidents
    from retriage.console.session.connection import Connection
    from retriage.console.session.freshness import Freshness
    from retriage.console.session.memory import Memory
    from retriage.console.session.news import NewsFeed
    from retriage.console.session.snapshot import Snapshot

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


class Watch:
    """What one console knows of its engine's batches, how many rows each view has, and how often it reads.

    Args:
        connection: the engine; the pollers are started when it is open.
        memory: its journal names the tasks of batches that were launched from here.
        news: carries what changes.
        counts: rows per view as the tab line shows them; they are kept there.
    """

    def __init__(self, connection: Connection, memory: Memory, news: NewsFeed, counts: dict[str, int]) -> None:
        self.paused = False
        """Nothing is read that was not asked for."""
        self.pace = USUAL_PACE
        """Seconds between two readings of what is in sight, at least."""
        self.counts = counts
        self.failed_jobs = 0
        """Jobs with no retries left."""
        self.run_told: tuple[str, Ink] = ("", "")
        """The run that is at work or held, in a few words for the line of the views; empty if there is none."""
        self.launched: set[str] = set()
        """Batches launched from this console that have not ended."""
        self.watched_by_run: set[str] = set()
        """Batches whose tasks their run watches: nobody else asks for those until the batch's own page is opened."""
        self.known_batches = KnownBatches(lambda: connection.unrecorded, self._learn_soon)
        """Batches, running and ended."""
        self.known_values = KnownValues(connection, self.known_batches)
        """Values that exist on the engine, for completion."""
        self.grouped: OpenIncidents | None = None
        """All open incidents by cause, once somebody has asked for them."""
        self.seek: Callable[..., None] = lambda *_: None
        """Look for the batches of launches that were not answered, and of these too, once the engine is open."""
        self._connection = connection
        self._memory = memory
        self._news = news
        self._counted: dict[str, float] = {}
        """When the rows of each view were counted last, by the monotonic clock."""
        self._batches: Poller[tuple[BatchView, ...]] = Poller(
            self._read_batches, self._show_batches, interval=BATCHES_EVERY_AT_REST, wanted=self._wanted
        )
        self._counts: Poller[dict[str, int]] = Poller(
            self._count, self._show_counts, interval=COUNTS_EVERY, wanted=self._wanted
        )
        self._work: Poller[datetime | None] = Poller(
            self._look_at_work,
            lambda _: news.publish("batches"),
            interval=WORK_EVERY,
            at_most=WORK_AT_MOST,
            wanted=self._wanted,
        )
        self._batch_ends: Poller[int] = Poller(
            lambda: connection.ask(self.known_batches.learn),
            lambda _: news.publish("batches"),
            interval=ENDS_EVERY,
            wanted=self._wanted,
        )
        self._learning: asyncio.Task[object] | None = None
        self._working: asyncio.Task[object] | None = None
        self._counting: asyncio.Task[object] | None = None
        self._filling: asyncio.Task[object] | None = None
        self._runs: set[str] = set()
        self._at_work: set[str] = set()
        """Batches that ran, and those of them that had jobs to do, when last looked at."""

    def start(self, seek: Callable[..., None]) -> None:
        """Begin to look: the engine is open.

        Args:
            seek: looks for the batches of launches that were not answered.
        """
        self.seek = seek
        for poller in self._pollers:
            poller.start()
        if self._connection.filling:
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
        while self._connection.filling:
            self._news.publish("counts")
            await asyncio.sleep(FILLED_EVERY)
        self._counts.every(self._counts_every)
        await until_wanted(self._wanted)
        self._news.publish("filled")
        await asyncio.gather(self.count(), self.look())
        await asyncio.sleep(SETTLING)
        await until_wanted(self._wanted)
        await asyncio.gather(self.count(), self.look())

    def _wanted(self) -> bool:
        return not self.paused

    @property
    def _pollers(self) -> tuple[Poller[Any], ...]:
        return (self._batches, self._counts, self._work, self._batch_ends)

    async def look(self) -> None:
        """Read the batches now."""
        if self._batches.running:
            self.known_batches.expire()
            await self._batches.refresh()

    async def count(self) -> None:
        """Count the rows of each view now."""
        if self._counts.running:
            await self._counts.refresh()

    async def look_at_work(self) -> None:
        """Look at the tasks of the batches now."""
        if self._work.running:
            await self._work.refresh()

    async def follow(self, batch_id: str) -> None:
        """A batch was launched here: it is looked for until it has ended, and its tasks are followed."""
        if not self._batches.running:
            return
        self.launched.add(batch_id)
        self.known_batches.expect(batch_id)
        self.forget(batch_id)
        await self.look()
        if self.known_batches.get(batch_id) is None and self._connection.rights.unseen("batches"):
            self.unfollow(batch_id)  # it will never be seen, running or ended
        # Thousands of tasks take seconds to look at: the operator who launched them waits for the batch only.
        self._work_soon()

    def unfollow(self, batch_id: str) -> None:
        """It has ended, was deleted, or is not ours: it is looked at no more often than others."""
        self.launched.discard(batch_id)

    def forget(self, batch_id: str) -> None:
        """A batch is not ours after all, or proven to be: what the journal has of it is looked up again."""
        if (batch := self.known_batches.of(batch_id)) is not None:
            batch.launched_tasks = None

    def leave_to_run(self, batches: Iterable[str]) -> None:
        """A run watches the tasks of these batches."""
        self.watched_by_run.update(batches)

    def take_from_run(self, batch_id: str) -> None:
        """The page of this batch is open: its tasks are read for it."""
        self.watched_by_run.discard(batch_id)

    def undone(self, batch_id: str, ids: Iterable[str]) -> None:
        """An undo of the launch that made this batch was ordered for these tasks."""
        batch = self.known_batches.of(batch_id)
        outcome = batch.outcome if batch is not None else None
        if outcome is not None:
            outcome.setting_back(ids)

    def _work_soon(self) -> None:
        """Look at the tasks now: all of them are set."""
        if self._work.running and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work.refresh(), name="work")

    def _learn_soon(self) -> None:
        """Look into the ended batches that have come into sight, unless that is being done."""
        if self._batch_ends.running and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._batch_ends.refresh(), name="batch ends")

    def pause(self, paused: bool) -> None:
        """Stop every reading that was not asked for, or go on."""
        self.paused = paused
        reconsider_all()
        said = "Paused: nothing is read until p or r." if paused else "Reading again."
        self._news.say(said, "warning" if paused else "", about="pause")
        self._news.publish("state")

    def change_pace(self, step: int) -> None:
        """Read less often (1) or more often (-1)."""
        at = PACES.index(self.pace) + step
        if not 0 <= at < len(PACES):
            self._news.say(f"Readings are {PACES[0]:g} to {PACES[-1]:g} seconds apart, no less and no more.", "muted")
            return
        self.pace = PACES[at]
        self._batches.every(self._batches_every)
        self._news.say(f"Read again every {self.pace:g} seconds; a slow engine is read less often.", "muted")
        self._news.publish("state")

    async def retried(self, ids: Collection[str]) -> Collection[str]:
        """Those of the tasks that were retried from here before, as far as the journal knows. A batch that still runs
        may not have come to its tasks: what it was launched for does not count yet."""
        running = {view.id for view in self.known_batches.running()}
        found = await self._memory.earlier(ids)
        return [id for id, launch in found.items() if launch.batch_id not in running]

    # -- batches ----------------------------------------------------------------------------------------------------

    @property
    def _batches_every(self) -> float:
        live = self.launched or self.known_batches.running()
        return max(BATCHES_EVERY if live else BATCHES_EVERY_AT_REST, self.pace)

    @property
    def _counts_every(self) -> float:
        if self._connection.filling:
            return COUNTS_EVERY_WHILE_FILLING
        return COUNTS_EVERY_WHILE_LAUNCHED if self.launched else COUNTS_EVERY

    async def _read_batches(self) -> tuple[BatchView, ...]:
        """The batches; a view that lists them reads them for everybody."""
        # Less than the interval: what this poller has read itself at its last turn is old.
        seconds = self._batches_every * 0.9
        return await self._connection.ask(lambda client: self.known_batches.read_unless(client, seconds))

    def _show_batches(self, snapshot: Snapshot[tuple[BatchView, ...]]) -> None:
        views = snapshot.value
        if views is None:
            return
        running = {view.id for view in views if not view.ended}
        for batch_id in sorted(self.launched - running):
            self._ended(batch_id)
        self.note_counts(batches=len(running))
        self._heed_movement(views)
        self._counts.every(self._counts_every)
        self._batches.every(self._batches_every)
        self._news.publish("batches")

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
        view = self.known_batches.get(batch_id)
        if view is not None and view.ended:
            self.unfollow(batch_id)
            self._work_soon()
            sentence, ink = announcement(batch_id, Ended(view.total, view.batch_end))
            self._news.say(inert(sentence), ink)

    # -- their tasks ------------------------------------------------------------------------------------------------

    async def look_at(self, inspection: BatchInspection, page: Freshness) -> BatchLook:
        """One look at all that the page of a batch shows.

        Args:
            inspection: of that batch.
            page: keeps what became of the look.

        Raises:
            EngineProblem: the engine did not answer.
        """
        acquired = "acquired" not in self._connection.capabilities.unreliable("jobs")
        try:
            look = await inspection.look(
                self._connection.ask,
                self._read_tasks,
                self._connection.now,
                acquired=acquired,
                history=self._connection.history_tells,
            )
        except EngineProblem as problem:
            page.failed(problem)
            raise
        page.heard()
        return look

    async def _look_at_work(self) -> datetime | None:
        """Read a piece of the tasks of every batch whose tasks are known; returns when, ``None`` if none is open."""
        unread, open_ = False, False
        for batch in self.known_batches.batches():
            if batch.view.id in self.watched_by_run or batch.on_page:
                continue
            before = batch.view.work
            outcome = await self._read_tasks(batch, batch.view)
            if outcome is not None:
                unread = unread or outcome.unread
                open_ = open_ or not outcome.tally.settled or outcome.tally != before
        self._work.every(WORK_EVERY_AT_FIRST if unread else WORK_EVERY)
        return datetime.now(UTC) if open_ else None

    async def _read_tasks(self, batch: KnownBatch, view: BatchView) -> Outcome | None:
        """Read a piece of the tasks of a batch, where they are known and some are not settled.

        Args:
            batch: the batch.
            view: its jobs as they were read before.
        """
        async with batch.reading_tasks:
            outcome = await self._outcome(batch)
            if outcome is None or view.phase == "gone":
                return None
            if not outcome.tally.settled:
                all_set, quiet = _state_of_jobs(view)
                done = view.completed if view.counted else None
                # Once no job is left to do every task is looked at again: what was read before would contradict that.
                look = partial(outcome.look, all_set=all_set, quiet=quiet, jobs_done=done)
                stale = quiet and outcome.tally.jobs_done != done
                await self._connection.ask(partial(look, slices=None) if stale else look)
            elif outcome.tally == batch.view.work:
                return outcome
            tally, now = outcome.tally, self._connection.now()
            if tally.at is not None:  # by this machine's clock; the page of a batch goes by the engine's
                tally = replace(tally, at=now - (datetime.now(UTC) - tally.at))
            for event in batch.note_work(tally, now, self.known_batches.incidents):
                sentence, ink = announcement(view.id, event.what)
                self._news.say(inert(sentence), ink)
            return outcome

    async def _outcome(self, batch: KnownBatch) -> Outcome | None:
        """The tasks of a batch; the journal is asked once, or until it knows what was launched a moment ago."""
        view, known, journal = batch.view, batch.launched_tasks, self._memory.journal
        late = known is not None and known.why_not == NO_JOURNAL and journal is not None
        if view.type != SET_EXTERNAL_TASK_RETRIES:
            known = LaunchedTasks(None, f"A batch of type {inert(view.type)} works on no external tasks.")
        elif known is None or late or (known.retries is None and view.id in self.launched):
            known = (
                LaunchedTasks(None, NO_JOURNAL)
                if journal is None
                else await launched_tasks_of(journal, view.id, view.start)
            )
        batch.launched_tasks = known
        return known.outcome

    # -- counts -----------------------------------------------------------------------------------------------------

    def note_counts(self, **counts: int) -> None:
        """Rows of a view, for the tab line."""
        self._counted.update(dict.fromkeys(counts, time.monotonic()))
        if any(self.counts.get(view) != number for view, number in counts.items()):
            self.counts.update(counts)
            self._news.publish("counts")

    @property
    def counts_age(self) -> float:
        """Seconds since the rows of some view were counted last; of the view for which that is longest ago."""
        return time.monotonic() - min(self._counted.values()) if self._counted else 0.0

    def tell_run(self, text: str, ink: Ink = "accent") -> None:
        """A run is at work or held, in a few words; or none is any more."""
        if self.run_told != (text, ink):
            self.run_told = text, ink
            self._news.publish("counts")

    async def _count(self) -> dict[str, int]:
        """Rows of each view. One request after another: an engine has better things to do than to count."""
        ask = self._connection.ask
        await self._connection.learn_capabilities()
        await ask(lambda client: client.check_clock())
        if self._connection.history_level == "not known" and self.counts.get("tasks"):
            await self._connection.learn_rights()
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
            self.known_batches.incidents = counts.get("incidents")
            changed = failed != self.failed_jobs
            self.failed_jobs = failed
            self.note_counts(**counts)
            if changed:
                self._news.publish("counts")


def _state_of_jobs(view: BatchView) -> tuple[bool, bool]:
    """Whether the batch has carried out all of its jobs with success, and whether it carries out no further one."""
    seen = view.progress
    if view.ended:
        batch_end = view.batch_end
        return batch_end is not None and batch_end.how == "done" and not batch_end.dropped, True
    through = seen.created >= seen.total and not seen.left
    return through and seen.total > 0, through or seen.stuck
