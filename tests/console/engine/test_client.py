"""What the client sends, and what it makes of the answers of good engines, old engines and odd ones."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from retriage.console.engine.answers import UNKNOWN_TIME, records, records_by_slices
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import EngineProblem, RanAndFailed, Refused, Unintelligible, Unsayable
from retriage.console.engine.identity import guess_kind
from retriage.store.contract import queries
from retriage.store.contract.history import HistoricExternalTaskLogQuery, HistoricIncidentQuery, HistoricJobLogQuery
from retriage.store.contract.operations import UserOperationQuery
from retriage.store.contract.orders import SetExternalTaskRetries
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
    Sorting,
)
from retriage.store.contract.records import ExternalTask

BASE = "http://engine.test/engine-rest"

TASK = {
    "activityId": "Charge", "activityInstanceId": "ai", "errorMessage": "gateway timeout", "executionId": "ex",
    "id": "et-71", "lockExpirationTime": "2026-03-01T09:20:00.000+0100", "createTime": None,
    "processDefinitionId": "order:2:pd-9", "processDefinitionKey": "order", "processDefinitionVersionTag": "1.4",
    "processInstanceId": "pi-71", "retries": None, "suspended": False, "workerId": "w-1", "topicName": "charge-card",
    "tenantId": None, "priority": 50, "businessKey": "A-1001",
}  # fmt: skip

BATCH = {
    "id": "b-1", "type": "set-external-task-retries", "totalJobs": 7, "jobsCreated": 0, "batchJobsPerSeed": 100,
    "invocationsPerBatchJob": 1, "seedJobDefinitionId": "s", "monitorJobDefinitionId": "m",
    "batchJobDefinitionId": "j", "suspended": False, "tenantId": None, "createUserId": None,
    "startTime": "2026-03-01T09:15:00.000+0100", "executionStartTime": None,
}  # fmt: skip


INCIDENT = {
    "id": "in-1", "processDefinitionKey": "order", "processDefinitionId": "order:2:pd-9", "processInstanceId": "pi-71",
    "createTime": "2026-03-01T09:10:00.000+0100", "incidentType": "failedExternalTask", "configuration": "et-71",
    "historyConfiguration": "el-9", "incidentMessage": "gateway timeout",
}  # fmt: skip


class Engine:
    """Plays an engine: remembers what it was asked, answers what it was told to."""

    def __init__(self, answer: object = None, **response: object) -> None:
        self.asked: list[httpx.Request] = []
        self._response = response or {"json": answer}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(**{"status_code": 200, **self._response})  # type: ignore[arg-type]

    def client(self) -> EngineClient:
        return client_of(self)

    @property
    def line(self) -> str:
        """The last request as METHOD path?query."""
        request = self.asked[-1]
        return f"{request.method} {request.url.raw_path.decode().removeprefix('/engine-rest/')}"

    @property
    def body(self) -> object:
        return json.loads(self.asked[-1].content)


def client_of(handler: Callable[[httpx.Request], httpx.Response]) -> EngineClient:
    return EngineClient(httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url=BASE))


POSTED = [
    ("external_tasks", ExternalTaskQuery(topic_name="a"), {"topicName": "a"}, "external-task"),
    ("process_instances", ProcessInstanceQuery(with_incident=True), {"withIncident": True}, "process-instance"),
    ("historic_process_instances", HistoricProcessInstanceQuery(finished=True), {"finished": True}, "history/process-instance"),  # noqa: E501
    ("jobs", JobQuery(no_retries_left=True), {"noRetriesLeft": True}, "job"),
    ("job_log", HistoricJobLogQuery(job_id="j", failure_log=True), {"jobId": "j", "failureLog": True}, "history/job-log"),  # noqa: E501
    ("external_task_log", HistoricExternalTaskLogQuery(external_task_id="t"), {"externalTaskId": "t"}, "history/external-task-log"),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("method", "query", "body", "path"), POSTED)
async def test_lists_that_the_contract_posts_are_posted(method: str, query: Query, body: object, path: str) -> None:
    engine = Engine([])
    assert await getattr(engine.client(), method)(query, 40, 20) == []
    assert engine.line == f"POST {path}?firstResult=40&maxResults=20"
    assert engine.body == body


async def test_counts_are_posted_without_sort_keys() -> None:
    engine = Engine({"count": 12})
    query = ExternalTaskQuery(locked=True, sorting=[Sorting(sort_by="createTime", sort_order="asc")])
    assert await engine.client().count_external_tasks(query) == 12
    assert engine.line == "POST external-task/count"
    assert engine.body == {"locked": True}


async def test_counts_of_logs_are_posted() -> None:
    engine = Engine({"count": 5})
    assert await engine.client().count_job_log(HistoricJobLogQuery(job_definition_configuration="b-1")) == 5
    assert (engine.line, engine.body) == ("POST history/job-log/count", {"jobDefinitionConfiguration": "b-1"})
    query = HistoricExternalTaskLogQuery(success_log=True, sort_by="timestamp", sort_order="desc")
    assert await engine.client().count_external_task_log(query) == 5
    assert (engine.line, engine.body) == ("POST history/external-task-log/count", {"successLog": True})


async def test_incidents_of_the_past_are_asked_by_query_string() -> None:
    engine = Engine([{**INCIDENT, "endTime": None, "open": True}])
    query = HistoricIncidentQuery(
        create_time_after=datetime(2026, 3, 1, 8, 15, tzinfo=UTC), open=True, sort_by="createTime", sort_order="desc"
    )
    (incident,) = await engine.client().historic_incidents(query, 0, 50)
    assert (incident.id, incident.open, incident.resolved, incident.end_time) == ("in-1", True, False, None)
    assert dict(engine.asked[0].url.params) == {
        "createTimeAfter": "2026-03-01T08:15:00.000+0000",
        "open": "true",
        "sortBy": "createTime",
        "sortOrder": "desc",
        "firstResult": "0",
        "maxResults": "50",
    }


async def test_job_definitions_are_posted() -> None:
    engine = Engine([])
    await engine.client().job_definitions(JobDefinitionQuery(job_configuration="b-1"))
    assert engine.line == "POST job-definition"
    assert engine.body == {"jobConfiguration": "b-1"}


async def test_incidents_are_asked_by_query_string_with_the_plus_of_dates_encoded() -> None:
    engine = Engine([])
    query = IncidentQuery(
        incident_message_like="%50\\% & more%",
        process_definition_key_in=["order", "refund"],
        incident_timestamp_before=datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
        sorting=[Sorting(sort_by="incidentTimestamp", sort_order="desc")],
    )
    await engine.client().incidents(query, 0, 50)
    request = engine.asked[0]
    assert request.method == "GET"
    assert "incidentTimestampBefore=2026-03-01T08%3A15%3A00.000%2B0000" in str(request.url)
    assert dict(request.url.params) == {
        "incidentMessageLike": "%50\\% & more%",
        "processDefinitionKeyIn": "order,refund",
        "incidentTimestampBefore": "2026-03-01T08:15:00.000+0000",
        "sortBy": "incidentTimestamp",
        "sortOrder": "desc",
        "firstResult": "0",
        "maxResults": "50",
    }


async def test_batches_are_asked_by_query_string_where_false_means_something() -> None:
    engine = Engine([])
    await engine.client().batches(BatchStatisticsQuery(suspended=False, sort_by="startTime", sort_order="desc"), 0, 9)
    assert (
        engine.line == "GET batch/statistics?suspended=false&sortBy=startTime&sortOrder=desc&firstResult=0&maxResults=9"
    )
    await engine.client().historic_batches(HistoricBatchQuery(completed=True), 0, 9)
    assert engine.line == "GET history/batch?completed=true&firstResult=0&maxResults=9"


@pytest.mark.parametrize(
    "query",
    [
        IncidentQuery(tenant_id_in=["a,b"]),
        IncidentQuery(tenant_id_in=["a", ""]),
        IncidentQuery(tenant_id_in=["a", None]),
        IncidentQuery(sorting=[Sorting(sort_by="tenantId"), Sorting(sort_by="incidentId")]),
        IncidentQuery(incident_id="half a pair: \ud800"),
        IncidentQuery(incident_id="x" * 70_000),
    ],
    ids=["comma", "empty", "null", "two sort keys", "half a surrogate pair", "too long"],
)
async def test_what_a_query_string_cannot_say_is_told_and_never_sent(query: IncidentQuery) -> None:
    engine = Engine([])
    with pytest.raises(Unsayable):
        await engine.client().incidents(query, 0, 10)
    assert engine.asked == []


async def test_an_empty_list_is_no_filter_and_is_left_out() -> None:
    engine = Engine({"count": 1})
    await engine.client().count_incidents(IncidentQuery(tenant_id_in=[]))
    assert engine.line == "GET incident/count"


async def test_ids_are_encoded_into_paths_and_an_empty_one_is_refused() -> None:
    engine = Engine(TASK)
    await engine.client().external_task("a/../b?c")
    assert engine.line == "GET external-task/a%2F..%2Fb%3Fc"
    with pytest.raises(EngineProblem):
        await engine.client().external_task("")
    assert len(engine.asked) == 1


async def test_a_task_is_read_with_its_times_in_utc() -> None:
    task = await Engine(TASK).client().external_task("et-71")
    assert task.lock_expiration_time == datetime(2026, 3, 1, 8, 20, tzinfo=UTC)
    assert task.retries is None


async def test_fields_that_an_older_engine_lacks_become_null_and_unknown_ones_are_ignored() -> None:
    old = {name: value for name, value in TASK.items() if name not in ("createTime", "businessKey", "errorMessage")}
    (task,) = (
        await Engine([{**old, "extensionProperties": {"new": 1}}]).client().external_tasks(ExternalTaskQuery(), 0, 1)
    )
    assert (task.create_time, task.business_key, task.error_message) == (None, None, None)
    assert task.topic_name == "charge-card"


async def test_a_batch_of_an_engine_before_7_20_has_an_unknown_start() -> None:
    old = {name: value for name, value in BATCH.items() if name not in ("startTime", "executionStartTime")}
    (batch,) = await Engine([old]).client().batches(BatchStatisticsQuery(), 0, 1)
    assert (batch.start_time, batch.execution_start_time) == (UNKNOWN_TIME, None)
    assert (batch.total_jobs, batch.remaining_jobs) == (7, 0)


@pytest.mark.parametrize(
    ("field", "odd", "expected"),
    [
        ("suspended", None, False),
        ("priority", None, 0),
        ("retries", {"a": 1}, None),
        ("lockExpirationTime", "soon", None),
        ("lockExpirationTime", 10**30, None),
        ("topicName", None, ""),
    ],
)
async def test_a_field_that_holds_something_else_is_empty_and_the_others_stand(
    field: str, odd: object, expected: object
) -> None:
    task = await Engine({**TASK, field: odd}).client().external_task("et-71")
    assert task.model_dump(by_alias=True)[field] == expected
    assert task.id == "et-71"


async def test_a_message_of_a_megabyte_survives_whole() -> None:
    message = "x" * 2**20
    task = await Engine({**TASK, "errorMessage": message}).client().external_task("et-71")
    assert task.error_message == message


async def test_half_a_surrogate_pair_in_a_message_becomes_printable() -> None:
    content = json.dumps({**TASK, "errorMessage": "a\ud800b \U0001f600"}).encode()
    task = await Engine(content=content).client().external_task("et-71")
    assert task.error_message == "a\ufffdb \U0001f600"


@pytest.mark.parametrize(
    "answer", [b"", b"<html>Welcome</html>", b"ok", b"[" * 100_000, b'{"count": "many"}', b'{"count": true}', b"[]"]
)
async def test_an_answer_that_is_no_count_is_one_sentence(answer: bytes) -> None:
    with pytest.raises(Unintelligible) as caught:
        await Engine(content=answer).client().count_external_tasks(ExternalTaskQuery())
    assert "\n" not in caught.value.sentence
    assert caught.value.sentence.endswith(".")


@pytest.mark.parametrize("answer", [{"id": "x"}, ["x"], None, 3])
async def test_a_list_that_is_none_is_one_sentence(answer: object) -> None:
    with pytest.raises(Unintelligible, match="The engine answered with something other than"):
        await Engine(content=json.dumps(answer).encode()).client().external_tasks(ExternalTaskQuery(), 0, 1)


async def test_a_long_page_is_made_in_turns_of_the_loop() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    rows = [{**TASK, "id": f"et-{number}"} for number in range(250)]
    beside = asyncio.create_task(turn())
    found = await records_by_slices(ExternalTask, rows)
    beside.cancel()
    assert found == records(ExternalTask, rows)
    assert turns == 2
    for answer in ({}, [{}, 3], [*rows, None]):
        with pytest.raises(Unintelligible):
            await records_by_slices(ExternalTask, answer)


async def test_texts_come_as_text_and_204_is_none() -> None:
    assert await Engine(content=b"at java.lang \xff").client().error_details("x") == "at java.lang \ufffd"
    assert await Engine(status_code=204).client().job_stacktrace("x") is None


async def test_variables_keep_their_types_and_are_not_deserialized() -> None:
    engine = Engine({"amount": {"type": "Integer", "value": 120, "valueInfo": {}}, "odd": {"type": None}})
    variables = await engine.client().variables("pi-1")
    assert engine.line == "GET process-instance/pi-1/variables?deserializeValues=false"
    assert (variables["amount"].type, variables["amount"].value) == ("Integer", 120)
    assert (variables["odd"].type, variables["odd"].value) == (None, None)


async def test_a_launch_sends_what_is_set_and_nothing_else() -> None:
    engine = Engine(BATCH)
    order = SetExternalTaskRetries(retries=0, external_task_query=ExternalTaskQuery())
    batch = await engine.client().launch_batch(BatchRequest(order))
    assert engine.line == "POST external-task/retries-async"
    assert engine.body == {"retries": 0, "externalTaskQuery": {}}
    assert (batch.id, batch.total_jobs) == ("b-1", 7)


async def test_a_batch_for_jobs_is_launched() -> None:
    engine = Engine(BATCH)
    assert (await engine.client().set_job_retries_async(["j", "k"], 2)).id == "b-1"
    assert (engine.line, engine.body) == ("POST job/retries", {"retries": 2, "jobIds": ["j", "k"]})
    await engine.client().set_job_retries_async(JobQuery(no_retries_left=True, suspended=True), 1)
    assert engine.body == {"retries": 1, "jobQuery": {"noRetriesLeft": True, "suspended": True}}


async def test_the_log_of_users_is_asked() -> None:
    entry = {"id": "e", "userId": "ops", "timestamp": "2026-03-01T09:15:00.000+0100", "operationId": "o",
             "operationType": "Delete", "entityType": "Batch", "property": None, "annotation": "why"}  # fmt: skip
    engine = Engine([entry])
    (found,) = await engine.client().user_operations(UserOperationQuery(batch_id="b", entity_type_in=["Batch"]), 0, 5)
    assert engine.line == "GET history/user-operation?batchId=b&entityTypeIn=Batch&firstResult=0&maxResults=5"
    assert (found.user_id, found.operation_type, found.annotation, found.job_id) == ("ops", "Delete", "why", None)


@pytest.mark.parametrize(
    ("order", "args", "line", "body"),
    [
        ("suspend_batch", ("b", True), "PUT batch/b/suspended", {"suspended": True}),
        ("suspend_batch", ("b", False), "PUT batch/b/suspended", {"suspended": False}),
        ("delete_batch", ("b",), "DELETE batch/b?cascade=false", None),
        ("delete_batch", ("b", True), "DELETE batch/b?cascade=true", None),
        ("retry_jobs", ("jd", 1), "PUT job-definition/jd/retries", {"retries": 1}),
        ("set_job_retries", ("j", 2), "PUT job/j/retries", {"retries": 2}),
        ("delete_job", ("j",), "DELETE job/j", None),
        ("unlock", ("t/1",), "POST external-task/t%2F1/unlock", None),
        ("execute_job", ("j",), "POST job/j/execute", {}),
        ("suspend_job", ("j", True), "PUT job/j/suspended", {"suspended": True}),
        ("suspend_job", ("j", False), "PUT job/j/suspended", {"suspended": False}),
    ],
)
async def test_orders(order: str, args: tuple[object, ...], line: str, body: object) -> None:
    engine = Engine(status_code=204)
    await getattr(engine.client(), order)(*args)
    assert engine.line == line
    assert json.loads(engine.asked[0].content or b"null") == body


@pytest.mark.parametrize(
    ("status", "type_", "message", "ran"),
    [
        (404, "InvalidRequestException", "Unknown property used in expression: ${x}", True),
        (500, "RestException", "boom", True),
        (404, "InvalidRequestException", "ENGINE-14026 No job found with id 'j'", False),
        (404, "InvalidRequestException", "ENGINE-14026 No job found with id 'another'", True),
        (403, "AuthorizationException", "The user may not.", False),
    ],
)
async def test_a_job_that_ran_and_failed_is_told_apart_from_one_that_was_not_run(
    status: int, type_: str, message: str, ran: bool
) -> None:
    engine = Engine(status_code=status, json={"type": type_, "message": message})
    with pytest.raises(Refused) as caught:
        await engine.client().execute_job("j")
    assert isinstance(caught.value, RanAndFailed) is ran
    assert (caught.value.sentence == f"The job ran and failed: {message}") is ran


@pytest.mark.parametrize(
    ("version", "product", "kind"),
    [
        ("7.24.0", "Camunda BPM Runtime", "Camunda 7"),
        ("7.15.0-ee", None, "Camunda 7"),
        ("1.0.3", "Operaton BPM Runtime", "Operaton"),
        ("2.0.0", "CIB seven BPM Runtime", "CIB seven"),
        ("1.1.0-cibseven", None, "CIB seven"),
        ("2.0.0", "Camunda BPM Runtime", "CIB seven"),
        ("1.0.3", None, "engine"),
        (None, {"odd": 1}, "engine"),
    ],
)
def test_the_kind_of_an_engine_is_guessed(version: str | None, product: object, kind: str) -> None:
    assert guess_kind(version, product) == kind


async def test_identity_of_a_camunda() -> None:
    def engine(request: httpx.Request) -> httpx.Response:
        answers = {
            "/engine-rest/version": {"version": "7.24.0"},
            "/engine-rest/engine": [{"name": "default"}, {"name": "other"}],
            "/engine-rest/telemetry/data": {"product": {"name": "Camunda BPM Runtime"}},
        }
        return httpx.Response(200, json=answers[request.url.path])

    identity = await client_of(engine).identity()
    assert (identity.kind, identity.version, identity.name, identity.url) == ("Camunda 7", "7.24.0", "default", BASE)


async def test_identity_survives_an_engine_that_tells_nothing_but_its_name() -> None:
    def engine(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/engine-rest/engine":
            return httpx.Response(200, json=[{"name": "bpm-prod"}])
        return httpx.Response(
            404 if request.url.path.endswith("version") else 403, json={"type": "RestException", "message": ""}
        )

    identity = await client_of(engine).identity()
    assert (identity.kind, identity.version, identity.name) == ("engine", None, "bpm-prod")


def test_every_get_query_of_the_client_can_be_said() -> None:
    """No GET query has a filter that is a list of objects, which a query string could not carry."""
    asked = (
        queries.IncidentQuery,
        HistoricIncidentQuery,
        queries.BatchStatisticsQuery,
        queries.HistoricBatchQuery,
    )
    for query in asked:
        for name in query.filters():
            assert "Filter" not in str(query.model_fields[name].annotation), (query, name)
