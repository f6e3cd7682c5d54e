"""A small engine in memory for tests of the screens: records made by index, so a million of them cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.capabilities import EVERYTHING, Capabilities
from retriage.console.engine.errors import Denied, Forbidden, NoLogin, NotThere, Unreachable
from retriage.console.engine.hold import Hold
from retriage.console.engine.identity import Identity
from retriage.console.engine.rights import Right
from retriage.store.contract.history import (
    HistoricExternalTaskLog,
    HistoricIncident,
    HistoricIncidentQuery,
    HistoricJobLog,
)
from retriage.store.contract.operations import UserOperation
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import (
    MONITOR_JOB,
    SEED_JOB,
    Batch,
    BatchStatistics,
    ExternalTask,
    HistoricBatch,
    HistoricProcessInstance,
    Incident,
    Job,
    JobDefinition,
    ProcessDefinition,
    ProcessInstance,
    VariableValue,
)
from retriage.store.contract.values import parse_moment
from tests.console import logs

START = datetime.now(UTC) - timedelta(hours=3)
TOPICS = ("charge-card", "send-mail", "reserve-stock", "fraud-check")
ERRORS = (
    "HTTP 503 from psp: upstream connect error or disconnect/reset before headers. reset reason: {n}",
    "card {n} expired",
    "SMTP 421 4.7.{n} Service not available",
    "timeout after {n} ms",
)


def task(index: int) -> ExternalTask:
    """The task of this index, always the same."""
    made = _task(index, START)
    if index % 23 == 4:
        return made.model_copy(update={"lock_expiration_time": datetime.now(UTC) + timedelta(minutes=14)})
    return made


@lru_cache(10_000)
def _task(index: int, start: datetime) -> ExternalTask:
    """Without a lock: a screen asks for the same hundreds of tasks again and again."""
    retries = (0, 0, 0, None, 2)[index % 5]
    error = ERRORS[index % 7 % 4].format(n=index) if retries is not None else None
    return ExternalTask(
        activity_id=("ChargeCard", "SendMail", "ReserveStock", "FraudCheck")[index % 4],
        activity_instance_id=f"ai-{index}",
        error_message=error,
        execution_id=f"e-{index}",
        id=f"0191-{index:07d}",
        lock_expiration_time=None,
        create_time=start + timedelta(seconds=index / 10),
        process_definition_id=f"OrderProcess:{13 + index % 2}:abc",
        process_definition_key="OrderProcess",
        process_definition_version_tag=None,
        process_instance_id=f"pi-{index:07d}",
        retries=retries,
        suspended=index % 17 == 6,
        worker_id="worker-3" if retries is not None else None,
        topic_name=TOPICS[index % 4],
        tenant_id=None,
        priority=0,
        business_key=f"ord-{88000 + index}",
    )


def _resolved(number: int, configuration: str) -> HistoricIncident:
    """An incident of the history; those with a greater number ended earlier."""
    absent = dict.fromkeys(HistoricIncident.model_fields)
    return HistoricIncident.model_validate(
        absent
        | {
            "id": f"was-{number}",
            "create_time": START,
            "end_time": START - timedelta(seconds=number),
            "incident_type": "failedExternalTask",
            "cause_incident_id": f"was-{number}",
            "root_cause_incident_id": f"was-{number}",
            "configuration": configuration,
            "open": False,
            "deleted": False,
            "resolved": True,
        }
    )


def past_incident(id: str, task: str, message: str, opened: datetime, closed: datetime | None) -> HistoricIncident:
    """An incident of the history about a task."""
    return _resolved(0, task).model_copy(
        update={
            "id": id, "incident_message": message, "create_time": opened, "end_time": closed,
            "open": closed is None, "resolved": closed is not None,
        }
    )  # fmt: skip


class FakeEngine:
    """Answers like the client; remembers orders; can be told to be slow or gone."""

    def __init__(self, tasks: int = 100) -> None:
        self.total = tasks
        self.round_trip: float | None = 0.012
        self.answers = 0
        self.hold = Hold()
        self.clock_skew = timedelta()
        """By how much its clock is ahead of ours."""
        self.url = "http://engine.test/engine-rest"
        self.user = ""
        self.login_headers: tuple[str, ...] = ()
        self.delay = 0.0
        self.past_incidents: list[HistoricIncident] = []
        """Incidents of the history, open or ended, beside those of :attr:`resolved`."""
        self.gone = False
        self.held = False
        """It answers nothing as long as this is set."""
        self.orders: list[tuple[Any, ...]] = []
        self.reads: list[tuple[int, int]] = []
        self.removed: set[str] = set()
        self.retries: dict[str, int] = {}
        self.running: dict[str, BatchStatistics] = {}
        self.ended: dict[str, HistoricBatch] = {}
        self.all_jobs: list[Job] = []
        self.acquired: set[str] = set()
        """Jobs that a job executor has taken."""
        self.job_entries: list[HistoricJobLog] = []
        self.task_entries: list[HistoricExternalTaskLog] = []
        self.operations: list[UserOperation] = []
        self.no_logs = False
        """The engine keeps no job log and no log of external tasks."""
        self.history_reads: list[tuple[int, int]] = []
        self.resolved: list[str] = []
        """Tasks and jobs whose incident was resolved once."""
        self.notes: dict[str, str | None] = {}
        self.why_no_order: Callable[[], str] = str
        self.can = EVERYTHING
        self.granted: dict[str, bool] | None = None
        """Permission and resource -> whether the user has it, the others he has; with the id of a resource behind them
        for that one alone. None for an engine without login."""

    def engine_now(self) -> datetime:
        return datetime.now(UTC) + self.clock_skew

    async def check_clock(self, *, anew: bool = False) -> None:
        """Its clock is known."""

    def guard_orders(self, why_not: Callable[[], str]) -> None:
        self.why_no_order = why_not

    def _ordered(self, *order: Any) -> None:
        if why := self.why_no_order():
            raise Forbidden(why)
        self.orders.append(order)

    async def _wait(self) -> None:
        await asyncio.sleep(self.delay)
        while self.held:  # noqa: ASYNC110 (a test flips it)
            await asyncio.sleep(0.01)
        if self.gone:
            raise Unreachable("The engine does not answer.")
        self.answers += 1

    async def capabilities(self, known: Capabilities | None = None) -> Capabilities:
        await self._wait()
        return self.can

    async def prove(self, known: Capabilities, subject: str, fields: Iterable[str]) -> Capabilities:
        return self.can

    async def has_right(self, right: Right, resource: str = "") -> bool:
        await self._wait()
        if self.granted is None:
            raise NoLogin("The engine does not know this user or password (401).", 401, "InvalidRequestException")
        name = f"{right.permission} {right.resource}"
        return self.granted.get(f"{name} {resource}", self.granted.get(name, True))

    async def count_external_task_log(self, query: Any) -> int:
        await self._wait()
        if self.no_logs:
            raise NotThere("It is not there.", 404, "NotFoundException")
        # Each task has an entry from its creation on.
        return len(await self.external_task_log(query, 0, 10**6)) or 1

    async def identity(self) -> Identity:
        await self._wait()
        return Identity("Retriage", "0.1", "default", "http://embedded/engine-rest")

    # -- tasks

    def _one(self, index: int) -> ExternalTask:
        one = task(index)
        if one.id in self.retries:
            return one.model_copy(update={"retries": self.retries[one.id]})
        return one

    def _matches(self, one: ExternalTask, query: ExternalTaskQuery) -> bool:
        now = datetime.now(UTC)
        locked = one.lock_expiration_time is not None and one.lock_expiration_time > now
        return (
            one.id not in self.removed
            and (not query.no_retries_left or one.retries == 0)
            and (not query.with_retries_left or one.retries != 0)
            and query.process_instance_id in (None, one.process_instance_id)
            and (not query.process_instance_id_in or one.process_instance_id in query.process_instance_id_in)
            and (query.topic_name is None or one.topic_name == query.topic_name)
            and (not query.external_task_id_in or one.id in query.external_task_id_in)
            and (not query.locked or locked)
            and (not query.not_locked or not locked)
            and (not query.suspended or one.suspended)
            and (not query.active or not one.suspended)
        )

    def _plain(self, query: ExternalTaskQuery) -> bool:
        return not query.chosen() and not self.removed

    def _chosen(self, query: ExternalTaskQuery) -> list[ExternalTask]:
        return [one for index in range(self.total) if self._matches(one := self._one(index), query)]

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        await self._wait()
        self.reads.append((first, size))
        if self._plain(query):
            return [self._one(index) for index in range(first, min(first + size, self.total))]
        return self._chosen(query)[first : first + size]

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        await self._wait()
        return self.total if self._plain(query) else len(self._chosen(query))

    async def external_task(self, id: str) -> ExternalTask:
        await self._wait()
        return self._one(int(id.rpartition("-")[2]))

    async def topic_names(self) -> list[str]:
        await self._wait()
        return sorted({self._one(index).topic_name for index in range(min(self.total, 100))})

    async def process_definitions(self, first: int, size: int) -> list[ProcessDefinition]:
        await self._wait()
        return [definition(version) for version in (14, 13)][first : first + size]

    async def error_details(self, id: str) -> str | None:
        await self._wait()
        return f"java.net.SocketException: \x1b[31mreset\n\tat Worker.run(Worker.java:{len(id)})"

    # -- the rest

    def _failed(self) -> list[Incident]:
        """Open incidents in no order."""
        return [incident(one) for index in range(min(self.total, 2000)) if (one := self._one(index)).retries == 0]

    async def incidents(self, query: Any, first: int, size: int) -> list[Incident]:
        await self._wait()
        found = [one for one in self._failed() if self._open(one) and fits(one, query)]
        found.sort(key=lambda one: one.incident_timestamp, reverse=query.sort_order != "asc")
        return found[first : first + size]

    async def count_incidents(self, query: Any) -> int:
        await self._wait()
        return sum(self._open(one) and fits(one, query) for one in self._failed())

    def _open(self, one: Incident) -> bool:
        return one.configuration not in self.removed

    async def historic_incidents(self, query: HistoricIncidentQuery, first: int, size: int) -> list[HistoricIncident]:
        await self._wait()
        if self.no_logs:
            return []
        found = [_resolved(number, id) for number, id in enumerate(self.resolved)] + self.past_incidents
        before, ended, raised = query.end_time_before, query.end_time_after, query.create_time_after
        found = [one for one in found if before is None or (one.end_time is not None and one.end_time < before)]
        found = [one for one in found if ended is None or (one.end_time is not None and one.end_time > ended)]
        found = [one for one in found if raised is None or one.create_time > raised]
        found = [one for one in found if one.resolved or not query.resolved]
        if query.sort_by in ("createTime", "endTime"):
            found.sort(key=lambda one: one.create_time if query.sort_by == "createTime" else one.end_time or START)
        return found[first : first + size]

    async def process_instances(self, query: Any, first: int, size: int) -> list[ProcessInstance]:
        await self._wait()
        if not query.process_instance_ids:
            return [instance(self._one(index)) for index in range(first, min(first + size, self.total))]
        found = [self._one(int(id.rpartition("-")[2])) for id in query.process_instance_ids]
        found = [one for one in found if not query.with_incident or one.retries == 0]
        return [instance(one) for one in found][first : first + size]

    async def count_process_instances(self, query: Any) -> int:
        await self._wait()
        return len(query.process_instance_ids) if query.process_instance_ids else self.total

    async def historic_process_instances(self, query: Any, first: int, size: int) -> list[HistoricProcessInstance]:
        raise Denied("The engine keeps no history.", 403, "AuthorizationException")

    async def historic_process_instance(self, id: str) -> HistoricProcessInstance:
        raise NotThere("It is not there.", 404, "NotFoundException")

    async def variables(self, instance_id: str) -> dict[str, VariableValue]:
        await self._wait()
        return {
            "amount": VariableValue(type="Double", value=129.9),
            "customer": VariableValue(type="String", value="7"),
        }

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        await self._wait()
        found = [one for one in self.running.values() if query.batch_id in (None, one.id)]
        return [one for one in found if query.type in (None, one.type)][first : first + size]

    async def count_batches(self, query: Any) -> int:
        await self._wait()
        return len(self.running)

    async def historic_batch(self, id: str) -> HistoricBatch:
        await self._wait()
        if id not in self.ended:
            raise NotThere("There is no such batch.", 404, "InvalidRequestException")
        return self.ended[id]

    async def historic_batches(self, query: Any, first: int, size: int) -> list[HistoricBatch]:
        await self._wait()
        self.history_reads.append((first, size))
        found = [one for one in self.ended.values() if query.batch_id in (None, one.id)]
        return sorted(found, key=lambda one: one.start_time, reverse=query.sort_order != "asc")[first : first + size]

    async def count_historic_batches(self, query: Any) -> int:
        await self._wait()
        return sum(query.batch_id in (None, one.id) for one in self.ended.values())

    async def job_log(self, query: Any, first: int, size: int) -> list[HistoricJobLog]:
        await self._wait()
        if self.no_logs:
            raise NotThere("It is not there.", 404, "NotFoundException")
        found = [one for one in self.job_entries if logs.fits(one, query)]
        return logs.ordered(found, query)[first : first + size]

    async def count_job_log(self, query: Any) -> int:
        return len(await self.job_log(query, 0, 10**6))

    async def external_task_log(self, query: Any, first: int, size: int) -> list[HistoricExternalTaskLog]:
        await self._wait()
        if self.no_logs:
            raise NotThere("It is not there.", 404, "NotFoundException")
        wanted = query.activity_instance_id_in
        found = [one for one in self.task_entries if not wanted or one.activity_instance_id in wanted]
        found = [one for one in found if query.external_task_id in (None, one.external_task_id)]
        return logs.ordered([one for one in found if logs.happened(one, query)], query)[first : first + size]

    async def historic_activity_instances(self, query: Any, first: int, size: int) -> list[Any]:
        await self._wait()
        return []

    async def user_operations(self, query: Any, first: int, size: int) -> list[UserOperation]:
        await self._wait()
        return [one for one in self.operations if one.batch_id == query.batch_id][first : first + size]

    async def jobs(self, query: Any, first: int, size: int) -> list[Job]:
        await self._wait()
        return [job for job in self.all_jobs if self._wanted(job, query)][first : first + size]

    def _wanted(self, job: Job, query: Any) -> bool:
        later = job.due_date is not None and job.due_date > self.engine_now()
        after = [parse_moment(one.value) for one in query.due_dates or ()]
        return (
            query.job_definition_id in (None, job.job_definition_id)
            and query.job_id in (None, job.id)
            and (not query.job_ids or job.id in query.job_ids)
            and (not query.no_retries_left or job.retries == 0)
            and (not (query.with_retries_left or query.executable) or job.retries > 0)
            and (not query.with_exception or job.exception_message is not None)
            and (not query.acquired or job.id in self.acquired)
            and (not query.executable or not later)
            and all(job.due_date is not None and job.due_date > moment for moment in after)
            and (not query.suspended or job.suspended)
            and (not query.active or not job.suspended)
        )

    async def count_jobs(self, query: Any) -> int:
        return len(await self.jobs(query, 0, 10**6))

    async def job_definitions(self, query: Any) -> list[JobDefinition]:
        await self._wait()
        named = {SEED_JOB: "seed_job_definition_id", MONITOR_JOB: "monitor_job_definition_id"}[query.job_type]
        return [
            JobDefinition(
                id=getattr(batch, named),
                job_type=query.job_type,
                job_configuration=batch.id,
                suspended=False,
                overriding_job_priority=None,
                deployment_id=None,
            )
            for batch in self.running.values()
        ]

    async def job_stacktrace(self, id: str) -> str | None:
        await self._wait()
        return f"NotFoundException: Cannot find external task ({id})\n\tat SetRetries"

    # -- orders

    async def set_retries_async(self, order: SetExternalTaskRetries) -> Batch:
        await self._wait()
        self._ordered("set_retries_async", order)
        number = len(order.external_task_ids or []) or await self.count_external_tasks(
            order.external_task_query or ExternalTaskQuery()
        )
        record = statistics(f"batch-{len(self.orders)}", number)
        self.running[record.id] = record
        return Batch(**{name: getattr(record, name) for name in Batch.model_fields})

    async def launch_batch(self, request: BatchRequest) -> Batch:
        return await self.set_retries_async(request.order)

    async def suspend_batch(self, id: str, suspended: bool) -> None:
        await self._wait()
        self._ordered("suspend_batch", id, suspended)
        self.running[id] = self.running[id].model_copy(update={"suspended": suspended})

    async def delete_batch(self, id: str, cascade: bool = False) -> None:
        await self._wait()
        self._ordered("delete_batch", id, cascade)
        self.end(id, deleted=True)

    async def retry_jobs(self, job_definition_id: str, retries: int) -> None:
        await self._wait()
        self._ordered("retry_jobs", job_definition_id, retries)

    async def set_job_retries(self, job_id: str, retries: int) -> None:
        await self._wait()
        self._ordered("set_job_retries", job_id, retries)

    async def set_job_retries_async(self, jobs: Sequence[str], retries: int) -> Batch:
        await self._wait()
        self.orders.append(("set_job_retries_async", tuple(jobs), retries))
        record = statistics(f"batch-{len(self.orders)}", len(jobs))
        self.running[record.id] = record
        return Batch(**{name: getattr(record, name) for name in Batch.model_fields})

    async def annotate_incident(self, id: str, note: str | None) -> None:
        await self._wait()
        self.orders.append(("annotate_incident", id, note))
        self.notes[id] = note

    async def unlock(self, id: str) -> None:
        await self._wait()
        self._ordered("unlock", id)

    async def lock(self, id: str, worker: str, seconds: int) -> None:
        await self._wait()
        self._ordered("lock", id, worker, seconds)

    async def report_task(self, id: str, path: str, body: dict[str, Any]) -> None:
        await self._wait()
        self._ordered(path, id, body)

    async def delete_job(self, id: str) -> None:
        await self._wait()
        self._ordered("delete_job", id)

    def end(self, id: str, *, deleted: bool = False) -> None:
        """A batch moves to the history."""
        record = self.running.pop(id)
        self.job_entries += logs.of_end(record, self.all_jobs, datetime.now(UTC), deleted=deleted)
        fields = {name: getattr(record, name) for name in HistoricBatch.model_fields if hasattr(record, name)}
        self.ended[id] = HistoricBatch(**(fields | {"end_time": datetime.now(UTC)}))


def definition(version: int) -> ProcessDefinition:
    """A version of the process."""
    return ProcessDefinition(
        id=f"OrderProcess:{version}:abc",
        key="OrderProcess",
        category=None,
        name="Order",
        version=version,
        resource="order.bpmn",
        deployment_id="d-1",
        suspended=False,
        tenant_id=None,
        version_tag=None,
        history_time_to_live=None,
    )


def fits(one: Incident, query: Any) -> bool:
    """The incident matches the filters that the screens use."""
    before, after = query.incident_timestamp_before, query.incident_timestamp_after
    return (
        (before is None or one.incident_timestamp < before)
        and (after is None or one.incident_timestamp > after)
        and query.incident_id in (None, one.id)
        and query.incident_type in (None, one.incident_type)
        and query.configuration in (None, one.configuration)
        and query.activity_id in (None, one.activity_id)
        and query.process_instance_id in (None, one.process_instance_id)
    )


def incident(one: ExternalTask) -> Incident:
    """The incident of a task without retries."""
    return _incident(
        one.id,
        one.process_definition_id,
        one.process_instance_id,
        one.execution_id,
        one.create_time or START,
        one.activity_id,
        one.error_message,
    )


@lru_cache(10_000)
def _incident(
    task: str,
    definition: str,
    instance: str,
    execution: str,
    raised: datetime,
    activity: str,
    message: str | None,
) -> Incident:
    """Made once: a screen counts the same hundreds again and again."""
    return Incident(
        id=f"i-{task}",
        process_definition_id=definition,
        process_instance_id=instance,
        execution_id=execution,
        incident_timestamp=raised,
        incident_type="failedExternalTask",
        activity_id=activity,
        cause_incident_id=f"i-{task}",
        root_cause_incident_id=f"i-{task}",
        configuration=task,
        incident_message=message,
        tenant_id=None,
        job_definition_id=None,
        annotation=None,
    )


def instance(one: ExternalTask) -> ProcessInstance:
    """The instance of a task."""
    return ProcessInstance(
        id=one.process_instance_id,
        definition_id=one.process_definition_id,
        business_key=one.business_key,
        suspended=one.suspended,
        tenant_id=None,
        definition_key=one.process_definition_key,
    )


def job(id: str, retries: int = 0, message: str | None = "Cannot find external task with id 7") -> Job:
    """A job of a batch."""
    return Job(
        id=id,
        job_definition_id="jd-batch",
        exception_message=message,
        retries=retries,
        due_date=None,
        suspended=False,
        priority=0,
        create_time=START,
        batch_id="batch-1",
    )


def statistics(id: str, total: int, created: int = 0, completed: int = 0, failed: int = 0) -> BatchStatistics:
    """A running batch."""
    return BatchStatistics(
        id=id,
        type="set-external-task-retries",
        total_jobs=total,
        jobs_created=created,
        batch_jobs_per_seed=100,
        invocations_per_batch_job=1,
        seed_job_definition_id=f"jd-seed-{id}",
        monitor_job_definition_id=f"jd-monitor-{id}",
        batch_job_definition_id="jd-batch",
        suspended=False,
        tenant_id=None,
        create_user_id=None,
        start_time=datetime.now(UTC),
        execution_start_time=None,
        remaining_jobs=total - completed,
        completed_jobs=completed,
        failed_jobs=failed,
    )


def connecting(engine: FakeEngine, after: float = 0.0) -> Callable[[], AbstractAsyncContextManager[Any]]:
    """What the application is handed to open this engine."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[FakeEngine]:
        await asyncio.sleep(after)
        yield engine

    return connect


def ids(indexes: Sequence[int]) -> list[str]:
    """Ids of tasks by index."""
    return [task(index).id for index in indexes]
