"""Before the tasks of a wave get retries, the variables of their process instances are set, and read back.

What was sent is known by the launches of the wave alone, as for its retries: a driver that begins again waits for the
batch of the last one and reads the values back, and sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from retriage.console.launch.decided_launch import DecidedLaunch, RunPart
from retriage.console.launch.launch_events import GivenBack, LaunchEvent
from retriage.console.launch.one_by_one import GROUP
from retriage.console.launch.plan_by_ids import PlanOneByOne
from retriage.console.launch.send import STANDSTILL, send_launch
from retriage.console.operations.local_variables import SetLocal
from retriage.console.operations.set_variables import SetVariables
from retriage.console.reading.pages import pieces
from retriage.console.runs.events import WaveStep
from retriage.console.runs.hold import NOT_SET, RunHold
from retriage.console.runs.sent_work import taken_launches
from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import Operation, UnitWork
    from retriage.console.session.session import Session
    from retriage.store.journal import Run, RunWave

SENT_AT_ONCE = 5 * GROUP
"""Executions of a launch: between two launches the run is kept, and may be stopped."""
Ask = Callable[[Callable[["EngineClient"], Awaitable[None]]], Awaitable[None]]


class VariablesFirst:
    """The batches that set variables of the instances of the wave at work.

    Args:
        session: whose journal.
        ask: asks the engine until it answers.
        clock: seconds that only go forward.

    Attributes:
        again: instances that do not show what was set are set once more, once.
    """

    def __init__(self, session: Session, ask: Ask, clock: Callable[[], float]) -> None:
        assert session.memory.journal is not None, "a run is known by the journal"
        self._session = session
        self._journal = session.memory.journal
        self._ask = ask
        self._clock = clock
        self.again = False
        self._wave = 0
        self._work: UnitWork | None = None
        self._sent: set[str] = set()
        """Instances that a batch was sent for."""
        self._sent_locally: dict[str, str] = {}
        """Executions that were sent a request -> how that launch ended."""
        self._left, self._since = -1, 0.0
        """Jobs that were left when that number last changed, and when it did."""

    async def at_work(self, run: Run, operation: Operation, wave: int) -> bool:
        """A batch of a wave still sets variables.

        Args:
            run: the run.
            operation: what it does.
            wave: number of the wave.

        Raises:
            RunHold: no job of it was carried out for as long as a wave is watched, and at least :data:`STANDSTILL` s.
        """
        if operation.fix is None:
            return False
        if self._work is None or self._wave != wave:
            self._wave, self._work, self._left = wave, operation.fix.work(run.frozen_at), -1
            self._sent = set()
            for launch in await taken_launches(self._journal.runs, run, wave, operation.fix.name):
                async for piece in self._journal.all_tasks(launch):
                    self._sent.update(task.task_id for task in piece)
                self._work.add((), [launch.batch_id] if launch.batch_id is not None else [])
        if not self._work.at_work:
            return False
        await self._ask(self._work.look_at_batch)
        obstacles = self._work.obstacles
        if obstacles.jobs_left != self._left:
            self._left, self._since = obstacles.jobs_left, self._clock()
        elif self._clock() - self._since >= (patience := max(run.watch, STANDSTILL)) and self._work.at_work:
            why = f"batch {obstacles.suspended} is suspended" if obstacles.suspended else "no job of it was carried out"
            said = f"{things(obstacles.jobs_left, 'job')} of the batch that sets variables of this wave left: {why}"
            raise RunHold(NOT_SET, f"{said} for {patience:g} s. No retries are given before.", wave)
        return self._work.at_work

    def what_is_set(self, operation: Operation, to_set: Collection[str]) -> Operation | None:
        """What is done to instances of the wave before retries are given; ``None`` where all of them show it.

        Args:
            operation: what the run does.
            to_set: instances that do not show it.

        Raises:
            RunHold: a batch of the wave was through with some of these.
        """
        missing, self.again = len(self._sent.intersection(to_set)) if not self.again else 0, False
        if missing:
            does = "does" if missing == 1 else "do"
            names = ", ".join(operation.variables)
            said = f"{things(missing, 'instance')} of this wave {does} not show the new {names} although a batch set it"
            raise RunHold(NOT_SET, f"{said}: no retries are given. Going on sets it once more.", self._wave)
        return operation.fix if to_set else None

    def add(self, batch: str, ids: Iterable[str]) -> None:
        """A batch was sent for these instances."""
        assert self._work is not None, "nothing is sent before it was looked"
        self._work.add((), [batch])
        self._sent.update(ids)
        self._left = -1

    async def set_locally(
        self,
        run: Run,
        wave: RunWave,
        operation: Operation,
        hiders: Mapping[str, str],
        renew: Callable[[], Awaitable[None]],
    ) -> WaveStep:
        """Set variables of executions of a wave that hide what is set in their instances, a request each.

        Args:
            run: the run.
            wave: the wave.
            operation: what the run does.
            hiders: executions with what they have, as it was written down.
            renew: keeps the run; called between two launches.

        Raises:
            RunHold: some of them were sent a request before, or none may be sent.
        """
        ours = operation.fix or operation
        assert isinstance(ours, SetVariables), "nothing else is hidden"
        sets, number = SetLocal(ours.values), wave.wave
        if missing := [id for id in hiders if id in self._sent_locally]:
            names, last = ", ".join(sets.variables), self._sent_locally[missing[-1]]
            said = f"{sets.units(len(missing))} of this wave not showing the new {names} after a request each"
            raise RunHold(NOT_SET, f"{said}: no retries are given. {last}", number)
        for some in pieces(sorted(hiders), SENT_AT_ONCE):
            await renew()
            if why := self._session.connection.safety.why_not():
                raise RunHold("safety", why, number)
            said = f"run {run.id}, wave {number}: {sets.units(len(some))}"
            plan = PlanOneByOne(sets, dict.fromkeys(some), said, hiders, ours)
            told: list[LaunchEvent] = []
            order = DecidedLaunch(plan, run.reason, part=RunPart(run.id, number, run.driver))
            await send_launch(self._session, order, told.append)
            end = told[-1]
            assert isinstance(end, GivenBack), "it ends with that"
            self._sent_locally |= dict.fromkeys(some, end.sentence)
        return WaveStep(run.id, number, "setting", wave.tasks, len(hiders), operation=sets)
