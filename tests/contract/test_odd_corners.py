"""Corners that comparing the store with the reference engine brought to light, one example each."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.answers import ids, moment, refused, wire
from tests.contract.batches import stuck
from tests.contract.bpmn import Drawing
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

LATEST_ALONE = (
    "Calling latest() can only be used in combination with key(String) and keyLike(String) "
    "or name(String) and nameLike(String)"
)
PRIORITY = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
             targetNamespace="http://retriage/tests">
<process id="{key}" isExecutable="true" camunda:historyTimeToLive="30">
<startEvent id="Begin"/><serviceTask id="Task" camunda:type="external" camunda:topic="t" camunda:taskPriority="${{p}}"/>
<sequenceFlow id="flow" sourceRef="Begin" targetRef="Task"/></process></definitions>
"""


@pytest.mark.parametrize(
    ("text", "holds"),
    [("2", True), ("-1", True), ("0", False), ("null", False), (" true ", True), ("true,false", True)],
)
async def test_a_truth_value_in_a_query_string_is_the_beginning_of_json(
    engine: Engine, world: World, text: str, holds: bool
) -> None:
    scene = await world.scene(1)
    params = {"topicName": scene.topic, "locked": text}
    answer = await engine.http.get("/external-task/count", params=params)
    assert answer.json() == {"count": 0 if holds else 1}


@pytest.mark.parametrize("text", ["", "TRUE", "1.5", "00", "yes"])
async def test_other_texts_are_no_truth_values(engine: Engine, text: str) -> None:
    answer = await engine.http.get("/external-task/count", params={"locked": text})
    message = f"Cannot set query parameter 'locked' to value '{text}': "
    message += f"Cannot convert value {text} to java type java.lang.Boolean"
    refused(answer, 400, "InvalidRequestException", message)


@pytest.mark.parametrize(("value", "count"), [("TRUE", 1), (" true ", 1), ("null", 1), (" ", 1), ("FALSE", 1)])
async def test_a_truth_value_in_a_body_may_be_a_text(engine: Engine, world: World, value: str, count: int) -> None:
    scene = await world.scene(1)
    assert await engine.post("/external-task/count", {"topicName": scene.topic, "active": value}) == {"count": count}


@pytest.mark.parametrize("text", ["TRUE", "True", "true"])
async def test_a_flag_is_true_in_any_case(engine: Engine, world: World, text: str) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], fresh("worker"))
    answer = await engine.http.get("/external-task/topic-names", params={"withUnlockedTasks": text})
    assert scene.topic not in answer.json()


@pytest.mark.parametrize("text", ["", "1", "yes", "false"])
async def test_a_flag_is_false_otherwise(engine: Engine, world: World, text: str) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], fresh("worker"))
    answer = await engine.http.get("/external-task/topic-names", params={"withUnlockedTasks": text})
    assert answer.status_code == 200
    assert scene.topic in answer.json()


async def test_empty_parts_at_the_end_of_a_list_do_not_count(engine: Engine, world: World) -> None:
    scene = await world.scene(1, variables={"a": "b"})
    definition = {"processDefinitionId": scene.definition}
    for more in ({"activityIdIn": ",,"}, {"activityIdIn": "Charge,"}, {"activityIdIn": " "}):
        assert await engine.get("/external-task/count", **definition, **more) == {"count": 1}
    assert await engine.get("/external-task/count", **definition, activityIdIn=",x") == {"count": 0}
    assert await engine.get("/process-instance/count", **definition, variables="a_eq_b_,") == {"count": 1}


async def test_a_direction_may_follow_in_the_next_entry(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    sorting: list[dict[str, Any]] = [
        {"sortBy": "id"},
        {"sortOrder": "desc"},
        {"sortBy": "nothing"},
        {"sortOrder": "up"},
    ]
    found = await engine.post("/external-task", {"topicName": scene.topic, "sorting": sorting})
    assert [task["id"] for task in found] == sorted(scene.tasks, reverse=True)


async def test_the_first_of_two_directions_of_one_key_counts(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    for path, key in (("/external-task", "id"), ("/job-definition", "jobDefinitionId")):
        for first, second in (("asc", "desc"), ("desc", "asc")):
            sorting = [
                {"sortBy": "processDefinitionKey", "sortOrder": "desc"},
                {"sortBy": key, "sortOrder": first},
                {"sortBy": key, "sortOrder": second},
            ]
            batch = await stuck(engine, scene.tasks)
            query = {"topicName": scene.topic} if key == "id" else {"jobConfiguration": batch.id}
            found = ids(await engine.post(path, {**query, "sorting": sorting}))
            assert len(found) == 3
            assert found == sorted(found, reverse=first == "desc")
            await batch.delete()


async def test_filters_are_read_before_the_sorting(engine: Engine) -> None:
    answer = await engine.http.post("/job", json={"timers": True, "messages": True, "sortBy": "jobId"})
    message = "Parameter timers cannot be used together with parameter messages."
    refused(answer, 400, "InvalidRequestException", message)


async def test_unknown_sort_words_of_a_body_are_a_fault_of_its_form(engine: Engine) -> None:
    for words in ({"sortBy": "timestamp", "sortOrder": "up"}, {"sortBy": "nothing", "sortOrder": "asc"}):
        answer = await engine.http.post("/history/job-log/count", json={"activityIdIn": [""], **words})
        assert answer.status_code == 400
        assert "contains empty string" not in answer.text


async def test_a_page_without_rows_is_refused_as_any_other(engine: Engine) -> None:
    answer = await engine.http.get("/external-task", params={"sortBy": "id", "maxResults": "0"})
    message = "Only a single sorting parameter specified. sortBy and sortOrder required"
    refused(answer, 400, "InvalidRequestException", message)


@pytest.mark.parametrize("version", ["0", "-3"])
async def test_versions_begin_with_one(engine: Engine, version: str) -> None:
    answer = await engine.http.get("/process-definition", params={"version": version})
    refused(answer, 500, "ProcessEngineException", "version is not greater than 0", 0)


@pytest.mark.parametrize("name", ["version", "processDefinitionId", "deploymentId"])
async def test_the_latest_version_of_one_definition_is_no_question(engine: Engine, name: str) -> None:
    answer = await engine.http.get("/process-definition/count", params={"latestVersion": "true", name: "1"})
    refused(answer, 500, "ProcessEngineException", LATEST_ALONE, 0)


async def test_without_tenant_wins_over_tenants(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    both = {"withoutTenantId": True, "tenantIdIn": "some"}
    for path, query in (("/deployment", {"id": scene.deployment}), ("/process-definition", {"key": scene.key})):
        assert await engine.get(f"{path}/count", **query, **both) == {"count": 1}


async def test_a_source_and_none(engine: Engine) -> None:
    answer = await engine.http.get("/deployment", params={"source": "x", "withoutSource": "true"})
    message = 'The query parameters "withoutSource" and "source" cannot be used in combination.'
    refused(answer, 400, "InvalidRequestException", message)


@pytest.mark.parametrize("value", [5.5, 5.0])
async def test_a_priority_is_no_decimal(engine: Engine, world: World, value: float) -> None:
    key = fresh("decimal")
    parts: list[tuple[str, Any]] = [
        ("deployment-name", (None, key)),
        ("data", ("one.bpmn", PRIORITY.format(key=key), "text/xml")),
    ]
    deployed = (await engine.http.post("/deployment/create", files=parts)).json()
    (definition,) = deployed["deployedProcessDefinitions"]
    body = {"variables": {"p": {"value": value, "type": "Double"}}}
    answer = await engine.http.post(f"/process-definition/{definition}/start", json=body)
    reason = ": Priority value must be either Short, Integer, or Long"
    refused(answer, 500, "RestException", f"Cannot instantiate process definition {definition}: {reason}", 0)


async def test_a_blank_text_is_null_where_texts_may_be_dates(engine: Engine, world: World) -> None:
    variables = {"empty": "", "nothing": {"value": None, "type": "String"}}
    scene = await world.scene(1, variables=variables)

    async def found(name: str, operator: str, value: str) -> Any:
        one = {"name": name, "operator": operator, "value": value}
        query = {"processDefinitionKey": scene.key, "variables": [one]}
        return (await engine.http.post("/process-instance/count", json=query)).json()

    assert await found("nothing", "eq", "") == await found("nothing", "eq", " ") == {"count": 1}
    assert await found("empty", "eq", "") == {"count": 0}
    assert (await found("empty", "lteq", ""))["message"] == (
        "Booleans and null cannot be used in 'less than or equal' condition"
    )
    entry = {"variables": [{"name": "empty", "operator": "eq", "value": ""}]}
    nested = await engine.post("/process-instance/count", {"processDefinitionKey": scene.key, "orQueries": [entry]})
    assert nested == {"count": 1}


async def test_an_instance_without_tasks_has_activities(engine: Engine, world: World) -> None:
    deployed = await world.deploy(Drawing(fresh("short"), []))
    (definition,) = deployed.definitions.values()
    instance = await world.start(definition)
    ended = moment((await engine.get(f"/history/process-instance/{instance}"))["endTime"])
    before, after = wire(ended - timedelta(seconds=10)), wire(ended + timedelta(seconds=10))

    async def found(name: str, when: str) -> Any:
        return await engine.post("/history/process-instance/count", {"processInstanceId": instance, name: when})

    assert await found("executedActivityBefore", after) == await found("executedActivityAfter", before) == {"count": 1}
    assert await found("executedActivityBefore", before) == await found("executedActivityAfter", after) == {"count": 0}


async def test_an_empty_list_of_ids_beside_a_query(engine: Engine, world: World) -> None:
    scene, other = await world.scene(1), await world.scene(1)
    only = {"processDefinitionKey": scene.key}
    body = {"suspended": True, "processInstanceIds": [], "processInstanceQuery": only}
    await engine.order("PUT", "/process-instance/suspended", body)
    found = {scene.instances[0]: True, other.instances[0]: False}
    for instance, suspended in found.items():
        assert (await engine.get(f"/process-instance/{instance}"))["suspended"] is suspended


async def test_a_blank_date_in_a_query_string_is_none(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    assert await engine.get("/external-task/count", topicName=scene.topic, lockExpirationBefore=" ") == {"count": 1}


@pytest.mark.parametrize("case", ["case 1", "", None])
async def test_the_case_of_an_instance_is_what_its_start_says(engine: Engine, world: World, case: str | None) -> None:
    scene = await world.scene(1)
    start = f"/process-definition/{scene.definition}/start"
    started = await engine.post(start, {"caseInstanceId": case})
    assert started["caseInstanceId"] == case
    for path in ("/process-instance", "/history/process-instance"):
        assert (await engine.get(f"{path}/{started['id']}"))["caseInstanceId"] == case
        if case:
            query = {"processDefinitionId": scene.definition, "caseInstanceId": case}
            assert ids(await engine.post(path, query)) == [started["id"]]
    answer = await engine.http.post(start, json={"caseInstanceId": "c" * 256})
    assert (answer.status_code, answer.json()["code"]) == (500, 10002)


@pytest.mark.parametrize("name", ["firstResult", "maxResults"])
@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1", True),
        ("+1", True),
        ("01", True),
        ("１", True),
        (" 1 ", False),
        (" 1", False),
        (" ", False),
        ("1_0", False),
    ],
)
async def test_the_numbers_of_a_page_have_nothing_around_them(
    engine: Engine, world: World, name: str, text: str, good: bool
) -> None:
    scene = await world.scene(2)
    answer = await engine.http.get("/external-task", params={"topicName": scene.topic, name: text})
    if good:
        assert len(answer.json()) == 1
    else:
        refused(answer, 404, "QueryParamException", "HTTP 404 Not Found")


async def test_a_spent_job_that_fails_once_more_leaves_its_incident_as_it_is(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks)
    (job,) = await batch.jobs(noRetriesLeft=True)
    before = await engine.get("/history/incident", configuration=job["id"])
    assert (await engine.http.post(f"/job/{job['id']}/execute")).status_code == 404
    assert await engine.get("/history/incident", configuration=job["id"]) == before
    await batch.delete()
