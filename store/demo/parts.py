"""The parts of a demo instance as rows: instance, variables, external tasks, their incidents and their log."""

from random import Random

from store.contract.records import FAILED_EXTERNAL_TASK
from store.demo.cases import columns_of, facts_of
from store.demo.causes import Cause
from store.demo.failing import Failure
from store.demo.fleet import WORKERS
from store.demo.ids import Ids
from store.demo.lines import Lines, Place
from store.demo.processes import Activity
from store.demo.rows import DetailsRow, ExecutionRow, IncidentRow, InstanceRow, LogRow, Rows, TaskRow, VariableRow
from store.tables.incident import OPEN, RESOLVED
from store.tables.log import LogState


class Context:
    """What all instances of a world share: the source of chance, ids, the moment of the world, running numbers."""

    def __init__(self, random: Random, now: int) -> None:
        self.random = random
        self.ids = Ids(random)
        self.now = now
        self._numbers = dict(_BASES)

    def number(self, prefix: str) -> int:
        """The next number of business keys with this prefix."""
        self._numbers[prefix] += 1
        return self._numbers[prefix]


_BASES = {"ord": 81_000, "shp": 30_500, "inv": 52_000, "kyc": 7_100, "sub": 19_300, "msg": 240_000}


class InstanceParts:
    """What running and ended instances have in common."""

    def __init__(self, context: Context, rows: Rows, lines: Lines) -> None:
        self.context = context
        self.lines = lines
        self.random = context.random
        self.ids = context.ids
        self.now = context.now
        self.rows = rows

    def open(self, place: Place, started: int) -> None:
        """The instance and its variables; ``state`` and ``end`` come with ``close``."""
        process = place.version.process
        self.place = place
        self.started = started
        self.id = self.ids.at(started)
        number = self.context.number(process.prefix)
        self.key = f"{process.prefix}-{number}"
        for name, (type_, value) in facts_of(process.key, self.random, number, started).items():
            row = VariableRow(self.ids.at(started), self.id, name, type_, *columns_of(type_, value))
            self.rows.add(row)

    def close(self, state: str, end: int | None = None, reason: str | None = None) -> None:
        """Write the row of the instance."""
        version = self.place.version
        user = "shop-api" if version.process.key in ("order", "subscription") else None
        self.rows.add(
            InstanceRow(
                self.id,
                version.definition_id,
                self.key,
                version.tenant_id,
                state,
                self.started,
                end,
                "Start",
                user,
                reason,
            )
        )

    def past(self, step: int, until: int) -> None:
        """Log of the steps before this one, done one after the other until that time."""
        begin = self.started
        for number, activities in enumerate(self.place.version.process.steps[:step]):
            end = begin + (until - begin) // (step - number)
            for activity in activities:
                self.done(activity, begin, end)
            begin = end

    def done(self, activity: Activity, begin: int, end: int) -> None:
        """Log of an activity that a worker completed."""
        task = TaskParts(self, activity, begin)
        task.log(LogState.CREATED, begin)
        task.log(LogState.SUCCESSFUL, end, worker=self.random.choice(WORKERS[activity.topic]))


class TaskParts:
    """An external task of an instance, or what its log remembers."""

    def __init__(self, instance: InstanceParts, activity: Activity, created: int, *, waits: bool = False) -> None:
        self.instance = instance
        self.activity = activity
        self.created = created
        ids = instance.ids
        self.id = ids.at(created)
        self.execution_id = ids.at(created)
        self.activity_instance_id = f"{activity.id}:{ids.at(created)}"
        self.worker: str | None = None
        self.locked: int | None = None
        self.retries: int | None = None
        self.message: str | None = None
        if waits:
            row = ExecutionRow(self.execution_id, instance.id, activity.id, self.activity_instance_id)
            instance.rows.add(row)
            self.log(LogState.CREATED, created)

    def write(self, suspended: bool) -> None:
        """Write the row of the task as it is now."""
        version = self.instance.place.version
        self.instance.rows.add(
            TaskRow(
                self.id,
                self.activity.topic,
                self.instance.id,
                version.definition_id,
                self.execution_id,
                self.activity.id,
                self.activity_instance_id,
                self.worker,
                self.locked,
                self.created,
                self.retries,
                self.message,
                self.activity.priority,
                suspended,
                version.tenant_id,
            )
        )

    def fail(self, failures: list[Failure], cause: Cause) -> None:
        """The failures of this task: its log, its incidents, and what it shows now."""
        details = cause.details(self.instance.random, failures[-1].message)
        for number, failure in enumerate(failures):
            last = number == len(failures) - 1
            self.retries, self.message = failure.before, failure.message
            entry = self.log(LogState.FAILED, failure.at, self.worker, details if last else None)
            if failure.left == 0:
                ended = None if last else (failure.at + failures[number + 1].at) // 2
                self._incident(failure, ended, entry)
        self.retries = failures[-1].left
        if details is not None:
            self.instance.rows.add(DetailsRow(self.id, details))

    def _incident(self, failure: Failure, ended: int | None, entry: str) -> None:
        version = self.instance.place.version
        self.instance.rows.add(
            IncidentRow(
                self.instance.ids.at(failure.at),
                FAILED_EXTERNAL_TASK,
                OPEN if ended is None else RESOLVED,
                failure.at,
                ended,
                self.id,
                failure.message,
                self.instance.id,
                version.definition_id,
                self.execution_id,
                self.activity.id,
                version.tenant_id,
                entry,
            )
        )

    def log(self, state: LogState, at: int, worker: str | None = None, details: str | None = None) -> str:
        """Write a log entry with what the task shows at this moment. Answers its id."""
        version = self.instance.place.version
        entry = self.instance.ids.at(at)
        self.instance.rows.add(
            LogRow(
                entry,
                at,
                int(state),
                self.id,
                self.activity.topic,
                worker,
                self.activity.priority,
                self.retries,
                self.message,
                details,
                self.activity.id,
                self.activity_instance_id,
                self.execution_id,
                self.instance.id,
                version.definition_id,
                version.tenant_id,
            )
        )
        return entry
