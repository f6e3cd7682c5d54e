"""What other operators have ordered before the demo world is opened: batches at work, stuck, suspended and ended.

A batch that was carried out by the runner would carry the times and the ids of this moment; so its rows are made here,
as the runner would have left them at the moment of the world.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, bindparam, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.types.external_task_retries import EXTERNAL_TASK_RETRIES
from retriage.store.commands.operators import Change, in_bulk, suspension
from retriage.store.contract.records import FAILED_JOB, MONITOR_JOB, SEED_JOB, SET_EXTERNAL_TASK_RETRIES
from retriage.store.contract.states import OPEN, RESOLVED, LogState
from retriage.store.demo.bulk_insert import insert_values
from retriage.store.demo.causes import DEADLOCK, MAIL_REFUSED, Cause
from retriage.store.demo.ids import Ids
from retriage.store.demo.rows import Row
from retriage.store.demo.times import moment
from retriage.store.tables import (
    Batch,
    BatchElement,
    BatchGroup,
    ExternalTask,
    ExternalTaskLog,
    Incident,
    Job,
    JobDefinition,
    JobLog,
    ProcessDefinition,
    UserOperation,
)
from retriage.store.tables.external_task import FAILED
from retriage.store.tables.log import HOST
from retriage.store.tables.types import col

LEAST_TASKS = 1000
"""A smaller world has no batches: there would be too few tasks for them."""

COLLEAGUE = "mara.lind"
"""Who has a batch at work when the world is opened."""

MINUTE = 60_000
_SEED_SIZE = 100
_POLL = 30_000
_MOST = 2000
_SUCCESSFUL, _CREATED, _FAILED = (int(state) for state in (LogState.SUCCESSFUL, LogState.CREATED, LogState.FAILED))

_T = ExternalTask
Element = tuple[str, str | None]
"""A task and its deployment; none if there is no such task."""


@dataclass(frozen=True)
class _Order:
    """A batch at the moment of the world.

    Attributes:
        user: who has ordered it.
        began: when, in milliseconds.
        job_takes: milliseconds from one job to the next.
        retries: what the tasks are set to.
        total: its jobs, one for each task.
        left: tasks of the jobs that are not done, the last ones of all.
        failed: so many of the jobs left have no retries.
        suspended: when it was suspended, if it is.
        ended: it has ended, and only its history is left.
    """

    user: str
    began: int
    job_takes: int
    retries: int
    total: int
    left: Sequence[Element] = ()
    failed: int = 0
    suspended: int | None = None
    ended: bool = False

    @property
    def done(self) -> int:
        """Jobs that are through."""
        return self.total - len(self.left)


@dataclass
class Made:
    """What was added to the world: batches, the incidents of their jobs, and the batch that is at work."""

    batches: int = 0
    incidents: int = 0
    at_work: str | None = None


async def add_operator_batches(connection: AsyncConnection, ids: Ids, now: int, tasks: int) -> Made:
    """Add the batches of the plot to a world of so many tasks, in the caller's transaction. ``now`` in milliseconds."""
    made = Made()
    if tasks < LEAST_TASKS:
        return made
    writer = _Writer(connection, ids, now, made)
    await writer.write(_Order("night.shift", now - 540 * MINUTE, 25, 3, min(_MOST, tasks // 20), ended=True))
    done_before = now - 95 * MINUTE
    gone = await _completed_tasks(connection, done_before, 7)
    await writer.write(_Order("j.ortiz", done_before, 40, 3, 60 + len(gone), gone, failed=len(gone)))
    deadlocks = await _failed_tasks(connection, DEADLOCK, _MOST // 2)
    began = now - 25 * MINUTE
    done = len(deadlocks) * 2 // 3
    suspended = began + (done + 1) * 40
    await writer.write(_Order("s.keller", began, 40, 1, done + len(deadlocks), deadlocks, suspended=suspended))
    mails = await _failed_tasks(connection, MAIL_REFUSED, _MOST)
    mails = mails[: len(mails) * 4 // 5]
    done = len(mails) * 2 // 5
    began = now - 3 * MINUTE
    takes = max(1, 170_000 // max(1, done))
    order = _Order(COLLEAGUE, began, takes, 3, len(mails), mails[done:])
    made.at_work = await writer.write(order)
    await _set_retries(connection, [task for task, _ in mails[:done]], order)
    return made


async def _failed_tasks(connection: AsyncConnection, cause: Cause, most: int) -> list[Element]:
    """Tasks without retries that failed of a cause, in the order in which a batch takes them."""
    deployment = col(ProcessDefinition.deployment_id)
    message = col(_T.error_message)
    rows = await connection.execute(
        select(col(_T.id), deployment)
        .join(ProcessDefinition, col(ProcessDefinition.id) == col(_T.process_definition_id))
        .where(text(FAILED), col(_T.topic_name).in_(cause.topics), col(_T.suspended).is_(False))
        .where(or_(*(message.contains(mark) for mark in cause.marks)))
        .order_by(func.lower(deployment), col(_T.id))
        .limit(most)
    )
    return [(row.id, row.deployment_id) for row in rows]


async def _completed_tasks(connection: AsyncConnection, before: int, most: int) -> list[Element]:
    """Tasks that had been completed at that time, the last ones; for a batch they have no deployment."""
    log = ExternalTaskLog
    rows = await connection.execute(
        select(col(log.external_task_id))
        .where(col(log.state) == _SUCCESSFUL, col(log.timestamp) < moment(before))
        .order_by(col(log.id).desc())
        .limit(most)
    )
    return [(task, None) for task in rows.scalars()]


async def _set_retries(connection: AsyncConnection, tasks: Sequence[str], order: _Order) -> None:
    """The tasks of the first jobs have their retries, and their incidents are resolved."""
    if not tasks:
        return
    known, incident = _T.__table__, Incident.__table__  # type: ignore[attr-defined]
    task: ColumnElement[str] = bindparam("task")
    await connection.execute(
        update(known).where(known.c.id == task).values(retries=order.retries), [{"task": one} for one in tasks]
    )
    await connection.execute(
        update(incident)
        .where(incident.c.configuration == task, incident.c.end_time.is_(None))
        .values(state=RESOLVED, end_time=bindparam("at")),
        [{"task": one, "at": moment(order.began + (number + 1) * order.job_takes)} for number, one in enumerate(tasks)],
    )


_BATCH = (
    "id", "type", "configuration", "job_retries", "elements", "seeded", "total_jobs", "jobs_created",
    "batch_jobs_per_seed", "invocations_per_batch_job", "seed_job_definition_id", "monitor_job_definition_id",
    "batch_job_definition_id", "suspended", "create_user_id", "start_time", "execution_start_time", "end_time",
)  # fmt: skip
_DEFINITION = ("id", "job_type", "job_configuration", "suspended", "deployment_id")
_JOB = (
    "id", "job_type", "job_definition_id", "batch_id", "deployment_id", "first", "past", "retries", "due_date",
    "suspended", "priority", "create_time", "exception_message", "exception_stacktrace",
)  # fmt: skip
_JOB_LOG = (
    "id", "timestamp", "state", "job_id", "job_type", "job_definition_id", "batch_id", "deployment_id", "job_retries",
    "job_priority", "job_due_date", "exception_message", "exception_stacktrace", "hostname",
)  # fmt: skip
_INCIDENT = (
    "id", "incident_type", "state", "create_time", "configuration", "incident_message", "job_definition_id",
    "history_configuration",
)  # fmt: skip
_OPERATION = (
    "id", "operation_id", "timestamp", "user_id", "operation_type", "entity_type", "property", "org_value",
    "new_value", "batch_id",
)  # fmt: skip
_JOB_RETRIES = 3


class _Writer:
    """Writes the rows of batches."""

    def __init__(self, connection: AsyncConnection, ids: Ids, now: int, made: Made) -> None:
        self._connection = connection
        self._ids = ids
        self._now = now
        self._made = made

    async def write(self, order: _Order) -> str | None:
        """Write a batch with all that belongs to it. Answers its id; none if it has no task."""
        if not order.total:
            return None
        rows = _BatchRows(order, self._ids, self._now)
        rows.make()
        for table, columns, values in (
            (Batch, _BATCH, rows.batches),
            (BatchGroup, ("batch_id", "first", "past", "deployment_id"), rows.groups),
            (BatchElement, ("batch_id", "ordinal", "element_id"), rows.elements),
            (JobDefinition, _DEFINITION, rows.definitions),
            (Job, _JOB, rows.jobs),
            (JobLog, _JOB_LOG, rows.job_log),
            (Incident, _INCIDENT, rows.incidents),
            (UserOperation, _OPERATION, rows.operations),
        ):
            await insert_values(self._connection, str(table.__tablename__), columns, values)
        self._made.batches += 1
        self._made.incidents += len(rows.incidents)
        return rows.id


class _BatchRows:
    """The rows of one batch."""

    def __init__(self, order: _Order, ids: Ids, now: int) -> None:
        self.order = order
        self.now = now
        self.new_id = ids.at
        self.id, self.seed, self.monitor, self.work = ids.several(order.began, 4)
        self.batches: list[Row] = []
        self.groups: list[Row] = []
        self.elements: list[Row] = []
        self.definitions: list[Row] = []
        self.jobs: list[Row] = []
        self.job_log: list[Row] = []
        self.incidents: list[Row] = []
        self.operations: list[Row] = []

    def make(self) -> None:
        """Make all of them."""
        order = self.order
        deployment = order.left[0][1] if order.left else None
        self.groups = [] if order.ended else list(self._groups())
        self._operation(
            order.began,
            "SetExternalTaskRetries",
            "ExternalTask",
            *in_bulk(order.total, later=True, retries=order.retries),
        )
        if order.suspended is not None:
            self._operation(order.suspended, "SuspendBatch", "Batch", suspension(True), batch_id=self.id)
        for number in range(-(-order.total // _SEED_SIZE)):
            self._seed(order.began + 5 * number, deployment)
        for ordinal in range(order.done):
            self._done(order.began + 10 * (ordinal // _SEED_SIZE) + 10, self._done_at(ordinal))
        for place, (element, deployment_id) in enumerate(order.left):
            self.elements.append((self.id, order.done + place, element))
            self._left(order.done + place, element, deployment_id)
        last = self._monitor()
        self.batches = [
            (
                self.id, SET_EXTERNAL_TASK_RETRIES, json.dumps({"retries": order.retries}), _JOB_RETRIES, order.total,
                order.total, order.total, order.total, _SEED_SIZE, 1, self.seed, self.monitor, self.work,
                order.suspended is not None, order.user, order.began, self._done_at(0), last if order.ended else None,
            )
        ]  # fmt: skip
        if not order.ended:
            suspended = order.suspended is not None
            self.definitions = [
                (self.seed, SEED_JOB, self.id, suspended, deployment),
                (self.monitor, MONITOR_JOB, self.id, suspended, None),
                (self.work, SET_EXTERNAL_TASK_RETRIES, self.id, suspended, None),
            ]

    def _done_at(self, ordinal: int) -> int:
        return min(self.now - 1, self.order.began + (ordinal + 1) * self.order.job_takes + 20)

    def _groups(self) -> Iterator[Row]:
        """The tasks of the jobs that are done count to the first group; what they were is not known any more."""
        first = 0
        past = self.order.done
        for deployment, elements in groupby(self.order.left, key=lambda element: element[1]):
            past += sum(1 for _ in elements)
            yield self.id, first, past, deployment
            first = past

    def _operation(self, at: int, word: str, entity: str, *changes: Change, batch_id: str | None = None) -> None:
        call = self.new_id(at)
        for change in changes:
            new = str(change.new).lower() if isinstance(change.new, bool) else str(change.new)
            self.operations.append(
                (self.new_id(at), call, at, self.order.user, word, entity, change.property, None, new, batch_id)
            )

    def _seed(self, at: int, deployment: str | None) -> None:
        job = self.new_id(at)
        for state in (_CREATED, _SUCCESSFUL):
            self._log(at, state, job, SEED_JOB, self.seed, deployment)

    def _done(self, made: int, at: int) -> None:
        job = self.new_id(made)
        self._log(made, _CREATED, job, SET_EXTERNAL_TASK_RETRIES, self.work, None)
        self._log(at, _SUCCESSFUL, job, SET_EXTERNAL_TASK_RETRIES, self.work, None)

    def _left(self, ordinal: int, element: str, deployment: str | None) -> None:
        """A job that is not done: it waits for its turn, or has failed for good."""
        made = self.order.began + 10 * (ordinal // _SEED_SIZE) + 10
        job = self.new_id(made)
        self._log(made, _CREATED, job, SET_EXTERNAL_TASK_RETRIES, self.work, deployment)
        retries = _JOB_RETRIES
        message = trace = None
        if self.order.failed:
            message = str(EXTERNAL_TASK_RETRIES.unknown).format(element)
            trace = f"NotFoundException: {message}\n\tin batch job {job}\n"
            at, entry = self._done_at(ordinal), ""
            for retries in range(_JOB_RETRIES, 0, -1):
                entry = self._log(
                    at, _FAILED, job, SET_EXTERNAL_TASK_RETRIES, self.work, deployment, retries, message, trace
                )
            self.incidents.append((self.new_id(at), FAILED_JOB, OPEN, at, job, message, self.work, entry))
            retries = 0
        suspended = self.order.suspended is not None
        self.jobs.append(
            (
                job, SET_EXTERNAL_TASK_RETRIES, self.work, self.id, deployment, ordinal, ordinal + 1, retries, None,
                suspended, 0, made, message, trace,
            )
        )  # fmt: skip

    def _monitor(self) -> int:
        """All looks of the monitor job up to the one to come, or to the one that ended the batch. Answers its time."""
        order = self.order
        at, due = order.began + 10, None
        until = order.suspended or self.now
        while True:
            job = self.new_id(at)
            self._log(at, _CREATED, job, MONITOR_JOB, self.monitor, None, due=due)
            run = at + 5 if due is None else due
            over = order.ended and run >= self._done_at(order.total - 1)
            if run >= until:
                break
            self._log(run, _SUCCESSFUL, job, MONITOR_JOB, self.monitor, None, due=due)
            if over:
                return run
            at, due = run, run + _POLL
        self.jobs.append(
            (
                job, MONITOR_JOB, self.monitor, self.id, None, None, None, _JOB_RETRIES, due,
                order.suspended is not None, 0, at, None, None,
            )
        )  # fmt: skip
        return at

    def _log(
        self,
        at: int,
        state: int,
        job: str,
        job_type: str,
        definition: str,
        deployment: str | None,
        retries: int = _JOB_RETRIES,
        message: str | None = None,
        trace: str | None = None,
        due: int | None = None,
    ) -> str:
        entry = self.new_id(at)
        self.job_log.append(
            (
                entry, at, state, job, job_type, definition, self.id, deployment, retries, 0, due, message, trace, HOST,
            )
        )  # fmt: skip
        return entry
