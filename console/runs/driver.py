"""Drives a run: wave by wave its tasks are looked at again, sent, watched and judged.

Each step is written down before it is taken. Which tasks were sent is told by the launches of the run alone, so a
driver that begins again, after whatever end of the last one, neither sends a task twice nor forgets one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from sqlalchemy.exc import OperationalError

from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.decided_launch import DecidedLaunch, RunPart
from retriage.console.launch.launch_events import LaunchEvent, sentence_of
from retriage.console.launch.plan_by_ids import PlanByIds
from retriage.console.launch.send import Sent, send_launch
from retriage.console.launch.unanswered import UnansweredLaunches
from retriage.console.operations.known import operation_of
from retriage.console.operations.operation import CheckedUnits, Operation
from retriage.console.operations.work_counts import WorkCounts
from retriage.console.reading.page_limit import PageLimit
from retriage.console.reading.pages import PAGE
from retriage.console.reading.task_history import TaskLog
from retriage.console.runs.beside_others import BesideOthers, left_suspended, turn_batches
from retriage.console.runs.change import gate_was_changed
from retriage.console.runs.driver_name import driver_name, is_dead
from retriage.console.runs.events import RunEnded, RunEvent, RunHeld, WaveOutcome, WaveStep, counts_of, numbers
from retriage.console.runs.gate import FEWEST, Cause, judge, sentence
from retriage.console.runs.hold import NOT_SET, OTHER_BATCHES, OTHER_ENGINE, UNANSWERED, RunHold
from retriage.console.runs.run_view import gate_of, how_it_ended, view_of
from retriage.console.runs.sent_work import looked_back, new_work, sent_work, taken_launches
from retriage.console.runs.variables_first import VariablesFirst
from retriage.store.journal import JournalLost
from retriage.store.journal.run_records import NotYours

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import UnitWork
    from retriage.console.session.session import Session
    from retriage.store.journal import Run, Runs, RunState, RunTask, RunWave

T = TypeVar("T")
TICK = 1.0
"""Seconds between two looks at a wave."""
RENEW_EVERY = 3.0
"""Seconds between two times that the journal is told that the run is still driven."""
PART_SECONDS = 15.0
"""A paced wave is sent in parts, one every so many seconds where its pace makes that a task or more."""
LONGEST_PAUSE = 30.0
"""Most seconds between two questions to an engine that does not answer."""
SENDINGS = 3
"""So often a batch is sent that is known not to have arrived."""
WRITINGS = 5
"""So often it is tried to write into a journal that is locked."""

BatchChoice = Literal["goes-on", "suspend", "delete"]
"""What becomes of the batches at work when a run is stopped."""
Wish = Literal["release", "skip", "stop:goes-on", "stop:suspend", "stop:delete"]
STOPS: Mapping[str, BatchChoice] = {f"stop:{choice}": choice for choice in get_args(BatchChoice)}
_WaveState = Literal["sending", "watching", "passed", "released", "skipped"]
GATE_CAUSES = frozenset(get_args(Cause)) - {"passed", "early"}
"""Causes of a hold that are the gate's: going on from there releases it."""
NONE_THERE = "None of the next {} is there any more: all were deleted, or another engine answers at this address."


class RunDriven(Exception):
    """Somebody else drives the run; the text is one sentence."""


@dataclass(eq=False)
class _Stop(Exception):
    """The operator stops the run."""

    batches: BatchChoice


class RunDriver:
    """Drives one run of the journal.

    Args:
        session: whose engine and journal.
        run_id: the run.
        tell: is told what happens.
        driver: the name under which it drives; one of its own if none is given.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        session: Session,
        run_id: int,
        tell: Callable[[RunEvent], object],
        *,
        driver: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        assert session.memory.journal is not None, "a run is driven by what the journal tells"
        self.session = session
        self.run_id = run_id
        self.name = driver or driver_name()
        self._runs: Runs = session.memory.journal.runs
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._limit = PageLimit(clock, sleep)
        self._beside = BesideOthers(session, run_id, partial(self._answer, wave=None, page=False), sleep, self._limit)
        self._first = VariablesFirst(session, partial(self._answer, wave=None, page=False), clock)
        self._loosened = False
        """It is released under another gate than the one that held it."""
        self._wish = ""
        self._renewed = self._part_at = -inf
        """When the pace lets the next part go, also if that is the first one of the next wave."""
        self._run: Run
        self.watched = 0.0
        """Seconds for which the wave at work was watched."""
        self.counts = WorkCounts()
        """What has become of its tasks, all of which that may still change were looked at since ``counted_at``."""
        self.counted_at: datetime | None = None

    @property
    def _operation(self) -> Operation:
        """What it does; its rest may be changed meanwhile."""
        return operation_of(self._run)

    def wish(self, wish: Wish) -> None:
        """What the operator wants: it is done at the next turn."""
        self._wish = wish

    async def drive(self, *, release: bool = False, skip: bool = False) -> RunHeld | RunEnded:
        """Drive the run until it is held or has ended. Cancelled, it is held by the interruption.

        Args:
            release: let it go on where the gate holds it.
            skip: do not watch the wave at work any longer.

        Raises:
            RunDriven: somebody else drives it, or has begun to.
            SQLAlchemyError: the journal cannot be read or written; the run can be resumed.
        """
        try:
            run = await self._runs.run(self.run_id)
            if run is None:
                raise RunDriven(f"There is no run {self.run_id} in the journal.")
            dead = run.driver if is_dead(run.driver) else ""
            self._run = await self._runs.take(self.run_id, self.name, dead)
            return await self._drive(release, skip)
        except NotYours:
            raise RunDriven(f"Run {self.run_id} is driven by another console now.") from None
        except asyncio.CancelledError:
            with suppress(Exception):
                said = "Held after an interruption: the console that drove it was ended."
                await asyncio.shield(self._runs.state(self.run_id, self.name, "held", "interrupted", said))
            raise
        finally:
            with suppress(Exception):
                await asyncio.shield(self._runs.leave(self.run_id, self.name))

    async def _drive(self, release: bool, skip: bool) -> RunHeld | RunEnded:
        run = self._run
        if run.over:
            return await self._ended()
        if run.listed is None:
            return RunHeld(self.run_id, None, "void", "Its tasks were not all written down: begin a new run.")
        release = release and run.state == "held" and run.cause in GATE_CAUSES
        self._loosened = release and gate_was_changed(await self._runs.steps(self.run_id))
        self._first.again = run.state == "held" and run.cause == NOT_SET
        wave: RunWave | None = None
        try:
            self._count_from(await self._rest())
            await self._write(lambda: self._runs.state(self.run_id, self.name, "running"))
            await self._settle()
            if run.state == "held" and run.cause == OTHER_BATCHES:
                await self._beside.accept(self._run)
            while rest := await self._rest():
                wave = rest[0]
                self._count_from(rest)
                await self._wave(wave, release, skip, is_last=len(rest) == 1)
                release = skip = False
            await self._look_back()
        except RunHold as hold:
            return await self._held(hold, wave)
        except JournalLost as lost:
            # That it is held cannot be written down: the file at this path is another one, or none.
            said = f"{lost}: nothing more is sent. Put that file back and resume."
            number = wave.wave if wave is not None else None
            held = RunHeld(self.run_id, number, "journal-lost", said, self.counts, self.counted_at)
            self._tell(held)
            return held
        except _Stop as stop:
            said = f"Stopped: waves that were not sent are dropped.{await self._stop(stop.batches)}"
            return await self._end("stopped", "stopped", said)
        launches = await self._runs.launches(self.run_id)
        sent = await taken_launches(self._runs, self._run)
        state, cause, said = how_it_ended(self._operation, await self._runs.waves(self.run_id), len(sent))
        return await self._end(state, cause, f"{said}{await left_suspended(self.session, launches)}")

    async def _rest(self) -> list[RunWave]:
        """The waves that are not over, and the rules as they are now: the rest may have been changed meanwhile."""
        self._run = await self._runs.run(self.run_id) or self._run
        return [wave for wave in await self._runs.waves(self.run_id) if not wave.over]

    async def _look_back(self) -> None:
        """Look once more at what was open of earlier waves when the next one went: the end says what it came to."""
        waves = await self._runs.waves(self.run_id)
        older = view_of(self._run, waves, datetime.now(UTC)).older
        for wave in [one for one in waves if one.wave in older]:
            await self._renew()
            if (work := await looked_back(self.session, self._run, wave, self._limit)) is not None:
                self.counts, self.counted_at = work.counts, work.at or datetime.now(UTC)
                await self._note(wave.wave, self.counts, wave.watched, dict(work.decided))
                self._tell(WaveOutcome(self.run_id, wave.wave, self.counts, self.counted_at))

    def _count_from(self, rest: Sequence[RunWave]) -> None:
        """What was written down of the wave at work."""
        if rest:
            self.counts, self.counted_at = counts_of(rest[0].counts), rest[0].counted_at

    # -- how it ends ------------------------------------------------------------------------------------------------

    async def _held(self, hold: RunHold, wave: RunWave | None) -> RunHeld:
        number = hold.wave if hold.wave is not None else wave.wave if wave is not None else None
        if not self.counts.total:  # before the first look none is known to be set
            waves = await self._runs.waves(self.run_id)
            self.counts = WorkCounts(not_set=sum(w.tasks - sum(w.left_out.values()) for w in waves if w.wave == number))
        await self._write(lambda: self._runs.state(self.run_id, self.name, "held", hold.cause, hold.said))
        held = RunHeld(self.run_id, number, hold.cause, hold.said, self.counts, self.counted_at)
        self._tell(held)
        return held

    async def _end(self, state: RunState, cause: str, said: str) -> RunEnded:
        at = datetime.now(UTC)
        await self._write(lambda: self._runs.state(self.run_id, self.name, state, cause, said, at=at))
        self._run = await self._runs.run(self.run_id) or self._run
        ended = await self._ended()
        self._tell(ended)
        return ended

    async def _ended(self) -> RunEnded:
        view = view_of(self._run, await self._runs.waves(self.run_id), datetime.now(UTC))
        run, at = view.run, view.counted_at
        return RunEnded(self.run_id, run.state, view.said, view.counts, run.cause, at, view.older)

    async def _stop(self, choice: BatchChoice) -> str:
        """What was not sent is dropped, then the choice is carried out; returns which batches stay suspended."""
        await self._write(lambda: self._runs.drop_rest(self.run_id, self.name))
        launches = await self._runs.launches(self.run_id)
        if choice != "goes-on":
            await turn_batches(self.session, launches, choice, self._limit)
        return await left_suspended(self.session, launches)

    # -- one wave ---------------------------------------------------------------------------------------------------

    async def _wave(self, wave: RunWave, release: bool, skip: bool, is_last: bool) -> None:
        """Send and watch a wave until the next one may go, or, where it is the last, until the run has ended.

        Raises:
            RunHold: it may not.
            _Stop: the operator stops the run.
        """
        number = wave.wave
        if wave.state == "planned":
            await self._step(wave, "sending")
        gate = gate_of(self._run)
        if release and not is_last and not await self._runs.count_unsent(self.run_id, number):
            # It was counted on while it was held, and may be within the limit after all.
            by_now = judge(gate, counts_of(wave.counts), watch_over=True)
            await self._step(wave, "passed" if by_now.judgement == "pass" and not self._loosened else "released")
            return
        work = await sent_work(self.session, self._run, wave)
        watched, last, pause = 0.0 if release else wave.watched, self._clock(), TICK
        self.watched = watched
        not_set, said = inf, WorkCounts()
        written: dict[int, str] = dict(work.decided)
        watching, resumed = wave.state == "watching", wave.state != "planned"
        ended: datetime | None = None
        while True:
            await self._renew()
            release, skip = release or self._wish == "release", skip or self._wish == "skip"
            self._wish = ""
            if work.unsent and self._clock() >= self._part_at:
                work = await self._send(wave, work)
                watched = 0.0
            if not work.unsent and not watching:
                watching = True
                await self._step(wave, "watching")
            looked = datetime.now(UTC)
            try:
                await self._limit.wait()
                await self.session.connection.ask(lambda client: client.check_clock())
                counts = await self.session.connection.ask(work.look)
                pause = TICK
            except EngineProblem as problem:
                await self._heed(problem, number)
                pause, last = min(2 * pause, LONGEST_PAUSE), self._clock()
                await self._sleep(pause)
                continue
            # The watch time is that of tasks which are set: it begins anew while the batch still sets some.
            now = self._clock()
            watched = 0.0 if counts.not_set < not_set and counts.not_set else watched + max(now - last, 0.0)
            not_set, last, self.watched = counts.not_set, now, watched
            self.counts, self.counted_at = counts, work.at or looked
            # Tasks that another driver sent would seem not to be set until all were looked at once.
            if counts != said and not (resumed and work.unread):
                said = counts
                fresh = {at: what for at, what in work.decided.items() if written.get(at) != what}
                written |= fresh
                await self._note(number, counts, watched, fresh)
                self._tell(WaveOutcome(self.run_id, number, counts, self.counted_at))
            if skip and not work.unsent:
                await self._step(wave, "skipped")
                return
            ended = None if watched < self._run.watch or work.unsent else ended or looked
            # Of a large wave a look shows a part: it is judged when all tasks were looked at since the watch ended.
            watch_over = ended is not None and work.looked_since(ended)
            verdict = judge(gate, counts, watch_over=watch_over, last=is_last, obstacles=work.obstacles)
            if verdict.judgement == "hold" and not release:
                await self._note(number, counts, watched, {})
                raise RunHold(verdict.cause, sentence(verdict, gate, self._run.watch, self._operation.unit), number)
            passes = verdict.judgement == "pass" and not (release and self._loosened)
            # A last wave that was released is watched to its end: nothing waits for it.
            let_through = release and (not is_last or watch_over or not counts.open)
            if (passes or let_through) and not work.unsent:
                await self._note(number, counts, watched, {})
                await self._step(wave, "passed" if passes else "released")
                return
            await self._sleep(pause)

    # -- sending ----------------------------------------------------------------------------------------------------

    async def _send(self, wave: RunWave, work: UnitWork) -> UnitWork:
        """Look at the next tasks of a wave again, and send those that have not changed. Answers the work of the wave:
        the first batch tells since when."""
        if await self._first.at_work(self._run, self._operation, wave.wave):
            return work
        pace = self._run.pace
        size = work.unsent if pace is None else min(max(1, int(pace * PART_SECONDS / 60)), work.unsent)
        size = min(size, self.session.connection.most_ids)
        if pace is not None:
            self._part_at = self._clock() + 60 * size / pace
        tasks = await self._runs.unsent(self.run_id, wave.wave, size)
        await self._beside.look(self._operation)
        checked = await self._checked(wave.wave, tasks)
        if checked.left_out:
            await self._write(lambda: self._runs.leave_out(self.run_id, self.name, dict(checked.left_out)))
        if len(tasks) >= FEWEST and list(checked.left_out.values()).count("gone") == len(tasks):
            raise RunHold(OTHER_ENGINE, NONE_THERE.format(self._operation.units(len(tasks))), wave.wave)
        fix = self._first.what_is_set(self._operation, checked.to_set)
        if fix is None and (hiders := checked.to_set_locally):
            self._tell(await self._first.set_locally(self._run, wave, self._operation, hiders, self._renew))
            self._part_at = -inf
            return work
        operation, units = (fix, checked.to_set) if fix else (checked.operation or work.operation, checked.taken)
        ids = [task.task_id for task in tasks] if fix is None else list(units)
        if said := await self._beside.before(self._run, operation, ids):
            raise RunHold(OTHER_BATCHES, said, wave.wave)
        batch = await self._launched(wave, operation, units) if units else None
        unsent = await self._runs.count_unsent(self.run_id, wave.wave)
        if batch is not None and fix is not None:
            self._first.add(batch, units)
            self._part_at = -inf  # the retries of this part follow
        elif batch is not None:
            if not work.sent:
                first = (await self._runs.launches(self.run_id, wave.wave))[-1]
                work = new_work(self.session, first, first.sent_at or checked.at)
            work.known_before(checked.before)
            taken = [task for task in tasks if task.task_id in checked.taken]
            work.add(((task.ordinal, task.task_id, task.retries) for task in taken), [batch])
        work.unsent = unsent
        if units and batch is None:
            return work
        state, why = "sent" if fix is None else "setting", Counter[str](checked.left_out.values())
        self._tell(WaveStep(self.run_id, wave.wave, state, wave.tasks, len(units), batch, why, fix or self._operation))
        if batch is not None and (said := await self._beside.give_way(self._run, operation, ids, batch)):
            while work.unread and fix is None:
                self.counts, self.counted_at = await self._answer(work.look, wave.wave), work.at
            await self._note(wave.wave, self.counts, 0.0, {})
            raise RunHold(OTHER_BATCHES, said, wave.wave)
        return work

    async def _checked(self, wave: int, tasks: list[RunTask]) -> CheckedUnits:
        """The units as they are now, read page by page; an engine that does not answer is waited for."""
        client = await self.session.connection.opened()
        await self._answer(lambda client: client.check_clock(), wave, page=False)
        checked, operation = CheckedUnits(client.engine_now()), self._operation
        log = TaskLog(min(self._run.frozen_at, checked.at))
        for first in range(0, len(tasks), PAGE):
            page = tasks[first : first + PAGE]
            await self._answer(lambda client: operation.check(client, checked, page, log), wave)  # noqa: B023 - asked at once
        return checked

    async def _answer(self, question: Callable[[EngineClient], Awaitable[T]], wave: int | None, page: bool = True) -> T:
        """Ask until the engine answers, less and less often; for a page of tasks when it is its turn."""
        pause = TICK
        while True:
            await self._renew()
            if page:
                await self._limit.wait()
            try:
                return await self.session.connection.ask(question)
            except EngineProblem as problem:
                await self._heed(problem, wave)
            pause = min(2 * pause, LONGEST_PAUSE)
            await self._sleep(pause)

    async def _launched(self, wave: RunWave, operation: Operation, units: Mapping[str, int | None]) -> str | None:
        """Send a batch, and return its id; what is known not to have arrived is sent again, and nothing else is.
        ``None`` where a proxy found it too large: the next ones are smaller, and looked at again before."""
        plan = PlanByIds(operation, units, f"run {self.run_id}, wave {wave.wave}: {operation.units(len(units))}")
        order = DecidedLaunch(plan, self._run.reason, part=RunPart(self.run_id, wave.wave, self.name))
        pause, said = TICK, ""
        for sending in range(SENDINGS):
            await self._renew(now=True)
            if why := self.session.connection.safety.why_not():
                raise RunHold("safety", why, wave.wave)
            told: list[LaunchEvent] = []
            sent = Sent(order, await send_launch(self.session, order, told.append), told)
            if sent.launched is not None:
                return sent.launched.batch.id
            said, ink = sentence_of(told[-1])
            self.session.news.say(said, ink)
            if sent.unanswered:
                raise RunHold(UNANSWERED, said, wave.wave)
            if sent.too_large and plan.count > self.session.connection.most_ids:
                return None
            if sent.refused:
                raise RunHold("refused", said, wave.wave)
            if sending < SENDINGS - 1:
                pause = min(2 * pause, LONGEST_PAUSE)
                await self._sleep(pause)
        raise RunHold("not-sent", said, wave.wave)

    async def _settle(self) -> None:
        """Look for unanswered launches of an earlier driver. A stop waits for none of them, and begins no wave.

        Raises:
            RunHold: it is still not known what became of one.
            _Stop: the operator stops the run.
        """
        found: list[str] = []
        search = UnansweredLaunches(self.session, lambda event: found.append(sentence_of(event)[0]))
        doubtful = [one for one in await self._runs.launches(self.run_id) if search.open(one)]
        for _ in range(SENDINGS if doubtful else 0):
            try:
                await self._limit.wait()
                await search.look_once()
            except EngineProblem as problem:
                await self._heed(problem, None)
            doubtful = [one for one in await self._runs.launches(self.run_id) if search.open(one)]
            if not doubtful:
                break
            await self._sleep(2 * TICK)
        for said in found:
            self.session.news.say(said)
        await self._renew()
        if doubtful:
            one = doubtful[0]
            unproven = f"nothing proves yet that batch {one.batch_id} is its own"
            found_yet = unproven if one.batch_id is not None else "its batch is not found yet"
            said = f"Launch {one.id} was sent but not answered, and {found_yet}: it is not sent again."
            raise RunHold(UNANSWERED, said, one.wave)

    # -- the journal and the engine ---------------------------------------------------------------------------------

    async def _renew(self, now: bool = False) -> None:
        """Go on driving, and hear what the operator wants.

        Raises:
            NotYours: somebody else drives it by now.
            _Stop: the operator stops the run.
        """
        if now or self._clock() - self._renewed >= RENEW_EVERY:
            asked = await self._write(lambda: self._runs.renew(self.run_id, self.name))
            self._wish = asked or self._wish
            self._renewed = self._clock()
        if self._wish in STOPS:
            raise _Stop(STOPS[self._wish])

    async def _step(self, wave: RunWave, state: _WaveState) -> None:
        """Write down and tell how far a wave is, with what was sent of it by now."""
        await self._write(lambda: self._runs.wave(self.run_id, self.name, wave.wave, state))
        taken = await taken_launches(self._runs, self._run, wave.wave)
        batch = next((one.batch_id for one in reversed(taken) if one.batch_id is not None), None)
        sent = sum(one.tasks for one in taken)
        self._tell(WaveStep(self.run_id, wave.wave, state, wave.tasks, sent, batch))

    async def _note(self, wave: int, counts: WorkCounts, watched: float, fresh: Mapping[int, str]) -> None:
        await self._write(
            lambda: self._runs.note(self.run_id, self.name, wave, numbers(counts), watched, fresh, self.counted_at)
        )

    async def _write(self, writing: Callable[[], Awaitable[T]]) -> T:
        """Write into the journal; one that is locked by somebody else is tried again.

        Raises:
            SQLAlchemyError: it cannot be written.
        """
        for _ in range(WRITINGS - 1):
            try:
                return await writing()
            except OperationalError:
                await self._sleep(TICK)
        return await writing()

    async def _heed(self, problem: EngineProblem, wave: int | None) -> None:
        """The engine was not heard. It is asked again, unless that would lock an account."""
        self.session.news.say(f"Run {self.run_id} waits for the engine: {problem.sentence}", "warning")
        if problem.retry_after == inf:
            raise RunHold("login", problem.sentence, wave)
