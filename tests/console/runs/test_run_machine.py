"""Runs against a model of an engine, with failures of everything: answers lost, the engine gone, the journal locked,
the process killed before or after every step, clocks that jump, a second console.

Whatever happens: no task is set twice by a run, none is lost, and the states on disk can be explained.
"""

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.exc import OperationalError

from retriage.console.launch import find_batch, send
from retriage.console.operations.frozen_tasks import freeze
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.selection import Marked
from retriage.console.runs.driver import RunDriven, RunDriver
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.gate import Gate
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.waves import waves_of
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.database.clock import now as real_now
from retriage.store.journal import Journal, runs
from retriage.store.journal.reading import TAKEN
from tests.console.runs.model_engine import Killed, ModelEngine

SENDING_LOST = timedelta(minutes=11)


class Frail:
    """The database of a journal: locked now and then, and gone when its process is killed.

    Args:
        database: the real one.
    """

    def __init__(self, database: Any) -> None:
        self._database = database
        self.locked = 0
        self.writes = 0
        self.kill_at = -1
        self.kill_after = False
        self.dead = False

    def reading(self) -> Any:
        if self.dead:
            raise Killed
        return self._database.reading()

    @asynccontextmanager
    async def writing(self) -> Any:
        if self.dead:
            raise Killed
        if self.locked:
            self.locked -= 1
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        self.writes += 1
        hit = self.writes == self.kill_at
        if hit and not self.kill_after:
            self.dead = True
            raise Killed
        async with self._database.writing() as connection:
            yield connection
        if hit:
            self.dead = True
            raise Killed

    async def close(self) -> None:
        await self._database.close()


class RunMachine(RuleBasedStateMachine):
    """One engine, one journal file, one run; consoles come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="run-machine-"))
        self.loop = asyncio.Runner()
        self.engine = ModelEngine()
        self.jump = timedelta()
        self.run = 0
        self.ended = False
        self.plan: dict[str, Any] = {}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(runs, "now", lambda: real_now() + self.jump)
        self.patch.setattr(send, "BETWEEN_LOOKS", 0.0)

    @initialize(
        tasks=st.integers(1, 40),
        waves=st.sampled_from(["rest", "1, rest", "2, 5, rest", "10%, 50%, rest"]),
        pace=st.sampled_from([None, None, 20.0]),
        retries=st.sampled_from([1, 3]),
    )
    def begin(self, tasks: int, waves: str, pace: float | None, retries: int) -> None:
        ids = self.engine.fill(tasks)
        self.ids = ids

        async def beginning() -> int:
            journal = await self._journal()
            try:
                session = self._session(journal)
                order = RunOrder("all", SetRetries(retries), waves_of(waves), Gate(0.2), 30.0, pace)
                frozen = await freeze(self.engine, Marked(frozenset(ids)), retries, self.engine.now)  # type: ignore[arg-type]
                run = await write_down(session, order, frozen, "somebody")
                await journal.runs.leave(run, "somebody")
                return run
            finally:
                await journal.close()

        self.run = self.loop.run(beginning())

    async def _journal(self, frail: dict[str, Any] | None = None) -> Journal:
        journal = await Journal.open(self.folder / "journal.db")
        if frail is not None:
            one = Frail(journal._database)
            for name, value in frail.items():
                setattr(one, name, value)
            journal._database = journal.runs._database = one  # type: ignore[assignment]
        return journal

    def _session(self, journal: Journal) -> Session:
        session = Session(ConnectionIdentity("TEST", "http://e", "ann", name="e"))
        session.connection.open(self.engine)  # type: ignore[arg-type]
        session.memory.keep_journal(journal)
        return session

    def _drive(self, **how: bool) -> RunHeld | RunEnded | str:
        """A new console drives the run, as far as it gets."""
        plan, self.plan = self.plan, {}

        async def driving() -> RunHeld | RunEnded | str:
            journal = await self._journal(plan)
            seconds = 0.0

            async def sleep(time: float) -> None:
                nonlocal seconds
                seconds += time
                self.engine.turn(time)
                await asyncio.sleep(0)

            driver = RunDriver(self._session(journal), self.run, lambda event: None, clock=lambda: seconds, sleep=sleep)
            try:
                return await driver.drive(**how)
            except Killed:
                return "killed"
            except RunDriven:
                return "driven"
            except OperationalError:
                return "locked"
            finally:
                with suppress(Killed):
                    await journal.close()

        told = self.loop.run(driving())
        self.engine.kill = ""
        if told == "killed":
            self.jump += timedelta(minutes=1)  # until its time is over nobody else drives
        self.ended = isinstance(told, RunEnded)
        return told

    # -- what can happen

    @rule(release=st.booleans(), skip=st.booleans())
    def drive(self, release: bool, skip: bool) -> None:
        self._drive(release=release, skip=skip)

    @rule(at=st.integers(1, 60), after=st.booleans())
    def kill_at_a_write(self, at: int, after: bool) -> None:
        self.plan |= {"kill_at": at, "kill_after": after}

    @rule(when=st.sampled_from(["before", "after"]))
    def kill_at_the_order(self, when: str) -> None:
        self.engine.kill = when

    @rule(times=st.integers(1, 8))
    def lock_the_journal(self, times: int) -> None:
        self.plan |= {"locked": times}

    @rule(what=st.lists(st.sampled_from(["before", "after", ""]), max_size=3))
    def lose_answers(self, what: list[str]) -> None:
        self.engine.lose = what

    @rule(questions=st.integers(1, 30))
    def lose_the_engine(self, questions: int) -> None:
        self.engine.gone = questions

    @rule(stuck=st.booleans(), failing=st.sampled_from([0, 2, 3, 7]))
    def work_otherwise(self, stuck: bool, failing: int) -> None:
        self.engine.stuck, self.engine.failing = stuck, failing

    @rule(minutes=st.integers(-30, 120))
    def clocks_jump(self, minutes: int) -> None:
        self.jump += timedelta(minutes=minutes)

    @rule()
    def much_time_passes(self) -> None:
        self.engine.turn(SENDING_LOST.total_seconds())
        self.jump += SENDING_LOST

    @precondition(lambda self: self.run and len(self.engine.tasks) > 1)
    @rule(data=st.data())
    def somebody_else_acts(self, data: Any) -> None:
        id = data.draw(st.sampled_from(sorted(self.engine.tasks)))
        if any(id in order.ids for order in self.engine.orders):
            return
        if data.draw(st.booleans()):
            del self.engine.tasks[id]
        elif self.engine.stuck:
            self.engine.tasks[id] = self.engine.tasks[id].model_copy(update={"retries": 7})

    # -- what must hold

    @invariant()
    def no_task_is_set_twice(self) -> None:
        assert self.engine.set_twice == []

    @invariant()
    def the_states_on_disk_can_be_explained(self) -> None:
        if self.run:
            self.loop.run(self._explain())

    async def _explain(self) -> None:
        journal = await self._journal()
        try:
            waves = await journal.runs.waves(self.run)
            launches = await journal.runs.launches(self.run)
            numbers = [wave.wave for wave in waves]
            assert numbers == sorted(numbers)
            open = [wave for wave in waves if not wave.over]
            assert all(wave.state == "planned" for wave in open[1:]), "two waves at work"
            planned = {wave.wave for wave in waves if wave.state == "planned"}
            assert not planned & {one.wave for one in launches}, "sent before it was written down"
            # Every order that arrived was written down before it was sent, and is known, or looked for.
            written = [sorted([task.task_id for task in await journal.tasks(one.id, 0, 100)]) for one in launches]
            for order in self.engine.orders:
                at = [n for n, ids in enumerate(written) if ids == sorted(order.ids) and launches[n].state in TAKEN]
                assert len(at) == 1, f"{order.id} is not explained by one launch"
            tasks = [task async for piece in journal.runs.tasks(self.run) for task in piece]
            ordered = {id for order in self.engine.orders for id in order.ids}
            assert not ordered & {task.task_id for task in tasks if task.left_out}, "left out and sent"
            run = await journal.runs.run(self.run)
            assert run is not None
            if run.over:
                assert all(wave.over for wave in waves)
        finally:
            await journal.close()

    def teardown(self) -> None:
        """The night is over: nothing fails any more. What was ordered is then done, to the last task."""
        try:
            if self.run:
                self._come_to_an_end()
        finally:
            self.patch.undo()
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _come_to_an_end(self) -> None:
        self.engine.gone, self.engine.lose, self.engine.kill = 0, [], ""
        self.engine.stuck, self.engine.failing = False, 0
        self.plan = {}
        self.jump = timedelta(days=1) if self.jump < timedelta(days=1) else self.jump + timedelta(days=1)
        told: list[Any] = []
        for _ in range(12):
            told.append(self._drive(release=True))
            if self.ended:
                break
            self.much_time_passes()
        assert self.ended, f"it does not come to an end: {told}"
        self.no_task_is_set_twice()
        self.loop.run(self._explain())
        self.loop.run(self._nothing_lost())

    async def _nothing_lost(self) -> None:
        journal = await self._journal()
        try:
            tasks = [task async for piece in journal.runs.tasks(self.run) for task in piece]
        finally:
            await journal.close()
        ordered = {id for order in self.engine.orders for id in order.ids}
        assert {task.task_id for task in tasks} == set(self.ids)
        assert {task.task_id for task in tasks if not task.left_out} == ordered


assert find_batch.LATE < SENDING_LOST

TestRuns = RunMachine.TestCase
TestRuns.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
