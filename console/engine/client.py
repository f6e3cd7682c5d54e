"""The client of the engine's REST contract: one method per question or order.

Questions raise :class:`~retriage.console.engine.errors.EngineProblem` and nothing else. Lists are paged by ``first``
(rows to skip) and ``size`` (most rows to return). Lists go by POST where the contract has a POST list, otherwise by
GET. What is sorted is sorted by the rows' ids too where the endpoint takes more than one key
(:func:`~retriage.console.engine.total_order.in_total_order`).
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, TypeVar

import httpx

from retriage.console.engine.answers import number, read_json, record, records, records_by_slices
from retriage.console.engine.capabilities import EVERYTHING, Capabilities, at_connect, learn
from retriage.console.engine.channel import Channel, Limits
from retriage.console.engine.credentials import Credentials, Source
from retriage.console.engine.errors import Refused, Unintelligible
from retriage.console.engine.hold import Hold
from retriage.console.engine.identity import RETRIAGE, Identity, guess_kind
from retriage.console.engine.orders import Orders
from retriage.console.engine.paths import part
from retriage.console.engine.query_string import parameters
from retriage.console.engine.rights import Right
from retriage.console.engine.total_order import in_total_order
from retriage.store.contract.deployments import ProcessDefinitionQuery, ProcessDefinitionXml
from retriage.store.contract.history import (
    HistoricActivityInstance,
    HistoricActivityInstanceQuery,
    HistoricExternalTaskLog,
    HistoricExternalTaskLogQuery,
    HistoricIncident,
    HistoricIncidentQuery,
    HistoricJobLog,
    HistoricJobLogQuery,
)
from retriage.store.contract.model import Shape
from retriage.store.contract.modification import ActivityInstance
from retriage.store.contract.operations import UserOperation, UserOperationQuery
from retriage.store.contract.queries import (
    BatchStatisticsQuery,
    ExternalTaskQuery,
    HistoricBatchQuery,
    HistoricProcessInstanceQuery,
    IncidentQuery,
    JobDefinitionQuery,
    JobQuery,
    ProcessInstanceQuery,
    Query,
)
from retriage.store.contract.records import (
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
from retriage.store.contract.variables import VariableInstance, VariableInstanceQuery

R = TypeVar("R", bound=Shape)
Q = TypeVar("Q", bound=Query)

_CLOCK_GOOD_FOR = 20.0
"""Seconds."""


class EngineClient(Orders):
    """One engine. Its orders are in :class:`~retriage.console.engine.orders.Orders`.

    Args:
        http: client whose base URL is the REST root; opened and closed by whoever hands it in.
        embedded: the engine is the one in this process.
        limits: timeouts and the most requests at once.
        user: who logs in; empty when nobody does, or when the engine tells by other means who it is.
    """

    def __init__(
        self, http: httpx.AsyncClient, *, embedded: bool = False, limits: Limits | None = None, user: str = ""
    ) -> None:
        super().__init__(Channel(http, limits))
        self._user = user
        self._url = str(http.base_url.copy_with(username=None, password=None, query=None)).rstrip("/")
        self._embedded = embedded
        self._clock_good_until = -inf

    @property
    def url(self) -> str:
        """REST root, without credentials."""
        return self._url

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last answered request took; ``None`` before the first."""
        return self._channel.round_trip

    @property
    def hold(self) -> Hold:
        """What holds questions back."""
        return self._channel.hold

    def log_in(self, credentials: Credentials | None, renew: Source | None) -> None:
        """Log in with these headers; ``renew`` gets others when they are refused or at their end, in a thread."""
        self._channel.log_in(credentials, renew)

    @property
    def login_headers(self) -> tuple[str, ...]:
        """The headers that log in, each with a shell variable in place of its value."""
        return self._channel.login_headers

    @property
    def answers(self) -> int:
        """How often the engine itself has answered, a refusal included."""
        return self._channel.answers

    @property
    def user(self) -> str:
        """Who logs in; empty when nobody does, or when the engine tells by other means who it is."""
        return self._user

    def engine_now(self) -> datetime:
        """The time by the engine's clock, as its answers tell it; ours before the first."""
        return self._channel.clock.now()

    @property
    def clock_difference(self) -> timedelta:
        """How much the engine's clock is ahead of ours; zero for less than two seconds."""
        return self._channel.clock.difference

    @property
    def clock_is_disproved(self) -> bool:
        """The ``Date`` headers are not the engine's: its records tell another time."""
        return self._channel.clock.disproved

    async def check_clock(self, *, anew: bool = False) -> None:
        """Hold the engine's clock against times of its records: the lock that ends next, by its own judgement, and the
        newest incident.

        Args:
            anew: also where that was done less than 20 s ago.

        Raises:
            EngineProblem: the engine did not answer.
        """
        begun = time.monotonic()
        if begun < self._clock_good_until and not anew:
            return
        clock, asked_at = self._channel.clock, datetime.now(UTC)
        locked = ExternalTaskQuery(locked=True, sort_by="lockExpirationTime", sort_order="asc")
        for task in await self._seen(self.external_tasks(locked, 0, 1)):
            if task.lock_expiration_time is not None:
                clock.short_of(task.lock_expiration_time, asked_at)
        newest = IncidentQuery(sort_by="incidentTimestamp", sort_order="desc")
        for incident in await self._seen(self.incidents(newest, 0, 1)):
            clock.reached(incident.incident_timestamp)
        self._clock_good_until = begun + _CLOCK_GOOD_FOR

    async def _seen(self, rows: Awaitable[list[R]]) -> list[R]:
        try:
            return await rows
        except Refused:
            return []  # a user who may not read them

    async def identity(self) -> Identity:
        """Kind, version, name and address of the engine."""
        version, names = await asyncio.gather(self.version(), self.engine_names())
        kind = RETRIAGE if self._embedded else guess_kind(version, await self._product())
        return Identity(kind, version, self._name(names), self._url)

    async def version(self) -> str | None:
        """The version that the engine tells, ``None`` when it tells none."""
        try:
            answer = await self._value("GET", "version")
        except Refused as problem:
            if problem.status != 404:
                raise
            return None
        version = answer.get("version") if isinstance(answer, dict) else None
        return version if isinstance(version, str) else None

    async def engine_names(self) -> list[str]:
        """Names of the process engines behind this address."""
        # Engines that know users tell these names to anybody (observed on Camunda 7.24.0).
        answer = await self._value("GET", "engine", needs_login=False) if "/engine/" not in self._url else []
        if not isinstance(answer, list):
            raise Unintelligible("The engine answered with something other than a list of engines.")
        return [entry["name"] for entry in answer if isinstance(entry, dict) and isinstance(entry.get("name"), str)]

    async def capabilities(self, known: Capabilities | None = None) -> Capabilities:
        """What the engine can, as far as it is asked at connect; ``known`` is what was found out before."""
        return EVERYTHING if self._embedded else await at_connect(self, known)

    async def prove(self, known: Capabilities, subject: str, fields: Iterable[str]) -> Capabilities:
        """What the engine can, when it was also asked about these filters of a subject's list."""
        return known if self._embedded else await learn(self, known, subject, fields)

    async def has_right(self, right: Right, resource: str = "") -> bool:
        """Whether the user has a right on a resource, or on every one of its kind; NoLogin where there is no login."""
        params = {"permissionName": right.permission, "resourceName": right.resource, "resourceType": str(right.type)}
        params |= {"resourceId": resource} if resource else {}
        answer = await self._value("GET", "authorization/check", params=params, about_login=True)
        if not isinstance(answer, dict) or not isinstance(answer.get("authorized"), bool):
            raise Unintelligible("The engine answered with something other than whether that is allowed.")
        return bool(answer["authorized"])

    async def first_rows(self, path: str, body: Mapping[str, Any], size: int) -> list[dict[str, Any]]:
        """The first rows of a list that is asked for by POST, just as the engine wrote them."""
        answer = await self._value("POST", path, params=_page(0, size), body=dict(body))
        if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
            raise Unintelligible("The engine answered with something other than a list.")
        return answer

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        return await self._post_list(ExternalTask, "external-task", query, first, size)

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        """How many external tasks match."""
        return await self._post_count("external-task", query)

    async def external_task(self, id: str) -> ExternalTask:
        """One external task; NotThere when it is gone."""
        return record(ExternalTask, await self._value("GET", f"external-task/{part(id)}"))

    async def error_details(self, id: str) -> str | None:
        """The stack trace that the worker sent with the last failure, ``None`` when it sent none."""
        return await self._text(f"external-task/{part(id)}/errorDetails")

    async def topic_names(self) -> list[str]:
        """Topics that have at least one task."""
        answer = await self._value("GET", "external-task/topic-names")
        if not isinstance(answer, list):
            raise Unintelligible("The engine answered with something other than topics.")
        return [name for name in answer if isinstance(name, str)]

    async def process_definitions(self, first: int, size: int) -> list[ProcessDefinition]:
        """A page of process definitions, all versions, the newest first."""
        params = {"sortBy": "version", "sortOrder": "desc"} | _page(first, size)
        return records(ProcessDefinition, await self._value("GET", "process-definition", params=params))

    async def definitions(self, query: ProcessDefinitionQuery, first: int, size: int) -> list[ProcessDefinition]:
        """A page of the process definitions that match."""
        return await self._get_list(ProcessDefinition, "process-definition", query, first, size)

    async def process_definition_xml(self, id: str) -> ProcessDefinitionXml:
        """The BPMN file of a process definition; NotThere when there is none."""
        return record(ProcessDefinitionXml, await self._value("GET", f"process-definition/{part(id)}/xml"))

    async def incidents(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        """A page of open incidents."""
        return await self._get_list(Incident, "incident", query, first, size)

    async def count_incidents(self, query: IncidentQuery) -> int:
        """How many open incidents match."""
        return await self._get_count("incident", query)

    async def historic_incidents(self, query: HistoricIncidentQuery, first: int, size: int) -> list[HistoricIncident]:
        """A page of incidents, open or ended; engines keep ended ones at history level full only."""
        return await self._get_list(HistoricIncident, "history/incident", query, first, size)

    async def process_instances(self, query: ProcessInstanceQuery, first: int, size: int) -> list[ProcessInstance]:
        """A page of running process instances."""
        return await self._post_list(ProcessInstance, "process-instance", query, first, size)

    async def count_process_instances(self, query: ProcessInstanceQuery) -> int:
        """How many running process instances match."""
        return await self._post_count("process-instance", query)

    async def historic_process_instances(
        self, query: HistoricProcessInstanceQuery, first: int, size: int
    ) -> list[HistoricProcessInstance]:
        """A page of process instances, running or ended."""
        return await self._post_list(HistoricProcessInstance, "history/process-instance", query, first, size)

    async def count_historic_process_instances(self, query: HistoricProcessInstanceQuery) -> int:
        """How many process instances match, running or ended."""
        return await self._post_count("history/process-instance", query)

    async def historic_process_instance(self, id: str) -> HistoricProcessInstance:
        """One process instance, running or ended; NotThere when history does not know it."""
        return record(HistoricProcessInstance, await self._value("GET", f"history/process-instance/{part(id)}"))

    async def variables(self, instance_id: str) -> dict[str, VariableValue]:
        """Variables of a running process instance; serialized objects stay texts."""
        path = f"process-instance/{part(instance_id)}/variables"
        answer = await self._value("GET", path, params={"deserializeValues": "false"})
        if not isinstance(answer, dict):
            raise Unintelligible("The engine answered with something other than variables.")
        return {name: record(VariableValue, value) for name, value in answer.items()}

    async def activity_instances(self, instance_id: str) -> ActivityInstance:
        """Where a running process instance is, activities within activities."""
        path = f"process-instance/{part(instance_id)}/activity-instances"
        return record(ActivityInstance, await self._value("GET", path))

    async def variable_instances(self, query: VariableInstanceQuery, first: int, size: int) -> list[VariableInstance]:
        """A page of variables of running instances; serialized objects stay texts."""
        params = _page(first, size) | {"deserializeValues": "false"}
        answer = await self._value("POST", "variable-instance", params=params, body=query.wire())
        return await records_by_slices(VariableInstance, answer)

    async def count_variable_instances(self, query: VariableInstanceQuery) -> int:
        """How many variables of running instances match."""
        return await self._post_count("variable-instance", query)

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches with their progress."""
        return await self._get_list(BatchStatistics, "batch/statistics", query, first, size)

    async def count_batches(self, query: BatchStatisticsQuery) -> int:
        """How many running batches match."""
        return await self._get_count("batch/statistics", query)

    async def historic_batches(self, query: HistoricBatchQuery, first: int, size: int) -> list[HistoricBatch]:
        """A page of batches, running or ended."""
        return await self._get_list(HistoricBatch, "history/batch", query, first, size)

    async def count_historic_batches(self, query: HistoricBatchQuery) -> int:
        """How many batches match, running or ended."""
        return await self._get_count("history/batch", query)

    async def historic_batch(self, id: str) -> HistoricBatch:
        """One batch, running or ended; NotThere when history does not know it."""
        return record(HistoricBatch, await self._value("GET", f"history/batch/{part(id)}"))

    async def jobs(self, query: JobQuery, first: int, size: int) -> list[Job]:
        """A page of jobs."""
        return await self._post_list(Job, "job", query, first, size)

    async def count_jobs(self, query: JobQuery) -> int:
        """How many jobs match."""
        return await self._post_count("job", query)

    async def job_stacktrace(self, id: str) -> str | None:
        """The stack trace of a job's last failure, ``None`` when there is none."""
        return await self._text(f"job/{part(id)}/stacktrace")

    async def job_definitions(self, query: JobDefinitionQuery) -> list[JobDefinition]:
        """All job definitions that match."""
        answer = await self._value("POST", "job-definition", body=query.wire())
        return records(JobDefinition, answer)

    async def job_log(self, query: HistoricJobLogQuery, first: int, size: int) -> list[HistoricJobLog]:
        """A page of the job log; engines keep it at history level full only."""
        return await self._post_list(HistoricJobLog, "history/job-log", query, first, size)

    async def count_job_log(self, query: HistoricJobLogQuery) -> int:
        """How many entries of the job log match."""
        return await self._post_count("history/job-log", query)

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        """A page of the external task log; engines keep it at history level full only."""
        return await self._post_list(HistoricExternalTaskLog, "history/external-task-log", query, first, size)

    async def count_external_task_log(self, query: HistoricExternalTaskLogQuery) -> int:
        """How many entries of the external task log match."""
        return await self._post_count("history/external-task-log", query)

    async def historic_activity_instances(
        self, query: HistoricActivityInstanceQuery, first: int, size: int
    ) -> list[HistoricActivityInstance]:
        """A page of activity instances, running or ended; engines keep them from history level activity on."""
        return await self._post_list(HistoricActivityInstance, "history/activity-instance", query, first, size)

    async def user_operations(self, query: UserOperationQuery, first: int, size: int) -> list[UserOperation]:
        """A page of what was done by users who had logged in; engines keep it at history level full only."""
        return await self._get_list(UserOperation, "history/user-operation", query, first, size)

    async def _post_list(self, kind: type[R], path: str, query: Query, first: int, size: int) -> list[R]:
        body = in_total_order(query).wire()
        return await records_by_slices(kind, await self._value("POST", path, params=_page(first, size), body=body))

    async def _post_count(self, path: str, query: Query) -> int:
        return number(await self._value("POST", f"{path}/count", body=_unsorted(query).wire()))

    async def _get_list(self, kind: type[R], path: str, query: Query, first: int, size: int) -> list[R]:
        answer = await self._value("GET", path, params=parameters(query) | _page(first, size))
        return await records_by_slices(kind, answer)

    async def _get_count(self, path: str, query: Query) -> int:
        return number(await self._value("GET", f"{path}/count", params=parameters(_unsorted(query))))

    async def _value(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        needs_login: bool = True,
        about_login: bool = False,
    ) -> Any:
        answer = await self._channel.ask(
            method, path, params=params, body=body, needs_login=needs_login, about_login=about_login
        )
        return read_json(answer.content)

    async def _text(self, path: str) -> str | None:
        answer = await self._channel.ask("GET", path)
        return None if answer.status_code == 204 else answer.content.decode("utf-8", errors="replace")

    async def _product(self) -> Any:
        """Name of the product. Whether to tell it is the choice of the engine and its proxies, so a refusal is no
        problem; a login that is not accepted, or a wait that is told, is one."""
        try:
            answer = await self._value("GET", "telemetry/data")
        except (Refused, Unintelligible) as problem:
            if problem.retry_after:
                raise
            return None
        product = answer.get("product") if isinstance(answer, dict) else None
        return product.get("name") if isinstance(product, dict) else None

    def _name(self, names: list[str]) -> str:
        if "/engine/" in self._url:
            return self._url.rsplit("/", 1)[1]
        return "default" if "default" in names or not names else names[0]


def _page(first: int, size: int) -> dict[str, str]:
    return {"firstResult": str(first), "maxResults": str(size)}


def _unsorted(query: Q) -> Q:
    """The query without its sort keys, which a count has no use for."""
    return query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
