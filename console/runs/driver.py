"""Drives a run: wave by wave its tasks are looked at again, sent, watched and judged.

Each step is written down before it is taken. Which tasks were sent is told by the launches of the run alone, so a
driver that begins again, after whatever end of the last one, neither sends a task twice nor forgets one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy.exc import OperationalError

from console.engine.errors import EngineProblem
from console.launch.decided_launch import DecidedLaunch, RunPart
from console.launch.launch_events import LaunchEvent, NoAnswer, NotFound, RefusedByEngine, sentence_of
from console.launch.plan import LaunchPlan
from console.launch.send import send_launch
from console.launch.unanswered import UnansweredLaunches
from console.reading.pages import PAGE
from console.reading.selected_tasks import SelectedTasks
from console.reading.selection import Marked
from console.reading.task_history import TaskLog
from console.runs.driver_name import driver_name, is_dead
from console.runs.events import RunEnded, RunEvent, RunHeld, WaveOutcome, WaveStep, counts_of, numbers
from console.runs.gate import Gate, Verdict, WorkCounts, judge
from console.runs.page_limit import PageLimit
from console.runs.run_view import total
from console.runs.task_check import EVERY_KIND, CheckedTasks, check
from console.runs.wave_work import WaveWork
from console.text.words import things
from store.contract.queries import BatchStatisticsQuery
from store.journal.reading import TAKEN
from store.journal.run_records import NotYours

if TYPE_CHECKING:
    from console.session.session import Session
    from store.journal import Launch, Run, Runs, RunState, RunTask, RunWave

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
GATE_CAUSES = frozenset({"failed-again", "new-cause", "nothing-decided", "nobody-works", "still-locked", "undecided"})
"""Causes of a hold that are the gate's: going on from there releases it."""
UNANSWERED = "unanswered"


class RunDriven(Exception):
    """Somebody else drives the run; the text is one sentence."""


@dataclass(eq=False)
class _Hold(Exception):
    """The run does not go on by itself."""

    cause: str
    said: str
    wave: int | None = None
    counts: WorkCounts | None = None


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
        before_sending: called before each batch, where the operator's consent covers the whole run.
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
        before_sending: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        assert session.journal is not None, "a run is driven by what the journal tells"
        self.session = session
        self.run_id = run_id
        self.name = driver or driver_name()
        self._runs: Runs = session.journal.runs
        self._tell = tell
        self._before_sending = before_sending
        self._clock = clock
        self._sleep = sleep
        self._limit = PageLimit(clock, sleep)
        self._wish = ""
        self._renewed = -inf
        self._part_at = -inf
        """When the pace lets the next part go, also if that is the first one of the next wave."""
        self._run: Run
        self.watched = 0.0
        """Seconds for which the wave at work was watched."""

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
        wave: RunWave | None = None
        try:
            await self._write(lambda: self._runs.state(self.run_id, self.name, "running"))
            await self._settle()
            while rest := await self._rest():
                wave = rest[0]
                await self._wave(wave, release, skip, is_last=len(rest) == 1)
                release = skip = False
        except _Hold as hold:
            return await self._held(hold, wave)
        except _Stop as stop:
            await self._stop(stop.batches)
            said = "Stopped: waves that were not sent are dropped."
            return await self._end("stopped", said)
        return await self._end("passed", "Every wave went through.")

    async def _rest(self) -> list[RunWave]:
        """The waves that are not over, and the rules as they are now: the rest may have been changed meanwhile."""
        self._run = await self._runs.run(self.run_id) or self._run
        return [wave for wave in await self._runs.waves(self.run_id) if not wave.over]

    # -- how it ends ------------------------------------------------------------------------------------------------

    async def _held(self, hold: _Hold, wave: RunWave | None) -> RunHeld:
        number = hold.wave if hold.wave is not None else wave.wave if wave is not None else None
        await self._write(lambda: self._runs.state(self.run_id, self.name, "held", hold.cause, hold.said))
        held = RunHeld(self.run_id, number, hold.cause, hold.said, hold.counts or WorkCounts())
        self._tell(held)
        return held

    async def _end(self, state: RunState, said: str) -> RunEnded:
        at = datetime.now(UTC)
        await self._write(lambda: self._runs.state(self.run_id, self.name, state, state, said, at=at))
        self._run = await self._runs.run(self.run_id) or self._run
        ended = await self._ended()
        self._tell(ended)
        return ended

    async def _ended(self) -> RunEnded:
        waves = await self._runs.waves(self.run_id)
        counts = total(counts_of(wave.counts) for wave in waves)
        return RunEnded(self.run_id, self._run.state, self._run.said, counts)

    async def _stop(self, choice: BatchChoice) -> None:
        """What was not sent is dropped; then the batches at work are suspended or deleted, where that was chosen."""
        await self._write(lambda: self._runs.drop_rest(self.run_id, self.name))
        if choice == "goes-on":
            return
        for launch in await self._runs.launches(self.run_id):
            if launch.state != "launched" or launch.batch_id is None:
                continue
            try:
                query = BatchStatisticsQuery(batch_id=launch.batch_id)
                if not await self.session.ask(lambda client: client.batches(query, 0, 1)):  # noqa: B023 - asked at once
                    continue
                await self._limit.wait()
                self._before_sending()
                client = await self.session.opened()
                if choice == "suspend":
                    await client.suspend_batch(launch.batch_id, True)
                else:
                    await client.delete_batch(launch.batch_id)
            except EngineProblem as problem:
                self.session.say(f"Batch {launch.batch_id} goes on: {problem.sentence}", "warning")

    # -- one wave ---------------------------------------------------------------------------------------------------

    async def _wave(self, wave: RunWave, release: bool, skip: bool, is_last: bool) -> None:
        """Send and watch a wave until the next one may go, or, where it is the last, until the run has ended.

        Raises:
            _Hold: it may not.
            _Stop: the operator stops the run.
        """
        number = wave.wave
        if wave.state == "planned":
            await self._step(number, "sending")
            self._tell(WaveStep(self.run_id, number, "sending", wave.tasks))
        elif release and not await self._runs.count_unsent(self.run_id, number):
            await self._over(wave, "released")
            return
        work = await self._work(wave)
        gate = Gate(self._run.gate, self._run.new_cause)
        watched, last = wave.watched, self._clock()
        self.watched = watched
        not_set, said = inf, WorkCounts()
        written: dict[int, str] = dict(work.decided)
        watching = wave.state == "watching"
        pause = TICK
        while True:
            await self._renew()
            release, skip = release or self._wish == "release", skip or self._wish == "skip"
            self._wish = ""
            if work.unsent and self._clock() >= self._part_at:
                await self._send(wave, work)
                watched = 0.0
            if not work.unsent and not watching:
                watching = True
                await self._step(number, "watching")
                self._tell(WaveStep(self.run_id, number, "watching", wave.tasks))
            try:
                await self._limit.wait()
                counts = await self.session.ask(work.look)
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
            if counts != said:
                said = counts
                fresh = {at: what for at, what in work.decided.items() if written.get(at) != what}
                written |= fresh
                await self._note(number, counts, watched, fresh)
                self._tell(WaveOutcome(self.run_id, number, counts))
            if skip and not work.unsent:
                await self._over(wave, "skipped")
                return
            if release and not work.unsent:
                await self._over(wave, "released")
                return
            watch_over = watched >= self._run.watch and not work.unsent
            verdict = judge(gate, counts, watch_over=watch_over, last=is_last)
            if verdict.judgement == "hold" and not release:
                await self._note(number, counts, watched, {})
                raise _Hold(verdict.cause, sentence(verdict, gate, self._run.watch), number, counts)
            if verdict.judgement == "pass" and not work.unsent:
                await self._note(number, counts, watched, {})
                await self._over(wave, "passed")
                return
            await self._sleep(pause)

    async def _over(self, wave: RunWave, state: Literal["passed", "released", "skipped"]) -> None:
        await self._step(wave.wave, state)
        self._tell(WaveStep(self.run_id, wave.wave, state, wave.tasks))

    async def _work(self, wave: RunWave) -> WaveWork:
        """What was sent of a wave before, by this driver or another."""
        launches = [one for one in await self._runs.launches(self.run_id, wave.wave) if one.state in TAKEN]
        client = await self.session.opened()
        since = min((one.sent_at for one in launches if one.sent_at is not None), default=client.engine_now())
        given = launches[-1].retries if launches else self._run.retries
        work = WaveWork(given, since, await self._runs.count_unsent(self.run_id, wave.wave))
        if launches:
            waiting = {one.ordinal for one in await self._unsent(wave.wave, work.unsent)} if work.unsent else set()
            async for piece in self._runs.tasks(self.run_id, wave.wave):
                for task in piece:
                    if task.outcome:
                        work.decided[task.ordinal] = task.outcome  # type: ignore[assignment]
                work.add(
                    (task.ordinal, task.task_id, task.retries)
                    for task in piece
                    if not task.left_out and task.ordinal not in waiting
                )
            batches = [one.batch_id for one in launches if one.batch_id is not None]
            self.session.watched_by_run.update(batches)
            work.add((), batches)
        return work

    async def _unsent(self, wave: int, limit: int) -> list[RunTask]:
        return await self._runs.unsent(self.run_id, wave, limit)

    # -- sending ----------------------------------------------------------------------------------------------------

    async def _send(self, wave: RunWave, work: WaveWork) -> None:
        """Look at the next tasks of a wave again, and send those that have not changed."""
        pace = self._run.pace
        size = work.unsent if pace is None else min(max(1, int(pace * PART_SECONDS / 60)), work.unsent)
        size = min(size, self.session.most_ids)
        if pace is not None:
            self._part_at = self._clock() + 60 * size / pace
        tasks = await self._unsent(wave.wave, size)
        checked = await self._checked(wave.wave, tasks)
        if checked.left_out:
            await self._write(lambda: self._runs.leave_out(self.run_id, self.name, dict(checked.left_out)))
        batch: str | None = None
        if checked.selected_tasks.retries:
            launched = await self._launched(wave, checked, work.given)
            if launched is None:
                work.unsent = await self._runs.count_unsent(self.run_id, wave.wave)
                return
            batch = launched.batch_id
            work.instances |= checked.instances
            work.known_before(checked.failures, checked.selected_tasks.retries)
            sent = [
                (task.ordinal, task.task_id, task.retries)
                for task in tasks
                if task.task_id in checked.selected_tasks.retries
            ]
            work.add(sent, [batch] if batch is not None else [])
        work.unsent = await self._runs.count_unsent(self.run_id, wave.wave)
        why: dict[str, int] = {}
        for reason in checked.left_out.values():
            why[reason] = why.get(reason, 0) + 1
        self._tell(
            WaveStep(self.run_id, wave.wave, "sent", wave.tasks, len(checked.selected_tasks.retries), batch, why)
        )

    async def _checked(self, wave: int, tasks: list[RunTask]) -> CheckedTasks:
        """The tasks as they are now, read page by page; an engine that does not answer is waited for."""
        client = await self.session.opened()
        checked = CheckedTasks(SelectedTasks(client.engine_now(), frozenset(task.task_id for task in tasks)))
        log = TaskLog(self._run.frozen_at)
        first, pause = 0, TICK
        while first < len(tasks):
            await self._renew()
            await self._limit.wait()
            page = tasks[first : first + PAGE]
            try:
                await self.session.ask(lambda client: check(client, checked, page, log))  # noqa: B023 - asked at once
            except EngineProblem as problem:
                await self._heed(problem, wave)
                pause = min(2 * pause, LONGEST_PAUSE)
                await self._sleep(pause)
                continue
            first, pause = first + PAGE, TICK
        return checked

    async def _launched(self, wave: RunWave, checked: CheckedTasks, retries: int) -> Launch | None:
        """Send a batch; what is known not to have arrived is sent again, and nothing else is. Nothing is answered where
        a proxy found it too large: the next ones are smaller."""
        selected_tasks = checked.selected_tasks.only(checked.selected_tasks.retries)
        said = f"run {self.run_id}, wave {wave.wave}: {things(len(selected_tasks.retries), 'task')}"
        plan = LaunchPlan(
            Marked(selected_tasks.named, said), retries, selected_tasks.facts(), selected_tasks, EVERY_KIND
        )
        part = RunPart(self.run_id, wave.wave, self.name)
        order = DecidedLaunch(plan, self._run.reason, part=part)
        told: list[LaunchEvent] = []
        pause = TICK
        for sending in range(SENDINGS):
            await self._renew(now=True)
            self._before_sending()
            if why := self.session.safety.why_not():
                raise _Hold("safety", why, wave.wave)
            told.clear()
            if await send_launch(self.session, order, told.append) is not None:
                return (await self._runs.launches(self.run_id, wave.wave))[-1]
            self.session.say(*sentence_of(told[-1]))
            if any(isinstance(event, NoAnswer | NotFound) for event in told):
                raise _Hold(UNANSWERED, sentence_of(told[-1])[0], wave.wave)
            if len(selected_tasks.retries) > self.session.most_ids:
                return None
            if any(isinstance(event, RefusedByEngine) for event in told):
                raise _Hold("refused", sentence_of(told[-1])[0], wave.wave)
            if sending < SENDINGS - 1:
                pause = min(2 * pause, LONGEST_PAUSE)
                await self._sleep(pause)
        raise _Hold("not-sent", sentence_of(told[-1])[0], wave.wave)

    async def _settle(self) -> None:
        """Launches of an earlier driver that were not answered are looked for before anything is sent.

        Raises:
            _Hold: it is still not known what became of one.
        """
        doubtful = [one for one in await self._runs.launches(self.run_id) if one.state in ("sent", "unknown")]
        if not doubtful:
            return
        found: list[str] = []
        search = UnansweredLaunches(self.session, lambda event: found.append(sentence_of(event)[0]))
        for _ in range(SENDINGS):
            try:
                await self._limit.wait()
                await search.look_once()
            except EngineProblem as problem:
                await self._heed(problem, None)
            doubtful = [one for one in await self._runs.launches(self.run_id) if one.state in ("sent", "unknown")]
            if not doubtful:
                break
            await self._sleep(2 * TICK)
        for said in found:
            self.session.say(said)
        if doubtful:
            one = doubtful[0]
            said = f"Launch {one.id} was sent but not answered, and its batch is not found yet: it is not sent again."
            raise _Hold(UNANSWERED, said, one.wave)

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
        choices: dict[str, BatchChoice] = {
            "stop:goes-on": "goes-on", "stop:suspend": "suspend", "stop:delete": "delete",
        }  # fmt: skip
        if self._wish in choices:
            raise _Stop(choices[self._wish])

    async def _step(self, wave: int, state: Literal["sending", "watching", "passed", "released", "skipped"]) -> None:
        await self._write(lambda: self._runs.wave(self.run_id, self.name, wave, state))

    async def _note(self, wave: int, counts: WorkCounts, watched: float, fresh: Mapping[int, str]) -> None:
        await self._write(lambda: self._runs.note(self.run_id, self.name, wave, numbers(counts), watched, fresh))

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
        self.session.say(f"Run {self.run_id} waits for the engine: {problem.sentence}", "warning")
        if problem.retry_after == inf:
            raise _Hold("login", problem.sentence, wave)


def sentence(verdict: Verdict, gate: Gate, watch: float) -> str:
    """Why the gate holds, for the operator."""
    counts = verdict.counts
    again = f"{counts.again:,} of {things(counts.decided, 'decided task')} failed again"
    share = f"{100 * counts.again / max(counts.decided, 1):.1f}%, limit {100 * gate.limit:g}%"
    waited = f"after {watch:g} s"
    match verdict.cause:
        case "failed-again":
            new = f", {counts.new_cause:,} with a new error" if counts.new_cause else ""
            return f"{again} ({share}{new})."
        case "new-cause":
            return f"{things(counts.new_cause, 'task')} failed again with a new error."
        case "nothing-decided":
            if counts.unknown:
                return "No task was decided: they are gone, and no log says how."
            return "No task was tried: all were left out, or have ended otherwise."
        case "nobody-works":
            return f"Nobody works on these topics: {waited} no task was taken."
        case "still-locked":
            return f"Still locked {waited}: {things(counts.locked, 'task')}; {again}."
        case _:
            return f"Not decided {waited}: {things(counts.open, 'task')}; {again}."
