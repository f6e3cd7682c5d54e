"""``POST /external-task/retries-async``: what is refused, in which words, and which refusal comes first."""

from typing import Any

import httpx
import pytest

from tests.contract.answers import malformed, refused, unreadable
from tests.contract.batches import Outcome, launch, unknown_task
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

PATH = "/external-task/retries-async"
NO_RETRIES = "The number of retries cannot be null."
NOTHING = "externalTaskIds is empty"
NULL_ID = "External task id cannot be null: externalTaskIds contains null value"
NEGATIVE = "The number of retries cannot be negative: retries is not greater than or equal to 0"
NULL_INSTANCE = "processInstanceIdIn contains null value"
EMPTY_SET = "Set of process instance ids is empty"
UNKNOWN_KEY = (
    "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null"
)


async def ask(engine: Engine, body: Any) -> httpx.Response:
    return await engine.http.post(PATH, json=body)


async def test_malformed_json(engine: Engine) -> None:
    response = await engine.http.post(PATH, content='{"retries":', headers={"content-type": "application/json"})
    malformed(response, engine)


@pytest.mark.parametrize(
    "body",
    [
        {"retries": "many"},
        {"retries": True},
        {"retries": 2**31},
        {"retries": [1]},
        {"retries": "5.0"},
        {"externalTaskIds": "one"},
        {"externalTaskIds": {"a": 1}},
        {"processInstanceIds": "one"},
        {"externalTaskQuery": []},
        {"externalTaskQuery": {"topicName": ["a"]}},
        {"externalTaskQuery": {"lockExpirationBefore": "2026-03-01"}},
        {"processInstanceQuery": "x"},
        {"historicProcessInstanceQuery": {"startedBefore": "yesterday"}},
    ],
    ids=str,
)
async def test_values_of_the_wrong_kind(engine: Engine, body: dict[str, Any]) -> None:
    unreadable(await ask(engine, {"retries": 1, "externalTaskIds": [fresh("nothing")], **body}), engine)


async def test_wrong_media_type(engine: Engine) -> None:
    response = await engine.http.post(PATH, content="retries=1", headers={"content-type": "text/plain"})
    refused(response, 415, "NotSupportedException", "HTTP 415 Unsupported Media Type")


@pytest.mark.parametrize("body", [{}, {"retries": None}, {"retries": ""}], ids=str)
async def test_retries_are_required(engine: Engine, body: dict[str, Any]) -> None:
    refused(await ask(engine, body), 400, "InvalidRequestException", NO_RETRIES)


async def test_an_empty_body_is_an_empty_object(engine: Engine) -> None:
    response = await engine.http.post(PATH, headers={"content-type": "application/json"})
    refused(response, 400, "InvalidRequestException", NO_RETRIES)


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"externalTaskIds": []},
        {"processInstanceIds": []},
        {"externalTaskIds": None, "processInstanceIds": None, "externalTaskQuery": None},
        {"externalTaskQuery": {"topicName": "nobody-waits-here"}},
        {"processInstanceQuery": {"processDefinitionKey": "nobody-runs-this"}},
        {"historicProcessInstanceQuery": {"processDefinitionKey": "nobody-ran-this"}},
        {"processInstanceIds": ["no-such-instance"]},
    ],
    ids=str,
)
async def test_nothing_collected(engine: Engine, sources: dict[str, Any]) -> None:
    refused(await ask(engine, {"retries": 1, **sources}), 400, "InvalidRequestException", NOTHING)


async def test_instances_without_tasks(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.complete(scene.tasks[0])
    body = {"retries": 1, "historicProcessInstanceQuery": {"processDefinitionKey": scene.key}}
    refused(await ask(engine, body), 400, "InvalidRequestException", NOTHING)


@pytest.mark.parametrize("ids", [[None], ["some", None]], ids=str)
async def test_null_among_the_task_ids(engine: Engine, ids: list[str | None]) -> None:
    refused(await ask(engine, {"retries": 1, "externalTaskIds": ids}), 400, "InvalidRequestException", NULL_ID)


async def test_null_among_the_instance_ids(engine: Engine) -> None:
    response = await ask(engine, {"retries": 1, "processInstanceIds": ["some", None]})
    refused(response, 500, "NullValueException", NULL_INSTANCE, 0)


@pytest.mark.parametrize("field", ["processInstanceQuery", "historicProcessInstanceQuery"])
async def test_an_empty_set_of_instance_ids_in_a_query(engine: Engine, field: str) -> None:
    response = await ask(engine, {"retries": 1, field: {"processInstanceIds": []}})
    refused(response, 500, "ProcessEngineException", EMPTY_SET, 0)


@pytest.mark.parametrize("field", ["externalTaskQuery", "processInstanceQuery", "historicProcessInstanceQuery"])
async def test_an_unknown_sort_key_in_a_query(engine: Engine, field: str) -> None:
    body = {"retries": 1, field: {"sorting": [{"sortBy": "nonsense", "sortOrder": "asc"}]}}
    refused(await ask(engine, body), 400, "NotValidException", UNKNOWN_KEY, 0)


@pytest.mark.parametrize(
    ("body", "status", "type_", "message", "code"),
    [
        # queries before retries
        ({"processInstanceQuery": {"processInstanceIds": []}}, 500, "ProcessEngineException", EMPTY_SET, 0),
        # the first query before the others
        (
            {
                "externalTaskQuery": {"sorting": [{"sortBy": "nonsense", "sortOrder": "asc"}]},
                "processInstanceQuery": {"processInstanceIds": []},
            },
            400,
            "NotValidException",
            UNKNOWN_KEY,
            0,
        ),
        # retries before ids
        ({"externalTaskIds": [None]}, 400, "InvalidRequestException", NO_RETRIES, None),
        ({"processInstanceIds": [None]}, 400, "InvalidRequestException", NO_RETRIES, None),
        # task ids before instance ids
        (
            {"retries": 1, "externalTaskIds": [None], "processInstanceIds": [None]},
            400,
            "InvalidRequestException",
            NULL_ID,
            None,
        ),
        # ids before "nothing"
        (
            {"retries": 1, "externalTaskIds": [], "processInstanceIds": [None]},
            500,
            "NullValueException",
            NULL_INSTANCE,
            0,
        ),
    ],
    ids=["query-retries", "query-query", "retries-task", "retries-instance", "task-instance", "instance-nothing"],
)
async def test_which_refusal_comes_first(
    engine: Engine, body: dict[str, Any], status: int, type_: str, message: str, code: int | None
) -> None:
    refused(await ask(engine, body), status, type_, message, code)


async def test_negative_retries(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    if engine.is_reference:
        # The documentation promises 400, which the store gives. The engine accepts, and each job fails.
        batch = await launch(engine, -1, scene.tasks)
        assert await batch.settled() == Outcome(jobs=2, failed=2)
        assert {job["exceptionMessage"] for job in await batch.jobs()} == {NEGATIVE}
    else:
        before = await engine.get("/history/batch/count")
        response = await ask(engine, {"retries": -1, "externalTaskIds": scene.tasks})
        refused(response, 400, "InvalidRequestException", NEGATIVE)
        assert await engine.get("/history/batch/count") == before
    assert await world.retries(scene.tasks) == [None, None]


async def test_a_refusal_stores_nothing(engine: Engine) -> None:
    body = {"retries": 1, "externalTaskQuery": {"topicName": fresh("none")}}
    before = await engine.get("/history/batch/count")
    refused(await ask(engine, body), 400, "InvalidRequestException", NOTHING)
    assert await engine.get("/history/batch/count") == before


async def test_unknown_ids_are_accepted_and_their_jobs_fail(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    nowhere = fresh("nothing")
    batch = await launch(engine, 2, [scene.tasks[0], nowhere, *scene.tasks[1:]])
    assert batch.answer["totalJobs"] == 4
    assert await batch.settled() == Outcome(jobs=4, failed=1)
    assert await world.retries(scene.tasks) == [2, 2, 2]
    (job,) = await batch.jobs()
    assert (job["retries"], job["exceptionMessage"]) == (0, unknown_task(nowhere))
    (incident,) = await engine.get("/incident", jobDefinitionIdIn=batch.work)
    assert (incident["configuration"], incident["incidentType"]) == (job["id"], "failedJob")
    await batch.delete()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods(engine: Engine, method: str) -> None:
    response = await engine.http.request(method, PATH)
    refused(response, 405, "NotAllowedException", "HTTP 405 Method Not Allowed")
