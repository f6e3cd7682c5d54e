"""The runs that this console begins and drives, each in a task of its own beside the screens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.engine.errors import EngineProblem
from console.runs.driver import RunDriven, RunDriver
from console.runs.driver_name import driver_name
from console.runs.event_text import text_of
from console.runs.events import RunEnded, RunHeld, WaveStep
from console.runs.frozen_tasks import FREEZE_EVERY, freeze
from console.runs.page_limit import PageLimit
from console.runs.run import write_down
from console.runs.waves import WaveMistake
from console.session.journal_answers import journal_problem, said_by_driver
from console.text.words import count, things
from store.journal import NotYours

if TYPE_CHECKING:
    from console.runs.decided_run import DecidedRun
    from console.runs.driver import Wish
    from console.runs.events import RunEvent
    from console.session.session import Session

Call = Callable[[RunHeld], object]
"""Calls the operator to a run that is held."""


@dataclass(eq=False)
class DrivenRun:
    """A run as far as this console has to do with it.

    Attributes:
        title: what was chosen, in words.
        run_id: its number; none while its tasks are still being read.
        progress: what is being done before it is written down.
        problem: why it did not begin, or is driven no more, in one sentence; empty otherwise.
        driver: who drives it here; none before, and when it is held or has ended.
    """

    title: str
    run_id: int | None = None
    progress: str = ""
    problem: str = ""
    driver: RunDriver | None = None
    work: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def at_work(self) -> bool:
        """It is begun or driven here at this moment."""
        return self.work is not None and not self.work.done()


class DrivenRuns:
    """Begins runs, drives them, and hands them what the operator wants.

    Args:
        session: whose engine and journal; it is told what happens, and publishes ``runs``.
        call: calls the operator to a run that does not go on by itself.
    """

    def __init__(self, session: Session, call: Call = lambda held: None) -> None:
        self._session = session
        self._call = call
        self._runs: list[DrivenRun] = []

    @property
    def at_work(self) -> list[DrivenRun]:
        """Those that are begun or driven now."""
        return [run for run in self._runs if run.at_work]

    def of(self, run_id: int) -> DrivenRun | None:
        """What this console has to do with a run; nothing where it never had."""
        return next((run for run in reversed(self._runs) if run.run_id == run_id), None)

    def driver_of(self, run_id: int) -> RunDriver | None:
        """Who drives a run here; nobody where it is held, has ended, or is driven elsewhere."""
        run = self.of(run_id)
        return run.driver if run is not None else None

    def begin(self, decided: DecidedRun) -> DrivenRun:
        """Read the tasks of a run, write it down, and drive it. The operator's consent covers all of it."""
        run = DrivenRun(decided.order.title, progress="reading the tasks …")
        return self._start(run, self._begin(run, decided))

    def resume(self, run_id: int, title: str, *, release: bool = False, skip: bool = False) -> DrivenRun:
        """Drive a run that nobody drives.

        Args:
            run_id: the run.
            title: what was chosen, in words.
            release: let it go on where its gate holds it.
            skip: do not watch the wave at work any longer.
        """
        run = DrivenRun(title, run_id)
        return self._start(run, self._drive(run, driver_name(), release=release, skip=skip))

    def stop(self, run_id: int, title: str, wish: Wish) -> DrivenRun:
        """Stop a run that nobody drives: what was not sent is dropped."""
        run = DrivenRun(title, run_id)
        return self._start(run, self._drive(run, driver_name(), wish=wish))

    def _start(self, run: DrivenRun, work: Coroutine[Any, Any, None]) -> DrivenRun:
        self._runs = [one for one in self._runs if one.run_id != run.run_id or one.at_work or run.run_id is None]
        self._runs.append(run)
        run.work = asyncio.create_task(work, name="run")
        self._session.news.publish("runs")
        return run

    async def close(self) -> None:
        """Drive no more: each run is held by the interruption, and can be resumed."""
        for run in self.at_work:
            assert run.work is not None
            run.work.cancel()
        await asyncio.gather(*(run.work for run in self._runs if run.work is not None), return_exceptions=True)

    # -- in a task of its own ---------------------------------------------------------------------------------------

    async def _begin(self, run: DrivenRun, decided: DecidedRun) -> None:
        session, order = self._session, decided.order
        name = driver_name()

        def tell(number: int) -> None:
            run.progress = f"reading the tasks … {count(number)}"
            session.news.publish("runs")

        try:
            limit = PageLimit(every=FREEZE_EVERY)
            frozen = await session.ask(
                lambda client: freeze(
                    client, decided.selection, order.retries, client.engine_now(),
                    included=decided.included, wanted=decided.wants, limit_pages=limit, progress=tell,
                )
            )  # fmt: skip
            if why := decided.why_not(len(frozen.tasks)):
                self._fail(run, why)
                return
            run.progress = f"writing down {things(len(frozen.tasks), 'task')} …"
            session.news.publish("runs")
            run.run_id = await write_down(session, order, frozen, name)
        except EngineProblem as problem:
            self._fail(run, f"Not begun: {problem.sentence}")
            return
        except WaveMistake as mistake:
            self._fail(run, f"Not begun: {mistake.sentence}")
            return
        except (journal_problem(), NotYours) as problem:
            self._fail(run, f"Not begun: the journal cannot be written: {said_by_driver(problem)}")
            return
        run.progress = ""
        missing = decided.shown - len(frozen.tasks)
        fewer = f" {count(missing)} fewer than shown: the rest changed since." if missing else ""
        session.say(f"Run {run.run_id} has begun: {text_of(order.plan(frozen, run.run_id)).splitlines()[0]}.{fewer}")
        session.news.publish("journal")
        await self._drive(run, name)

    async def _drive(
        self, run: DrivenRun, name: str, *, release: bool = False, skip: bool = False, wish: Wish | None = None
    ) -> None:
        session = self._session
        assert run.run_id is not None
        run.driver = RunDriver(session, run.run_id, self._tell, driver=name)
        session.tell_run(f"run {run.run_id}")
        if wish is not None:
            run.driver.wish(wish)
        try:
            # What the operator confirmed covers the whole run, however long it takes; it covers nothing else.
            with session.safety.consented():
                await run.driver.drive(release=release, skip=skip)
        except RunDriven as problem:
            self._fail(run, str(problem))
        except journal_problem() as problem:
            self._fail(run, f"Run {run.run_id} is no longer driven, and can be resumed. The journal cannot "
                            f"be written: {said_by_driver(problem)}")  # fmt: skip
        finally:
            run.driver = None
            session.news.publish("runs")
            session.news.publish("journal")

    def _fail(self, run: DrivenRun, why: str) -> None:
        run.problem, run.progress = why, ""
        self._session.say(why, "failed")
        self._session.news.publish("runs")

    def _tell(self, event: RunEvent) -> None:
        session = self._session
        match event:
            case RunHeld():
                session.tell_run(f"run {event.run} held", "failed")
                session.say(text_of(event), "warning")
                self._call(event)
            case RunEnded():
                session.tell_run("")
                session.say(text_of(event), "good" if event.state == "passed" else "warning")
            case WaveStep(state="sending"):
                session.tell_run(f"run {event.run} wave {event.wave}")
            case WaveStep(state="sent" | "passed" | "released" | "skipped"):
                session.say(f"Run {event.run}: {text_of(event)}")
        session.news.publish("runs")
