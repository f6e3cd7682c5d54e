"""What holds for every endpoint: bodies, coercions, query strings, dates, paths and methods."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.contract.answers import malformed, moment, refused, unreadable, wire
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

TASKS = "/external-task"
LISTS = ["/external-task", "/process-instance", "/history/process-instance", "/job", "/job-definition"]
GET_LISTS = [*LISTS, "/incident", "/batch", "/batch/statistics", "/history/batch"]
JSON = {"content-type": "application/json"}


async def test_version(engine: Engine) -> None:
    version = await engine.get("/version")
    assert set(version) == {"version"}
    assert version["version"] == "7.24.0"


async def test_engines(engine: Engine) -> None:
    assert await engine.get("/engine") == [{"name": "default"}]


async def test_the_engine_by_name(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    named = "/engine/default"
    assert await engine.get(f"{named}{TASKS}/{scene.tasks[0]}") == await world.task(scene.tasks[0])
    assert await engine.post(f"{named}{TASKS}/count", {"topicName": scene.topic}) == {"count": 1}


async def test_an_unknown_engine(engine: Engine) -> None:
    response = await engine.http.get(f"/engine/{fresh('none')}{TASKS}/count")
    refused(response, 400, "InvalidRequestException", "No process engine available")


@pytest.mark.parametrize("path", ["/nothing", "/external-task/some/nothing", "/batch/some/other/thing"])
async def test_unknown_paths(engine: Engine, path: str) -> None:
    refused(await engine.http.get(path), 404, "NotFoundException", "HTTP 404 Not Found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/external-task"),
        ("PATCH", "/external-task"),
        ("DELETE", "/external-task/some"),
        ("POST", "/batch"),
        ("POST", "/version"),
        ("PUT", "/job"),
        ("POST", "/incident/count"),
    ],
)
async def test_wrong_methods(engine: Engine, method: str, path: str) -> None:
    response = await engine.http.request(method, path)
    refused(response, 405, "NotAllowedException", "HTTP 405 Method Not Allowed")


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_body_is_an_empty_query(engine: Engine, world: World, path: str) -> None:
    await world.scene(1)
    response = await engine.http.post(f"{path}/count", headers=JSON)
    assert response.status_code == 200
    assert response.json() == (await engine.get(f"{path}/count"))


@pytest.mark.parametrize("path", LISTS)
async def test_unknown_names_are_ignored(engine: Engine, path: str) -> None:
    count = await engine.get(f"{path}/count")
    assert await engine.get(f"{path}/count", nonsense="x") == count
    assert await engine.post(f"{path}/count", {"nonsense": {"a": [1]}}) == count


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("content", ['{"sorting":', "{'a': 1}", "{} {}", "NaN", '{"tenantIdIn": NaN}'])
async def test_malformed_json(engine: Engine, path: str, content: str) -> None:
    response = await engine.http.post(path, content=content, headers=JSON)
    malformed(response, engine)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("content", ["[]", '"text"', "1", "true"])
async def test_a_body_that_is_no_object(engine: Engine, path: str, content: str) -> None:
    unreadable(await engine.http.post(path, content=content, headers=JSON), engine)


@pytest.mark.parametrize("path", LISTS)
async def test_wrong_media_type(engine: Engine, path: str) -> None:
    response = await engine.http.post(path, content="{}", headers={"content-type": "text/plain"})
    refused(response, 415, "NotSupportedException", "HTTP 415 Unsupported Media Type")


async def test_a_media_type_with_a_charset(engine: Engine) -> None:
    headers = {"content-type": "application/json; charset=UTF-8"}
    response = await engine.http.post(f"{TASKS}/count", content='{"topicName":"ä"}', headers=headers)
    assert (response.status_code, response.json()) == (200, {"count": 0})


async def test_answers_are_not_kept(engine: Engine) -> None:
    response = await engine.http.get(f"{TASKS}/count")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["content-type"] == "application/json"


COERCED: list[tuple[str, Any, Any]] = [
    ("locked", "true", True),
    ("locked", "false", False),
    ("locked", 1, True),
    ("locked", 7, True),
    ("locked", 0, False),
    ("locked", "", None),
    ("locked", None, None),
    ("priorityHigherThanOrEquals", "5", 5),
    ("priorityHigherThanOrEquals", " 5 ", 5),
    ("priorityHigherThanOrEquals", 5.9, 5),
    ("priorityHigherThanOrEquals", "", None),
    ("priorityHigherThanOrEquals", 2**40, 2**40),
    ("activityId", 5, "5"),
    ("activityId", True, "true"),
    ("activityIdIn", [5, "a"], ["5", "a"]),
]


@pytest.mark.parametrize(("name", "value", "meaning"), COERCED, ids=str)
async def test_values_are_read_leniently(engine: Engine, world: World, name: str, value: Any, meaning: Any) -> None:
    scene = await world.scene(3, priority=5)
    await world.lock(scene.tasks[0], "worker")
    await engine.order("PUT", f"{TASKS}/{scene.tasks[1]}/priority", {"priority": 4})
    base = {"topicName": scene.topic}
    assert await engine.post(TASKS, {**base, name: value}) == await engine.post(TASKS, {**base, name: meaning})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("locked", "yes"),
        ("locked", "1"),
        ("locked", 1.5),
        ("locked", []),
        ("priorityHigherThanOrEquals", "5.0"),
        ("priorityHigherThanOrEquals", "abc"),
        ("priorityHigherThanOrEquals", True),
        ("priorityHigherThanOrEquals", 2**63),
        ("activityId", ["a"]),
        ("activityId", {}),
        ("activityIdIn", "a"),
        ("activityIdIn", {"a": 1}),
        ("lockExpirationBefore", "soon"),
        ("lockExpirationBefore", "1700000000000"),
        ("lockExpirationBefore", True),
        ("sorting", "id"),
        ("processVariables", "a_eq_5"),
    ],
    ids=str,
)
async def test_values_of_the_wrong_kind(engine: Engine, name: str, value: Any) -> None:
    unreadable(await engine.http.post(TASKS, json={name: value}), engine)


async def test_the_last_of_repeated_keys_counts(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    content = f'{{"topicName": "none", "topicName": "{scene.topic}"}}'
    response = await engine.http.post(f"{TASKS}/count", content=content, headers=JSON)
    assert response.json() == {"count": 1}


async def test_the_first_of_repeated_parameters_counts(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    response = await engine.http.get(f"{TASKS}/count", params=[("topicName", scene.topic), ("topicName", "none")])
    assert response.json() == {"count": 1}


@pytest.mark.parametrize(("text", "count"), [("true", 1), ("1", 1), (" true", 1), ("false", 2), ("0", 2)])
async def test_flags_in_a_query_string(engine: Engine, world: World, text: str, count: int) -> None:
    scene = await world.scene(2)
    await world.lock(scene.tasks[0], "worker")
    assert await engine.get(f"{TASKS}/count", topicName=scene.topic, locked=text) == {"count": count}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("locked", "TRUE", "java.lang.Boolean"),
        ("locked", "", "java.lang.Boolean"),
        ("locked", "yes", "java.lang.Boolean"),
        ("priorityHigherThanOrEquals", "x", "java.lang.Long"),
        ("priorityHigherThanOrEquals", "", "java.lang.Long"),
        ("priorityLowerThanOrEquals", "9" * 20, "java.lang.Long"),
    ],
)
async def test_bad_values_in_a_query_string(engine: Engine, name: str, value: str, kind: str) -> None:
    message = (
        f"Cannot set query parameter '{name}' to value '{value}': Cannot convert value {value} to java type {kind}"
    )
    for path in (TASKS, f"{TASKS}/count"):
        refused(await engine.http.get(path, params={name: value}), 400, "InvalidRequestException", message)


@pytest.mark.parametrize("value", ["2026-03-01", "yesterday", "1700000000000", "2026-03-01T09:15:00.000 0100"])
async def test_bad_dates_in_a_query_string(engine: Engine, value: str) -> None:
    message = (
        f"Cannot set query parameter 'lockExpirationBefore' to value '{value}': "
        f'Cannot convert value "{value}" to java type java.util.Date'
    )
    response = await engine.http.get(TASKS, params={"lockExpirationBefore": value})
    refused(response, 400, "InvalidRequestException", message)


async def test_dates_in_any_zone(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    expires = moment((await world.task(scene.tasks[0]))["lockExpirationTime"])
    for hours in (-5, 0, 14):
        zone = timezone(timedelta(hours=hours))
        for shift, count in ((0, 0), (1, 1)):
            when = (expires + timedelta(milliseconds=shift)).astimezone(zone)
            query = {"topicName": scene.topic, "lockExpirationBefore": wire(when)}
            assert await engine.get(f"{TASKS}/count", **query) == {"count": count}
            assert await engine.post(f"{TASKS}/count", query) == {"count": count}


async def test_a_date_in_milliseconds(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    expires = moment((await world.task(scene.tasks[0]))["lockExpirationTime"])
    millis = (expires - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    for shift, count in ((0, 0), (1, 1)):
        query = {"topicName": scene.topic, "lockExpirationBefore": millis + shift}
        assert await engine.post(f"{TASKS}/count", query) == {"count": count}


FIRST_AND_LAST = [
    ("0026-03-01T00:00:00.000+0000", "9999-12-31T23:59:59.999+0000"),
    ("0001-01-01T00:00:00.000+1400", "9999-12-31T23:59:59.999-1400"),
    ("0000-01-01T00:00:00.000+0000", "9999-99-99T99:99:99.999+0000"),
]


@pytest.mark.parametrize(("early", "late"), FIRST_AND_LAST)
async def test_dates_at_the_ends_of_the_calendar(engine: Engine, world: World, early: str, late: str) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    for name, counts in (("lockExpirationBefore", (0, 1)), ("lockExpirationAfter", (1, 0))):
        for date, count in zip((early, late), counts, strict=True):
            query = {"topicName": scene.topic, name: date}
            assert await engine.get(f"{TASKS}/count", **query) == {"count": count}
            assert await engine.post(f"{TASKS}/count", query) == {"count": count}


@pytest.mark.parametrize("size", [10**15, 2**63 - 1])
async def test_milliseconds_beyond_the_calendar(engine: Engine, world: World, size: int) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    for name, counts in (("lockExpirationBefore", (0, 1)), ("lockExpirationAfter", (1, 0))):
        for date, count in zip((-size, size), counts, strict=True):
            assert await engine.post(f"{TASKS}/count", {"topicName": scene.topic, name: date}) == {"count": count}


@pytest.mark.parametrize("size", [2**63, -(2**63) - 1])
async def test_milliseconds_beyond_64_bits(engine: Engine, size: int) -> None:
    unreadable(await engine.http.post(TASKS, json={"lockExpirationBefore": size}), engine)


async def test_an_empty_date_is_none(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    query = {"topicName": scene.topic, "lockExpirationBefore": ""}
    assert await engine.post(f"{TASKS}/count", query) == {"count": 1}
    assert await engine.get(f"{TASKS}/count", **query) == {"count": 1}


@pytest.mark.parametrize("path", GET_LISTS)
@pytest.mark.parametrize("name", ["firstResult", "maxResults"])
@pytest.mark.parametrize("value", ["x", "1.5", str(2**31)])
async def test_bad_pages(engine: Engine, path: str, name: str, value: str) -> None:
    refused(await engine.http.get(path, params={name: value}), 404, "QueryParamException", "HTTP 404 Not Found")


async def test_pages_are_not_asked_for_in_a_body(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    query = {"topicName": scene.topic, "maxResults": 1, "firstResult": 2}
    assert len(await engine.post(TASKS, query)) == 3
    assert len(await engine.post(TASKS, {"topicName": scene.topic}, maxResults=1)) == 1


async def test_an_empty_page_parameter_is_none(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    assert len(await engine.get(TASKS, topicName=scene.topic, maxResults="", firstResult="")) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [("activityIdIn", "activityIdIn"), ("tenantIdIn", "tenantIds"), ("processInstanceIdIn", "processInstanceIdIn")],
)
async def test_null_in_a_list(engine: Engine, name: str, words: str) -> None:
    response = await engine.http.post(TASKS, json={name: ["a", None]})
    refused(response, 500, "NullValueException", f"{words} contains null value", 0)


async def test_null_among_ids_matches_nothing(engine: Engine) -> None:
    assert await engine.post(TASKS, {"externalTaskIdIn": [None]}) == []


async def test_who_serves_the_contract(engine: Engine) -> None:
    """The one place where an engine names its product."""
    product = (await engine.get("/telemetry/data"))["product"]
    assert product["name"] == ("Camunda BPM Runtime" if engine.is_reference else "Retriage")
    assert product["version"].startswith("7.")
