"""Making the instances of the demo world, one slice of rows after the other. Pure: nothing is written here."""

from random import Random

from store.demo.causes import Cause
from store.demo.drawing import join_id
from store.demo.failing import failures_of
from store.demo.fleet import WORKERS
from store.demo.lines import Lines
from store.demo.parts import Context, InstanceParts, TaskParts
from store.demo.processes import Activity
from store.demo.rows import ExecutionRow, Rows, TaskRow
from store.demo.situations import SITUATIONS, Kind, Situation
from store.demo.timeline import Timeline
from store.tables.log import LogState
from store.tables.process import ACTIVE, COMPLETED, EXTERNALLY_TERMINATED, SUSPENDED

FINISHED_SHARE = 0.05
"""Ended instances for each running one."""


class Maker:
    """Makes the instances of a world in the order of time. ``now`` in milliseconds; ``tasks`` is the whole number."""

    def __init__(self, random: Random, now: int, lines: Lines, tasks: int) -> None:
        self._context = Context(random, now)
        self._lines = lines
        self._all = tasks
        self._timeline: Timeline[Situation] = Timeline(SITUATIONS)
        self.made = 0
        """Tasks made so far."""

    def slice(self, size: int) -> Rows:
        """Rows of about so many more tasks; of fewer at the end of the world."""
        rows = Rows()
        random = self._context.random
        until = min(self._all, self.made + size)
        while self.made < until:
            age, situation = self._timeline.draw(self.made, self._all, random)
            created = self._context.now - max(1, int(age * 1000))
            before = len(rows.of(TaskRow))
            _Running(self._context, rows, self._lines).make(created, situation, self._all - self.made)
            self.made += len(rows.of(TaskRow)) - before
            if random.random() < FINISHED_SHARE:
                _Ended(self._context, rows, self._lines).make(created)
        return rows


class _Running(InstanceParts):
    """A running instance whose task was made at ``at``."""

    def make(self, at: int, situation: Situation, room: int) -> None:
        """Make it, with no more than ``room`` tasks."""
        self.at = at
        self.situation = situation
        cause = situation.cause
        topic = self.random.choice(cause.topics) if cause else None
        place = self.lines.place(topic, at, self.random)
        took = sum(self.random.expovariate(1 / 70_000) for _ in range(place.step))
        self.open(place, max(self.at - int(took), place.version.deployed + 1))
        self.past(place.step, self.at)
        task = TaskParts(self, place.activity, self.at, waits=True)
        if cause:
            self._fail(task, cause)
        elif self.situation.kind is Kind.LOCKED:
            task.worker = self.random.choice(WORKERS[place.activity.topic])
            task.locked = self.now + int(self.random.uniform(8_000, 900_000))
        task.write(self.situation.suspended)
        for other in place.version.process.steps[place.step]:
            if other is not place.activity:
                self._beside(other, room)
        self.close(SUSPENDED if self.situation.suspended else ACTIVE)

    def _beside(self, activity: Activity, room: int) -> None:
        """The other branch of a fork: it waits for a worker too, or is done and waits at the join."""
        if room > 1 and self.random.random() < 0.5:
            TaskParts(self, activity, self.at, waits=True).write(self.situation.suspended)
            return
        end = self.at + int((self.now - self.at) * self.random.random() ** 3)
        self.done(activity, self.at, end)
        join = join_id(self.place.step + 1)
        row = ExecutionRow(self.ids.at(end), self.id, join, f"{join}:{self.ids.at(end)}")
        self.rows.add(row)

    def _fail(self, task: TaskParts, cause: Cause) -> None:
        left = 0 if self.situation.kind is Kind.FAILED else self.random.choice((2, 2, 1))
        failures = failures_of(cause, self.at, self.now, left, self.random)
        task.worker = self.random.choice(WORKERS[task.activity.topic])
        task.locked = failures[-1].at
        if left:
            task.locked = self._retry_time(failures[-1].at)
        task.fail(failures, cause)

    def _retry_time(self, failed: int) -> int:
        """When the lock of a failed task ends: for most in the next hour, for some it is over already."""
        if self.random.random() < 0.9:
            return self.now + int(self.random.uniform(15_000, 4_000_000))
        return failed + int((self.now - failed) * self.random.random())


class _Ended(InstanceParts):
    """An instance of the past."""

    def make(self, at: int) -> None:
        """Make it, started at ``at``."""
        place = self.lines.place(None, at, self.random)
        steps = len(place.version.process.steps)
        took = 1 + sum(self.random.expovariate(1 / 90_000) for _ in range(steps))
        end = min(self.now, at + int(took))
        self.open(place, at)
        if self.random.random() < 0.12:
            self.past(place.step, (at + end) // 2)
            task = TaskParts(self, place.activity, (at + end) // 2)
            task.log(LogState.CREATED, task.created)
            task.log(LogState.DELETED, end)
            self.close(EXTERNALLY_TERMINATED, end, self.random.choice(("cancelled by customer", "duplicate")))
            return
        self.past(steps, end)
        self.close(COMPLETED, end)
