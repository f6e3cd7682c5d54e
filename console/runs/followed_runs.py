"""Figures of a run go on: waves that no driver counts are followed until all of their tasks are decided.

Those are the waves that are over, and the one at which a run is held. One page of tasks is read every few seconds,
whatever their number; a wave of which nothing changes is looked at less and less often.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from retriage.console.journal import journal_problem
from retriage.console.operations.work_counts import WorkCounts
from retriage.console.runs.driver import GATE_CAUSES
from retriage.console.runs.events import counts_of, numbers
from retriage.console.runs.gate import Cause, judge
from retriage.console.runs.run_view import driven, gate_of
from retriage.console.runs.sent_work import sent_work
from retriage.console.session.poller import Poller
from retriage.console.text.inert import inert
from retriage.store.journal import NotYours

if TYPE_CHECKING:
    from retriage.console.operations.operation import UnitWork
    from retriage.console.session.session import Session
    from retriage.console.session.snapshot import Snapshot
    from retriage.store.journal import Journal, Run, RunWave

EVERY = 3.0
"""Seconds between two looks, each of them at a page of one wave."""
AT_REST = 60.0
"""Most seconds between two looks at a wave of which nothing changes."""
LIST_EVERY = 10.0
"""Seconds between two times that the journal is asked which waves there are."""
NEWEST, AT_ONCE = 50, 8
"""So many of the newest runs are looked through, and so many of their waves followed at once."""
DELETED: Cause = "batch-deleted"
FOLLOWED_FOR = timedelta(days=7)
"""Tasks of older runs may wait for ever."""


@dataclass(eq=False)
class _FollowedWave:
    run: Run
    wave: RunWave
    counts: WorkCounts
    work: UnitWork | None = None
    written: dict[int, str] = field(default_factory=dict)
    due: float = 0.0
    pause: float = EVERY


class FollowedRuns:
    """The waves of one session's engine that are followed.

    Args:
        session: whose engine and journal; it publishes ``runs`` when figures have changed.
        clock: seconds that only go forward.
    """

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._waves: dict[tuple[int, int], _FollowedWave] = {}
        self._listed = -LIST_EVERY
        self._poller: Poller[bool] = Poller(
            self.look, self._show, interval=EVERY, wanted=lambda: not session.watch.paused
        )

    def start(self) -> None:
        """Begin to follow; a snapshot is never written to."""
        if self._session.connection.identity.stands_at is None:
            self._poller.start()

    async def stop(self) -> None:
        """Follow no more: another console goes on from what is written down."""
        await self._poller.stop()

    async def look(self) -> bool:
        """Look at a page of the wave whose turn it is, if there is any; returns whether its figures have changed.

        Raises:
            EngineProblem: the engine did not answer.
        """
        journal = self._session.memory.journal
        if journal is None:
            return False
        try:
            if self._clock() >= self._listed + LIST_EVERY:
                await self._list(journal)
                self._listed = self._clock()
            ready = [one for one in self._waves.values() if one.due <= self._clock()]
            return await self._look_at(journal, min(ready, key=lambda one: one.due)) if ready else False
        except journal_problem():
            return False

    def _show(self, snapshot: Snapshot[bool]) -> None:
        if snapshot.value:
            self._session.news.publish("runs")

    async def _list(self, journal: Journal) -> None:
        """Which waves are to be followed: a driver counts the one at which it is by itself."""
        now = datetime.now(UTC)
        found: dict[tuple[int, int], _FollowedWave] = {}
        for run, waves in await journal.runs.with_waves(self._session.memory.engine_name, NEWEST):
            if run.began_at < now - FOLLOWED_FOR or run.listed is None:
                continue
            free = not driven(run, now)
            for wave in waves:
                sent = wave.state not in ("planned", "dropped") and (wave.over or free)
                counts = counts_of(wave.counts)
                if sent and (counts.open or not wave.counts):
                    one = self._waves.get((run.id, wave.wave)) or _FollowedWave(run, wave, counts)
                    if one.wave.state != wave.state:
                        one.work = None  # its driver has gone on with it meanwhile
                    one.run, one.wave = run, wave
                    found[run.id, wave.wave] = one
        self._waves = dict(list(found.items())[:AT_ONCE])

    async def _look_at(self, journal: Journal, one: _FollowedWave) -> bool:
        key = one.run.id, one.wave.wave
        if one.work is None:
            one.work = await sent_work(self._session, one.run, one.wave)
            one.written = dict(one.work.decided)
        work = one.work
        for launch in await journal.runs.launches(*key):
            work.setting_back(await journal.set_back(launch.id))
        counts = await self._session.connection.ask(work.look)
        one.due = self._clock()
        if work.unread:  # until all were looked at once those that were not would seem not to be set
            return False
        fresh = {at: what for at, what in work.decided.items() if one.written.get(at) != what}
        try:
            await journal.runs.note(one.run.id, None, one.wave.wave, numbers(counts), None, fresh, work.at)
        except NotYours:
            self._waves.pop(key, None)  # it is driven by now
            return False
        changed = counts != one.counts or await self._note_deleted(journal, one, work)
        one.written |= fresh
        one.pause = EVERY if changed else min(2 * one.pause, AT_REST)
        one.due += one.pause
        self._tell_if_within(one, counts)
        one.counts = counts
        if not counts.open:
            self._waves.pop(key, None)
        return True

    async def _note_deleted(self, journal: Journal, one: _FollowedWave, work: UnitWork) -> bool:
        """Write down, once, that a batch of the wave was deleted since its driver left it."""
        deleted, by = work.obstacles.deleted, work.obstacles.deleted_by
        if not deleted or one.run.cause == DELETED:
            return False
        about = f"Batch {deleted} was deleted"
        said = f"{about}{f' by {by}' if by else ''} before it was through with all of its tasks."
        news = await journal.runs.remark(one.run.id, one.wave.wave, DELETED, said, about)
        if news:
            self._session.news.say(f"Run {one.run.id}, wave {one.wave.wave}: {inert(said)}", "warning")
        return news

    def _tell_if_within(self, one: _FollowedWave, counts: WorkCounts) -> None:
        """A wave that the gate holds is within its limit after all."""
        if one.wave.over or one.run.state != "held" or one.run.cause not in GATE_CAUSES:
            return
        gate = gate_of(one.run)
        before, by_now = (judge(gate, some, watch_over=True).judgement for some in (one.counts, counts))
        if by_now == "pass" and before != "pass":
            said = f"Run {one.run.id}: wave {one.wave.wave} is within its limit by now. R on its page releases it."
            self._session.news.say(said, "good")


@asynccontextmanager
async def following(session: Session) -> AsyncIterator[None]:
    """Follow the waves of a session's engine meanwhile."""
    followed = FollowedRuns(session)
    followed.start()
    try:
        yield
    finally:
        await followed.stop()
