"""The process instances of the demo world with their tasks, variables, incidents and logs, one slice of rows after the
other. Pure: nothing is written here.

A million tasks are drawn in about half a minute. That is why rows are tuples, chance is taken by ``random()`` alone
(the methods above it take several times as long), and what repeats is looked up once (``Place``).
"""

from random import Random

from retriage.store.contract.records import FAILED_EXTERNAL_TASK
from retriage.store.contract.states import (
    ACTIVE,
    COMPLETED,
    EXTERNALLY_TERMINATED,
    OPEN,
    RESOLVED,
    SUSPENDED,
    LogState,
)
from retriage.store.demo.ages import AgedKinds
from retriage.store.demo.causes import NEGATIVE_AMOUNT, OUTAGE, Cause, amount_refused
from retriage.store.demo.failures import failures_of
from retriage.store.demo.ids import Ids
from retriage.store.demo.process_versions import Place, ProcessVersions
from retriage.store.demo.rows import Row, Rows
from retriage.store.demo.task_states import TASK_STATES, Kind, TaskState
from retriage.store.demo.variables import Variables, amount_of, variables_of, with_negative_amount

FINISHED_SHARE = 0.03
"""Ended instances for each running one."""

_FIRST_NUMBERS = {"ord": 81_000, "shp": 30_500, "inv": 52_000, "kyc": 7_100, "sub": 19_300, "msg": 240_000}
_KINDS: AgedKinds[TaskState] = AgedKinds(TASK_STATES)
_STARTED_BY = {"order": "shop-api", "subscription": "shop-api"}
_FAILED, _SUCCESSFUL, _CREATED, _DELETED = (
    int(state) for state in (LogState.FAILED, LogState.SUCCESSFUL, LogState.CREATED, LogState.DELETED)
)
_STEP_TOOK = 70_000
_REASONS = ("cancelled by customer", "duplicate")


class InstanceRows:
    """Draws the instances of a world in the order of time, and gives their rows.

    Args:
        random: the source of all chance.
        now: the moment of the world in milliseconds; nothing is younger.
        versions: of the processes.
        tasks: external tasks of the whole world.
    """

    def __init__(self, random: Random, now: int, versions: ProcessVersions, tasks: int) -> None:
        self.made = 0
        """Tasks made so far."""
        self.ids = Ids(random)
        self._random = random
        self._now = now
        self._versions = versions
        self._all = tasks
        self._numbers = dict(_FIRST_NUMBERS)
        self._rows = Rows()

    def slice(self, size: int) -> Rows:
        """Rows of about so many more tasks; of fewer at the end of the world."""
        self._rows = rows = Rows()
        begin, until = self.made, min(self._all, self.made + size)
        while self.made < until:
            age, state = _KINDS.draw(self.made, self._all, self._random)
            created = self._now - max(1, int(age * 1000))
            self._running(created, state, self._all - self.made)
            self.made = begin + len(rows.tasks)
            if self._random.random() < FINISHED_SHARE:
                self._ended(created)
        # A table in the order of its key is written faster, and has fuller pages.
        rows.task_log.sort()
        return rows

    def _running(self, at: int, state: TaskState, room: int) -> None:
        """An instance with a task made at ``at``, with no more than ``room`` tasks."""
        random = self._random
        cause = state.cause
        topic = None if cause is None else cause.topics[int(random.random() * len(cause.topics))]
        place = self._versions.place(topic, at, random)
        started = at
        if place.step:
            took = int(place.step * _STEP_TOOK * random.expovariate(1.0))
            started = max(at - took, place.version.deployed + 1)
        instance, variables = self._open(place, started, cause)
        if place.step:
            self._past(place, instance, started, at)
        worker: str | None = None
        locked: int | None = None
        if cause is not None:
            self._failed_task(place, instance, at, state, cause, amount_of(variables))
        else:
            if state.kind is Kind.LOCKED:
                worker = place.workers[int(random.random() * len(place.workers))]
                locked = self._now + 8_000 + int(random.random() * 892_000)
            task = self._task(place, instance, at)
            self._rows.tasks.append((at, worker, locked, None, None, state.suspended, *task))
        for other in place.beside:
            if room > 1 and random.random() < 0.5:
                task = self._task(other, instance, at)
                self._rows.tasks.append((at, None, None, None, None, state.suspended, *task))
            else:
                self._at_join(other, instance, at)
        self._close(place, instance, started, SUSPENDED if state.suspended else ACTIVE)

    def _ended(self, at: int) -> None:
        """An instance of the past, started at ``at``."""
        random = self._random
        place = self._versions.place(None, at, random)
        steps = self._versions.steps(place)
        instance, _ = self._open(place, at)
        end = min(self._now, at + 1 + int(len(steps) * 90_000 * random.expovariate(1.0)))
        if random.random() >= 0.12:
            self._steps(steps, instance, at, end)
            self._close(place, instance, at, COMPLETED, end)
            return
        middle = (at + end) // 2
        self._steps(steps[: place.step], instance, at, middle)
        task = self._task(place, instance, middle)
        self._log(task, middle, _CREATED)
        self._log(task, end, _DELETED)
        reason = _REASONS[int(random.random() * len(_REASONS))]
        self._close(place, instance, at, EXTERNALLY_TERMINATED, end, reason)

    def _open(self, place: Place, started: int, cause: Cause | None = None) -> tuple[tuple[str, int], Variables]:
        """Id and number of a new instance, and its variables, of which one may be the cause; writes these."""
        process = place.version.process
        number = self._numbers[process.prefix] = self._numbers[process.prefix] + 1
        variables = variables_of(process.key, self._random, number, started)
        if cause is NEGATIVE_AMOUNT:
            variables = with_negative_amount(variables)
        instance, *ids = self.ids.several(started, 1 + len(variables))
        self._rows.variables += [
            (variable_id, instance, *variable) for variable_id, variable in zip(ids, variables, strict=True)
        ]
        return (instance, number), variables

    def _close(
        self,
        place: Place,
        instance: tuple[str, int],
        started: int,
        state: str,
        end: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Write the row of the instance."""
        version, process = place.version, place.version.process
        self._rows.instances.append(
            (
                instance[0],
                version.definition_id,
                f"{process.prefix}-{instance[1]}",
                version.tenant_id,
                state,
                started,
                end,
                "Start",
                _STARTED_BY.get(process.key),
                reason,
            )
        )

    def _task(self, place: Place, instance: tuple[str, int], created: int) -> Row:
        """What the row of a task and all entries of its log have in common (``rows.OF_TASK``)."""
        activity, version = place.activity, place.version
        task_id, token, execution_id = self.ids.several(created, 3)
        return (
            task_id,
            activity.topic,
            activity.priority,
            activity.id,
            f"{activity.id}:{token}",
            execution_id,
            instance[0],
            version.definition_id,
            version.tenant_id,
        )

    def _log(self, task: Row, at: int, state: int, worker: str | None = None) -> None:
        """An entry that is no failure, of a task that has not failed."""
        self._rows.task_log.append((self.ids.at(at), at, state, worker, None, None, None, *task))

    def _past(self, place: Place, instance: tuple[str, int], started: int, until: int) -> None:
        """The steps before this one, done one after the other until that time."""
        self._steps(self._versions.steps(place)[: place.step], instance, started, until)

    def _steps(self, steps: list[tuple[Place, ...]], instance: tuple[str, int], begin: int, until: int) -> None:
        for number, places in enumerate(steps):
            end = begin + (until - begin) // (len(steps) - number)
            for place in places:
                self._done(place, instance, begin, end)
            begin = end

    def _done(self, place: Place, instance: tuple[str, int], begin: int, end: int) -> None:
        """The log of an activity that a worker completed."""
        task = self._task(place, instance, begin)
        self._log(task, begin, _CREATED)
        self._log(task, end, _SUCCESSFUL, place.workers[int(self._random.random() * len(place.workers))])

    def _at_join(self, place: Place, instance: tuple[str, int], at: int) -> None:
        """The other branch of a fork is done, and its token waits at the join."""
        end = at + int((self._now - at) * self._random.random() ** 3)
        self._done(place, instance, at, end)
        join = place.join
        self._rows.joins.append((self.ids.at(end), instance[0], join, f"{join}:{self.ids.at(end)}"))

    def _failed_task(
        self, place: Place, instance: tuple[str, int], at: int, state: TaskState, cause: Cause, amount: float | None
    ) -> None:
        """A task that has failed: its row, its failures in the log, its incidents, the details of the last failure."""
        random, new_id, rows = self._random, self.ids.at, self._rows
        left = 0 if state.kind is Kind.FAILED else (2, 2, 1)[int(random.random() * 3)]
        message = amount_refused(amount) if cause is NEGATIVE_AMOUNT and amount is not None else None
        failures = failures_of(cause, at, self._now, left, random, message)
        worker = place.workers[int(random.random() * len(place.workers))]
        task = self._task(place, instance, at)
        last = failures[-1]
        details = cause.details(random, last.message)
        for number, failure in enumerate(failures, start=1):
            text = details if failure is last else None
            entry = new_id(failure.at)
            rows.task_log.append((entry, failure.at, _FAILED, worker, failure.before, failure.message, text, *task))
            if failure.left == 0:
                ended = None if failure is last else (failure.at + failures[number].at) // 2
                rows.incidents.append(_incident(new_id(failure.at), failure.at, ended, failure.message, task, entry))
        locked = self._retry_time(last.at, cause) if left else last.at
        rows.tasks.append((at, worker, locked, left, last.message, state.suspended, *task))
        if details is not None:
            rows.details.append((task[0], details))

    def _retry_time(self, failed: int, cause: Cause) -> int:
        """When the lock of a failed task ends: for most in the next hour, in an outage sooner; for some it is over."""
        if self._random.random() < 0.9:
            return self._now + 15_000 + int(self._random.random() * (1_200_000 if cause is OUTAGE else 3_985_000))
        return failed + int((self._now - failed) * self._random.random())


def _incident(incident_id: str, at: int, ended: int | None, message: str | None, task: Row, entry: str) -> Row:
    task_id, _topic, _priority, activity_id, _activity_instance, execution_id, instance_id, definition_id, tenant = task
    return (
        incident_id,
        FAILED_EXTERNAL_TASK,
        OPEN if ended is None else RESOLVED,
        at,
        ended,
        task_id,
        message,
        instance_id,
        definition_id,
        execution_id,
        activity_id,
        tenant,
        entry,
    )
