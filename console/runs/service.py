"""Runs are begun, resumed, changed and stopped here, for screens and commands alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from retriage.console.engine.errors import EngineProblem
from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.operations.frozen_tasks import FREEZE_EVERY
from retriage.console.operations.operation import AS_THEY_ARE, FreezeRules
from retriage.console.reading.page_limit import PageLimit
from retriage.console.runs.change import RestChange, change_rest
from retriage.console.runs.driver import RunDriven, RunDriver
from retriage.console.runs.driver_name import driver_name, is_dead
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded
from retriage.console.runs.run import write_down
from retriage.console.runs.waves import WaveMistake
from retriage.console.text.words import count
from retriage.store.journal import NotYours

if TYPE_CHECKING:
    from retriage.console.operations.operation import FrozenUnits, Operation
    from retriage.console.reading.selection import Instances, Selection
    from retriage.console.runs.decided_run import DecidedRun
    from retriage.console.runs.driver import Wish
    from retriage.console.runs.events import RunEvent, RunHeld
    from retriage.console.runs.run import RunOrder
    from retriage.console.session.session import Session


@dataclass(eq=False)
class DrivenRun:
    """A run as far as this console has to do with it.

    Attributes:
        title: what was chosen, in words.
        run_id: its number; ``None`` while its tasks are still being read.
        progress: what is being done before it is written down.
        problem: why it did not begin, or is driven no more, in one sentence; empty otherwise.
        name: the name under which it is driven.
        driver: who drives it here; ``None`` before, and when it is held or has ended.
    """

    title: str
    run_id: int | None = None
    progress: str = ""
    problem: str = ""
    name: str = field(default_factory=driver_name)
    driver: RunDriver | None = None
    work: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def at_work(self) -> bool:
        """It is begun or driven in the background at this moment."""
        return self.work is not None and not self.work.done()


class RunService:
    """Begins runs, drives them, and passes on what the operator wants.

    A command awaits :meth:`freeze`, :meth:`write_down` and :meth:`drive`; a screen leaves that to a task beside it
    (:meth:`begin`, :meth:`resume`, :meth:`stop`) and shows the :class:`DrivenRun`.

    Args:
        session: whose engine and journal; it publishes ``runs`` and says what went wrong.
        tell: called with each event of a run that is driven here.
    """

    def __init__(self, session: Session, tell: Callable[[RunEvent], object]) -> None:
        self._session = session
        self._tell = tell
        self._runs: list[DrivenRun] = []

    # -- awaited ----------------------------------------------------------------------------------------------------

    async def freeze(
        self, selection: Selection | Instances, operation: Operation, rules: FreezeRules = AS_THEY_ARE
    ) -> FrozenUnits:
        """Read the units of a run, politely.

        Args:
            selection: which ones.
            operation: what is to be done.
            rules: which of them.

        Raises:
            EngineProblem: the engine did not answer.
        """
        rules = replace(rules, pages=PageLimit(every=FREEZE_EVERY))
        await self._session.connection.ask(lambda client: client.check_clock(anew=True))
        return await self._session.connection.ask(
            lambda client: operation.freeze(client, selection, client.engine_now(), rules)
        )

    async def write_down(self, order: RunOrder, frozen: FrozenUnits) -> DrivenRun:
        """Write a run into the journal with all of its tasks; nothing is sent.

        Raises:
            WaveMistake: some tasks would be in no wave.
            SQLAlchemyError: the journal cannot be written.
        """
        run = DrivenRun(order.title)
        run.run_id = await write_down(self._session, order, frozen, run.name)
        return run

    async def drive(
        self, run: DrivenRun, *, release: bool = False, skip: bool = False, wish: Wish | None = None
    ) -> RunHeld | RunEnded:
        """Drive a run until it is held or has ended.

        Args:
            run: the run; it is written down.
            release: let it go on where its gate holds it.
            skip: do not watch the wave at work any longer.
            wish: what is done first.

        Raises:
            RunDriven: somebody else drives it.
            SQLAlchemyError: the journal cannot be read or written; the run can be resumed.
        """
        assert run.run_id is not None, "a run is driven when it is written down"
        driver = run.driver = RunDriver(self._session, run.run_id, self._tell, driver=run.name)
        if wish is not None:
            driver.wish(wish)
        try:
            # What the operator confirmed covers the whole run, however long it takes; it covers nothing else.
            with self._session.connection.safety.consented():
                return await driver.drive(release=release, skip=skip)
        finally:
            run.driver = None

    async def change(self, run_id: int, change: RestChange) -> None:
        """Change what has not begun. A wave at work keeps its tasks and the retries that they were given.

        Raises:
            WaveMistake: some tasks would be in no wave.
            RunDriven: another console drives it.
            SQLAlchemyError: the journal cannot be written.
        """
        assert self._session.memory.journal is not None, "the run comes from the journal"
        runs = self._session.memory.journal.runs
        here = self.driver_of(run_id)
        name = here.name if here is not None else driver_name()
        try:
            if here is None:
                before = await runs.run(run_id)
                dead = before.driver if before is not None and is_dead(before.driver) else ""
                await runs.take(run_id, name, dead)
            await change_rest(runs, run_id, name, change)
        except NotYours:
            raise RunDriven(f"Run {run_id} is driven by another console: change its rest there.") from None
        finally:
            if here is None:
                await runs.leave(run_id, name)

    async def end(self, run_id: int, title: str) -> str:
        """Stop a run that nobody drives, and wait for that.

        Args:
            run_id: the run.
            title: what was chosen, in words.

        Returns:
            why it has not ended, as a sentence; empty where it has.
        """
        if any(run.run_id == run_id for run in self.at_work):
            return f"Run {run_id} is at work: stop it first, or let it end."
        try:
            ended = await self.drive(DrivenRun(title, run_id), wish="stop:goes-on")
        except RunDriven as problem:
            return str(problem)
        except journal_problem() as problem:
            return f"Run {run_id} has not ended: the journal cannot be written: {said_by_driver(problem)}"
        finally:
            self._session.news.publish("runs")
            self._session.news.publish("journal")
        return "" if isinstance(ended, RunEnded) else ended.said

    async def pass_on(self, run_id: int, wish: Wish) -> str:
        """Pass a wish on to the driver of a run; returns where that one is, empty where nobody drives it."""
        here = self.driver_of(run_id)
        if here is not None:
            here.wish(wish)
            return "here"
        assert self._session.memory.journal is not None, "the run comes from the journal"
        runs = self._session.memory.journal.runs
        run = await runs.run(run_id)
        if run is not None and not is_dead(run.driver) and await runs.wish(run_id, wish):
            return "by the console that drives it"
        return ""

    # -- in the background ------------------------------------------------------------------------------------------

    @property
    def at_work(self) -> list[DrivenRun]:
        """Runs that are begun or driven in the background now."""
        return [run for run in self._runs if run.at_work]

    def of(self, run_id: int) -> DrivenRun | None:
        """What this console has to do with a run; ``None`` where it never had."""
        return next((run for run in reversed(self._runs) if run.run_id == run_id), None)

    def driver_of(self, run_id: int) -> RunDriver | None:
        """The driver of a run here; ``None`` where it is held, has ended, or is driven elsewhere."""
        run = self.of(run_id)
        return run.driver if run is not None else None

    def begin(self, decided: DecidedRun) -> DrivenRun:
        """Read the tasks of a run, write it down, and drive it. The operator's consent covers all of it. Of a run of
        two parts nothing is sent before both are written down; they are driven side by side."""
        run = DrivenRun(decided.order.title, progress=f"reading the {decided.order.operation.unit}s …")
        return self._start(run, self._begin(run, decided))

    def resume(self, run_id: int, title: str, *, release: bool = False) -> DrivenRun:
        """Drive a run that nobody drives.

        Args:
            run_id: the run.
            title: what was chosen, in words.
            release: let it go on where its gate holds it.
        """
        run = DrivenRun(title, run_id)
        return self._start(run, self._drive(run, release=release))

    def stop(self, run_id: int, title: str, wish: Wish) -> DrivenRun:
        """Stop a run that nobody drives: what was not sent is dropped."""
        run = DrivenRun(title, run_id)
        return self._start(run, self._drive(run, wish=wish))

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

    async def _begin(self, run: DrivenRun, decided: DecidedRun) -> None:
        session, order, other = self._session, decided.order, decided.other
        neither = " Neither part has begun." if other is not None else ""

        def tell(number: int) -> None:
            run.progress = f"reading the tasks … {count(number)}"
            session.news.publish("runs")

        try:
            rules = FreezeRules(decided.included, decided.wants, progress=tell)
            frozen = decided.frozen or await self.freeze(decided.selection, order.operation, rules)
            if why := decided.why_not(len(frozen.tasks)):
                self._fail(run, why + neither)
                return
            run.progress = f"writing down {order.operation.units(len(frozen.tasks))} …"
            session.news.publish("runs")
            number = await write_down(session, order, frozen, run.name)
            second = None
            if other is not None:
                assert other.frozen is not None, "they were shown"
                second = DrivenRun(other.order.title)
                second.run_id = await write_down(session, other.order, other.frozen, second.name, number)
            run.run_id = number
        except EngineProblem as problem:
            self._fail(run, f"Not begun: {problem.sentence}{neither}")
            return
        except WaveMistake as mistake:
            self._fail(run, f"Not begun: {mistake.sentence}{neither}")
            return
        except (journal_problem(), NotYours) as problem:
            self._fail(run, f"Not begun: the journal cannot be written: {said_by_driver(problem)}{neither}")
            return
        run.progress = ""
        missing = decided.shown - len(frozen.tasks)
        fewer = f" {count(missing)} fewer than shown: the rest changed since." if missing else ""
        both = ""
        if other is not None and second is not None:
            both = f" Part 2 is run {second.run_id}, of {other.order.operation.units(other.shown)}, beside it."
        session.news.say(
            f"Run {run.run_id} has begun: {text_of(order.plan(frozen, run.run_id)).splitlines()[0]}.{fewer}{both}"
        )
        session.news.publish("journal")
        if second is not None:
            self._start(second, self._drive(second))
        await self._drive(run)

    async def _drive(self, run: DrivenRun, *, release: bool = False, wish: Wish | None = None) -> None:
        session = self._session
        session.watch.tell_run(f"run {run.run_id}")
        try:
            await self.drive(run, release=release, wish=wish)
        except RunDriven as problem:
            self._fail(run, str(problem))
        except journal_problem() as problem:
            self._fail(run, f"Run {run.run_id} is no longer driven, and can be resumed. The journal cannot "
                            f"be written: {said_by_driver(problem)}")  # fmt: skip
        finally:
            session.news.publish("runs")
            session.news.publish("journal")

    def _fail(self, run: DrivenRun, why: str) -> None:
        run.problem, run.progress = why, ""
        self._session.news.say(why, "failed")
        self._session.news.publish("runs")
