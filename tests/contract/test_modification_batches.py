"""Modification of many process instances, in one transaction or by a batch; retries of all their jobs."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.answers import in_the_words_of_a_library, refused
from tests.contract.batches import Launched, Outcome, Record, order
from tests.contract.engine import Engine
from tests.contract.stage import Stage, frozen, stage
from tests.contract.test_modification import TWO, after, along, before, cancel
from tests.contract.test_token_jobs import JUDGED
from tests.contract.waiting import eventually
from tests.contract.world import fresh, typed

NOW, LATER = "/modification/execute", "/modification/executeAsync"
KIND = "InvalidRequestException"
NOT_THERE = "ENGINE-13036 Process instance '{}' cannot be modified. The process instance does not exist"


async def instances_of(made: Stage, size: int) -> tuple[str, list[str]]:
    """So many instances of the only definition of a stage, and that definition."""
    (definition,) = made.definitions
    return definition, [await made.started("order") for _ in range(size)]


async def places(made: Stage, instances: list[str]) -> list[list[str]]:
    """Where the tokens of instances are."""
    return [await made.places(instance) for instance in instances]


async def later(engine: Engine, definition: str, *instructions: Record, **sources: Any) -> Launched:
    """A batch that modifies instances of a definition."""
    body = {"processDefinitionId": definition, "instructions": list(instructions), **sources}
    return await order(engine, LATER, body)


async def failures(batch: Launched) -> list[str]:
    """What the failed jobs of a batch tell."""
    return sorted(job["exceptionMessage"] for job in await batch.jobs(noRetriesLeft=True))


async def test_many_at_once(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 4)
    sources: dict[str, Any] = {
        "processInstanceIds": instances[:2],
        "processInstanceQuery": {"processInstanceIds": [instances[1], instances[2]]},
        "skipCustomListeners": True,
        "skipIoMappings": True,
        "annotation": "ticket 12",
    }
    skip = [cancel("one"), after("one")]
    await engine.order("POST", NOW, {"processDefinitionId": definition, "instructions": skip, **sources})
    assert await places(made, instances) == [["two"], ["two"], ["two"], ["one"]]
    body = {"processDefinitionId": definition, "instructions": [cancel("two")], "processInstanceIds": instances[:1]}
    await engine.order("POST", NOW, body)
    past = await engine.get(f"/history/process-instance/{instances[0]}")
    assert (past["state"], past["deleteReason"]) == ("INTERNALLY_TERMINATED", None)


async def test_one_that_fails_takes_all_back(engine: Engine) -> None:
    made, other = await stage(engine, TWO), await stage(engine, TWO)
    definition, instances = await instances_of(made, 2)
    stranger = await other.started("order")
    nowhere = f"nowhere-{uuid4()}"
    body = {"processDefinitionId": definition, "instructions": [cancel("one"), before("two")]}
    mismatch = (
        f"ENGINE-13037 Process instance '{stranger}' cannot be modified. Its process definition "
        f"'{next(iter(other.definitions))}' does not match given process definition '{definition}'"
    )
    for ids, sentence in (([*instances, nowhere], NOT_THERE.format(nowhere)), ([*instances, stranger], mismatch)):
        response = await engine.http.post(NOW, json={**body, "processInstanceIds": ids})
        refused(response, 500, "ProcessEngineException", sentence, 0)
        assert await places(made, instances) == [["one"], ["one"]]


@pytest.mark.parametrize(
    ("instructions", "tokens"),
    [
        ([before("one"), cancel("one", cancelCurrentActiveActivityInstances=True)], ["one"]),
        ([cancel("one", cancelCurrentActiveActivityInstances=True), before("one")], ["one"]),
        ([before("one"), cancel("one"), before("two")], ["two"]),
    ],
)
async def test_only_tokens_of_before(engine: Engine, instructions: list[Record], tokens: list[str]) -> None:
    made = await stage(engine, TWO)
    definition, (instance,) = await instances_of(made, 1)
    await engine.order(
        "POST", NOW, {"processDefinitionId": definition, "instructions": instructions, "processInstanceIds": [instance]}
    )
    assert await made.places(instance) == tokens


async def test_variables_are_dropped(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, (instance,) = await instances_of(made, 1)
    unreadable = before("two", variables={"a": {"value": "x", "type": "Nothing"}})
    body = {"processDefinitionId": definition, "instructions": [cancel("one"), unreadable]}
    await engine.order("POST", NOW, {**body, "processInstanceIds": [instance]})
    assert await made.places(instance) == ["two"]
    assert await made.variables(instance) == {}
    batch = await order(
        engine,
        f"/process-instance/{instance}/modification-async",
        {"instructions": [cancel("two"), before("one", variables={"a": typed(1)})]},
    )
    await batch.ended()
    assert await made.places(instance) == ["one"]
    assert await made.variables(instance) == {}


@pytest.mark.parametrize("path", [NOW, LATER])
@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"processDefinitionId": None, "instructions": [cancel()]}, 400, "processDefinitionId is null"),
        ({"instructions": []}, 400, "Modification instructions cannot be empty is empty"),
        ({"instructions": None}, 400, "Modification instructions cannot be empty is empty"),
        (
            {"processInstanceIds": []},
            400,
            "Process instance ids cannot be empty: Process instance ids is empty",
        ),
        (
            {"processInstanceIds": None, "processDefinitionId": "nope"},
            400,
            "Process instance ids cannot be empty: Process instance ids is empty",
        ),
        (
            {"processInstanceIds": [], "processInstanceQuery": {"businessKey": "nobody's"}},
            400,
            "Process instance ids cannot be empty: Process instance ids is empty",
        ),
        (
            {"processInstanceIds": ["x", None]},
            400,
            "Process instance ids cannot be null: Process instance ids contains null value",
        ),
        (
            {"processDefinitionId": "nope"},
            400,
            "no deployed process definition found with id 'nope': processDefinition is null",
        ),
        (
            {"instructions": [cancel(activityInstanceId="x")]},
            400,
            "For instruction type 'cancel': 'activityId' must be set",
        ),
        (
            {"instructions": [{"type": "startTransition"}]},
            400,
            "For instruction type 'startTransition': 'transitionId' must be set",
        ),
        (
            {"processInstanceQuery": {"sorting": [{"sortBy": "nope", "sortOrder": "asc"}]}},
            400,
            "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty "
            "is null",
        ),
    ],
    ids=str,
)
async def test_orders_that_are_refused(engine: Engine, path: str, change: Record, status: int, sentence: str) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 1)
    body = {"processDefinitionId": definition, "instructions": [cancel("one")], "processInstanceIds": instances}
    refused(await engine.http.post(path, json={**body, **change}), status, KIND, sentence)
    assert await places(made, instances) == [["one"]]


async def test_an_empty_set_of_ids_in_a_query(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, _ = await instances_of(made, 1)
    for path in (NOW, LATER):
        body = {"processDefinitionId": definition, "instructions": [cancel("one")]}
        response = await engine.http.post(path, json={**body, "processInstanceQuery": {"processInstanceIds": []}})
        refused(response, 500, "ProcessEngineException", "Set of process instance ids is empty", 0)


@pytest.mark.parametrize(
    ("instruction", "status", "kind", "code", "sentence"),
    [
        (
            before("nope"),
            400,
            KIND,
            None,
            "Cannot perform instruction: Start before activity 'nope'; Element 'nope' does not exist in process '{}': "
            "element is null",
        ),
        (
            after("nope"),
            400,
            KIND,
            None,
            "Cannot perform instruction: Start after activity 'nope'; Activity 'nope' does not exist: activity is null",
        ),
        (
            along("nope"),
            400,
            KIND,
            None,
            "Cannot perform instruction: Start transition 'nope'; Element 'nope' does not exist in process '{}': "
            "element is null",
        ),
        (
            after("done"),
            500,
            "ProcessEngineException",
            0,
            "Cannot start after activity done; activity has no outgoing sequence flow to take",
        ),
    ],
)
async def test_places_that_are_not_there(
    engine: Engine, instruction: Record, status: int, kind: str, code: int | None, sentence: str
) -> None:
    """At once they are refused; a batch is made, and its job fails."""
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 1)
    body = {"processDefinitionId": definition, "instructions": [instruction], "processInstanceIds": instances}
    refused(await engine.http.post(NOW, json=body), status, kind, sentence.format(definition), code)
    batch = await later(engine, definition, instruction, processInstanceIds=instances)
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    assert await failures(batch) == [sentence.format(definition)]
    assert await places(made, instances) == [["one"]]
    await batch.delete()


async def test_an_unknown_instruction(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 1)
    body = {"processDefinitionId": definition, "instructions": [{"type": "jump"}], "processInstanceIds": instances}
    for path in (NOW, LATER, f"/process-instance/{instances[0]}/modification-async"):
        response = await engine.http.post(path, json=body)
        assert response.status_code == 400
        assert in_the_words_of_a_library(response, engine) or response.json()["type"] == KIND


async def test_a_batch(engine: Engine) -> None:
    """All three sources count, each id once; what is unknown, has ended or is of another definition fails alone."""
    made, other = await stage(engine, TWO), await stage(engine, TWO)
    definition, instances = await instances_of(made, 5)
    ended, stranger, nowhere = instances[4], await other.started("order"), f"nowhere-{uuid4()}"
    await engine.order("DELETE", f"/process-instance/{ended}")
    batch = await later(
        engine,
        definition,
        cancel("one"),
        after("one"),
        processInstanceIds=[instances[0], instances[0], nowhere, stranger],
        processInstanceQuery={"processInstanceIds": instances[:2]},
        historicProcessInstanceQuery={"processInstanceIds": [instances[2], ended]},
    )
    assert batch.answer["type"] == "instance-modification"
    assert batch.answer["totalJobs"] == 6
    assert await batch.settled() == Outcome(jobs=6, failed=3)
    assert await places(made, instances[:4]) == [["two"], ["two"], ["two"], ["one"]]
    assert await failures(batch) == sorted(
        [
            NOT_THERE.format(nowhere),
            NOT_THERE.format(ended),
            f"ENGINE-13037 Process instance '{stranger}' cannot be modified. Its process definition "
            f"'{next(iter(other.definitions))}' does not match given process definition '{definition}'",
        ]
    )
    jobs = await batch.jobs()
    assert {(job["retries"], job["processInstanceId"], job["failedActivityId"]) for job in jobs} == {(0, None, None)}
    assert (await engine.get("/incident/count", jobDefinitionIdIn=batch.work))["count"] == 3
    deployment = (await engine.get(f"/process-definition/{definition}"))["deploymentId"]
    log = await engine.post("/history/job-log", {"jobDefinitionConfiguration": batch.id, "creationLog": True})
    kinds = {entry["jobDefinitionType"]: entry["deploymentId"] for entry in log}
    assert kinds["instance-modification"] == deployment
    definitions = await engine.get("/job-definition", jobConfiguration=batch.id)
    assert {one["jobType"]: one["deploymentId"] for one in definitions} == {
        "batch-seed-job": deployment,
        "batch-monitor-job": None,
        "instance-modification": None,
    }
    await batch.delete()


async def test_a_batch_ends_instances(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 2)
    batch = await later(engine, definition, cancel("one"), processInstanceIds=instances)
    assert (await batch.ended())["executionStartTime"] is not None
    assert [await made.state(instance) for instance in instances] == ["INTERNALLY_TERMINATED"] * 2


async def test_a_suspended_instance_fails_its_job(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 2)
    await engine.order("PUT", f"/process-instance/{instances[0]}/suspended", {"suspended": True})
    batch = await later(engine, definition, before("two"), processInstanceIds=instances)
    assert await batch.settled() == Outcome(jobs=2, failed=1)
    (sentence,) = await failures(batch)
    assert sentence.startswith("ENGINE-03043 Execution with id '")
    assert await places(made, instances) == [["one"], ["one", "two"]]
    body = {"processDefinitionId": definition, "instructions": [before("two")], "processInstanceIds": instances}
    response = await engine.http.post(NOW, json=body)
    assert (response.status_code, response.json()["type"], response.json()["code"]) == (400, KIND, None)
    await batch.delete()
    await engine.order("POST", NOW, {**body, "instructions": [cancel("one")], "processInstanceIds": instances[:1]})
    assert await made.state(instances[0]) == "INTERNALLY_TERMINATED"


async def test_a_deleted_batch_leaves_instances_as_they_are(engine: Engine) -> None:
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 1)
    batch = await later(engine, definition, before("nope"), processInstanceIds=instances)
    await batch.settled()
    await batch.delete()
    assert await places(made, instances) == [["one"]]


async def test_one_later(engine: Engine) -> None:
    made = await stage(engine, TWO)
    _, (instance,) = await instances_of(made, 1)
    await engine.order("POST", f"/process-instance/{instance}/modification", {"instructions": [before("one")]})
    old, new = sorted(one["id"] for one in (await made.tree(instance))["childActivityInstances"])
    path = f"/process-instance/{instance}/modification-async"
    batch = await order(engine, path, {"instructions": [cancel(activityInstanceId=old), before("two")]})
    assert (batch.answer["type"], batch.answer["totalJobs"]) == ("instance-modification", 1)
    await batch.ended()
    assert await made.places(instance) == ["one", "two"]
    batch = await order(engine, path, {"instructions": [cancel(activityInstanceId=old)]})
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    assert await failures(batch) == [
        f"Cannot perform instruction: Cancel activity instance '{old}'; Activity instance '{old}' does not exist: "
        "activityInstance is null"
    ]
    await batch.delete()
    batch = await order(engine, path, {"instructions": [cancel("two"), cancel(activityInstanceId=new)]})
    await batch.ended()
    assert await made.state(instance) == "INTERNALLY_TERMINATED"


@pytest.mark.parametrize("body", [{}, {"instructions": []}])
async def test_one_later_without_instructions(engine: Engine, body: Record) -> None:
    response = await engine.http.post("/process-instance/nope/modification-async", json=body)
    refused(response, 400, KIND, "The provided instuctions are invalid.")


async def test_one_later_that_is_not_there(engine: Engine) -> None:
    response = await engine.http.post(
        "/process-instance/nope/modification-async", json={"instructions": [cancel("one")]}
    )
    refused(response, 500, "ProcessEngineException", NOT_THERE.format("nope"), 0)


async def test_one_later_with_a_bad_variable(engine: Engine) -> None:
    made = await stage(engine, TWO)
    _, (instance,) = await instances_of(made, 1)
    response = await engine.http.post(
        f"/process-instance/{instance}/modification-async",
        json={"instructions": [before("one", variables={"n": {"value": "x", "type": "Integer"}})]},
    )
    refused(response, 400, KIND, "Cannot convert value 'x' of type 'Integer' to java type java.lang.Integer")


JOBS, BY_HISTORY = "/process-instance/job-retries", "/process-instance/job-retries-historic-query-based"
NO_SOURCE = (
    "ENGINE-13051 You must specify at least one of or one of processInstanceIds, processInstanceQuery, or "
    "historicProcessInstanceQuery."
)


async def failed(engine: Engine, size: int) -> tuple[Stage, list[str]]:
    """Instances whose jobs have no retries left, and are carried out by hand only."""
    made = await frozen(engine, JUDGED)
    instances = [await made.started("order") for _ in range(size)]
    for instance in instances:
        await engine.order("PUT", f"/job/{(await made.job(instance))['id']}/retries", {"retries": 0})
    return made, instances


async def retries(made: Stage, instances: list[str]) -> list[int]:
    """The retries of the jobs of instances."""
    return [(await made.job(instance))["retries"] for instance in instances]


@pytest.mark.parametrize(
    ("path", "query"), [(JOBS, "processInstanceQuery"), (BY_HISTORY, "historicProcessInstanceQuery")]
)
async def test_retries_of_the_jobs_of_instances(engine: Engine, path: str, query: str) -> None:
    made, instances = await failed(engine, 4)
    sources: Record = {"processInstances": [instances[0], "nowhere"], query: {"processInstanceIds": instances[:3]}}
    batch = await order(engine, path, {"retries": 4, **sources})
    assert (batch.answer["type"], batch.answer["totalJobs"]) == ("set-job-retries", 3)
    await batch.ended()
    assert await retries(made, instances) == [4, 4, 4, 0]
    assert [len(await engine.get("/incident", processInstanceId=one)) for one in instances] == [0, 0, 0, 1]
    past = await engine.get("/history/incident", processInstanceId=instances[0])
    assert [one["resolved"] for one in past] == [True]


async def test_due_dates_of_the_jobs_of_instances(engine: Engine) -> None:
    made, instances = await failed(engine, 1)
    far = "2099-01-01T00:00:00.000+0000"
    for due in (far, None):
        await (await order(engine, JOBS, {"retries": 1, "processInstances": instances, "dueDate": due})).ended()
        assert (await made.job(instances[0]))["dueDate"] == due
    assert (await made.job(instances[0]))["suspended"]


Refusal = tuple[int, str, str, int | None]
EMPTY: Refusal = (400, KIND, "jobIds is empty", None)
NOTHING_SPECIFIED: Refusal = (500, "ProcessEngineException", NO_SOURCE, 0)


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        (JOBS, {}, (400, KIND, "retries is null", None)),
        (JOBS, {"retries": ""}, (400, KIND, "retries is null", None)),
        (JOBS, {"retries": 1}, NOTHING_SPECIFIED),
        (JOBS, {"retries": -1}, NOTHING_SPECIFIED),
        (JOBS, {"retries": 1, "processInstances": []}, NOTHING_SPECIFIED),
        (JOBS, {"retries": 1, "processInstanceIds": ["x"]}, NOTHING_SPECIFIED),
        (JOBS, {"retries": 1, "historicProcessInstanceQuery": {}}, NOTHING_SPECIFIED),
        (JOBS, {"retries": 1, "processInstances": ["nowhere"]}, EMPTY),
        (JOBS, {"retries": -1, "processInstances": ["nowhere"]}, EMPTY),
        (JOBS, {"retries": 1, "processInstances": [], "processInstanceQuery": {"businessKey": "nobody's"}}, EMPTY),
        (BY_HISTORY, {"retries": 1}, NOTHING_SPECIFIED),
        (BY_HISTORY, {"retries": 1, "processInstanceQuery": {}}, NOTHING_SPECIFIED),
        (BY_HISTORY, {"retries": 1, "historicProcessInstanceQuery": {"processInstanceBusinessKey": "nobody's"}}, EMPTY),
    ],
    ids=str,
)
async def test_retries_that_are_refused(engine: Engine, path: str, body: Record, refusal: Refusal) -> None:
    status, kind, sentence, code = refusal
    refused(await engine.http.post(path, json=body), status, kind, sentence, code)


async def test_negative_retries_of_jobs_that_are_there(engine: Engine) -> None:
    _, instances = await failed(engine, 1)
    response = await engine.http.post(JOBS, json={"retries": -1, "processInstances": instances})
    refused(response, 500, "ProcessEngineException", "Retries count is not greater than or equal to 0", 0)


@pytest.mark.parametrize(
    ("path", "query"), [(JOBS, "processInstanceQuery"), (BY_HISTORY, "historicProcessInstanceQuery")]
)
async def test_bad_sorting(engine: Engine, path: str, query: str) -> None:
    sorting = {"sorting": [{"sortBy": "nope", "sortOrder": "asc"}]}
    response = await engine.http.post(path, json={"retries": 1, query: sorting})
    sentence = "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty"
    refused(response, 400, "NotValidException", f"{sentence} is null", 0)


async def test_what_the_operation_log_keeps(guarded_engine: Engine) -> None:
    """The engine of the log has users."""
    engine = guarded_engine
    made = await stage(engine, TWO)
    definition, instances = await instances_of(made, 3)
    deployment = (await engine.get(f"/process-definition/{definition}"))["deploymentId"]

    async def entries(annotation: str) -> list[tuple[str | None, str | None, str | None]]:
        log = await engine.get("/history/user-operation", operationType="ModifyProcessInstance")
        mine = [entry for entry in log if entry["annotation"] == annotation]
        for entry in mine:
            assert (entry["entityType"], entry["category"], entry["orgValue"]) == ("ProcessInstance", "Operator", None)
            assert (entry["processDefinitionId"], entry["deploymentId"]) == (definition, deployment)
            assert entry["batchId"] is None
        return sorted(((entry["property"], entry["newValue"], entry["processInstanceId"]) for entry in mine), key=str)

    one, two, three, four = (fresh("note") for _ in range(4))
    path = f"/process-instance/{instances[0]}/modification"
    await engine.order("POST", path, {"instructions": [before("two")], "annotation": one})
    assert await entries(one) == [(None, None, instances[0])]
    batch = await order(engine, f"{path}-async", {"instructions": [cancel("two")], "annotation": two})
    await batch.ended()
    assert await entries(two) == [(None, None, instances[0])]
    body = {"processDefinitionId": definition, "instructions": [cancel("two")], "processInstanceIds": instances}
    await engine.order("POST", NOW, {**body, "annotation": three})
    assert await entries(three) == [("async", "false", None), ("nrOfInstances", "3", None)]
    batch = await order(engine, LATER, {**body, "annotation": four})
    await batch.ended()
    assert await entries(four) == [("async", "true", None), ("nrOfInstances", "3", None)]
    await engine.order("POST", path, {"instructions": [], "annotation": fresh("note")})


async def test_retries_are_raised_and_the_executor_tries_again(engine: Engine) -> None:
    """A job that fails again has a new incident."""
    made = await stage(engine, JUDGED)
    instance = await made.started("order")
    (first,) = await eventually(lambda: engine.get("/incident", processInstanceId=instance))
    await order(engine, JOBS, {"retries": 1, "processInstances": [instance]})

    async def other() -> bool:
        found = await engine.get("/incident", processInstanceId=instance)
        return bool(found) and found[0]["id"] != first["id"]

    await eventually(other)
