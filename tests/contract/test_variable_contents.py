"""What Bytes and File variables hold, and the variables of one execution."""

from typing import Any

import pytest

from tests.contract.answers import refused
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

CONTENT = b"\x00ab\xff"
IN_BASE64 = "AGFi/w=="


def file(name: str, **info: str) -> dict[str, Any]:
    return {"type": "File", "value": IN_BASE64, "valueInfo": {"filename": name, **info}}


async def waiting(world: World, variables: dict[str, Any], local: dict[str, Any] | None = None) -> tuple[str, str]:
    """An instance with such variables, and the execution of its task with local ones."""
    scene = await world.scene(1, variables=variables)
    task = await world.task(scene.tasks[0])
    if local:
        await world.lock(task["id"], "worker")
        body = {"workerId": "worker", "retries": 1, "localVariables": local}
        await world.engine.order("POST", f"/external-task/{task['id']}/failure", body)
    return scene.instances[0], task["executionId"]


@pytest.mark.parametrize(
    ("info", "media"),
    [
        ({}, "application/octet-stream"),
        ({"mimeType": "image/png"}, "image/png"),
        ({"mimeType": "application/json"}, "application/json"),
        ({"mimeType": "text/plain", "encoding": "utf-8"}, "text/plain;charset=utf-8"),
        ({"mimeType": "text/plain"}, "text/plain"),
        ({"encoding": "utf-8"}, "application/octet-stream;charset=utf-8"),
        ({"mimeType": " TEXT/Plain; a=b; charset=latin1;", "encoding": "utf-8"}, "TEXT/Plain;a=b;charset=utf-8"),
        ({"mimeType": 'text/plain;a="b c"', "encoding": ""}, 'text/plain;a="b c"'),
    ],
)
async def test_a_file_comes_as_what_it_is(engine: Engine, world: World, info: dict[str, str], media: str) -> None:
    instance, _ = await waiting(world, {"paper": file("a.txt", **info)})
    answer = await engine.http.get(f"/process-instance/{instance}/variables/paper/data")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == media
    assert answer.headers["content-disposition"] == "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ('ä "b";\\c.txt', 'filename="ä "b";\\c.txt"; filename*=UTF-8\'\'%C3%A4%20%22b%22%3B%5Cc.txt'),
        ("a\r\nX: y", "filename=\"a  X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("(*~'!-_.)", "filename=\"(*~'!-_.)\"; filename*=UTF-8''%28*%7E%27%21-_.%29"),
    ],
)
async def test_a_file_is_told_by_its_name(engine: Engine, world: World, name: str, disposition: str) -> None:
    instance, _ = await waiting(world, {"paper": file(name)})
    answer = await engine.http.get(f"/process-instance/{instance}/variables/paper/data")
    given = next(value for key, value in answer.headers.raw if key.lower() == b"content-disposition")
    assert given.decode("latin-1") == f"attachment; {disposition}"


async def test_a_name_in_other_letters(engine: Engine, world: World) -> None:
    instance, _ = await waiting(world, {"paper": file("日本.txt")})
    answer = await engine.http.get(f"/process-instance/{instance}/variables/paper/data")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    if engine.is_reference:  # its servlet container drops a header that is not in Latin letters
        assert "content-disposition" not in answer.headers
    else:
        encoded = "%E6%97%A5%E6%9C%AC.txt"
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{encoded}"


@pytest.mark.parametrize(
    ("info", "written"),
    [
        ({"mimeType": "nonsense"}, "nonsense"),
        ({"mimeType": "a/b/c"}, "a/b/c"),
        ({"mimeType": "text/plain\r\nX: y"}, "text/plain\r\nX: y"),
        ({"mimeType": "text/plain", "encoding": "ü"}, "text/plain; charset=ü"),
        ({"mimeType": "text/plain;charset"}, "text/plain;charset"),
    ],
)
async def test_a_file_of_no_type(engine: Engine, world: World, info: dict[str, str], written: str) -> None:
    instance, _ = await waiting(world, {"paper": file("a.txt", **info)})
    answer = await engine.http.get(f"/process-instance/{instance}/variables/paper/data")
    refused(answer, 500, "IllegalArgumentException", f"Error parsing media type '{written}'")


@pytest.mark.parametrize(("value", "content"), [(IN_BASE64, CONTENT), ("", b""), (None, b"")])
async def test_bytes(engine: Engine, world: World, value: str | None, content: bytes) -> None:
    instance, _ = await waiting(world, {"raw": {"type": "Bytes", "value": value}})
    for path in (f"/process-instance/{instance}/variables/raw/data", f"/execution/{instance}/localVariables/raw/data"):
        answer = await engine.http.get(path, headers={"Accept": "application/json"})  # nobody looks at that
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "content-disposition" not in answer.headers


@pytest.mark.parametrize("value", ["text", 5, None, [1], {"value": "2026-03-01T09:15:00.000+0000", "type": "Date"}])
async def test_other_variables_have_no_content(engine: Engine, world: World, value: Any) -> None:
    variable = value if isinstance(value, dict) else {"value": value}
    instance, _ = await waiting(world, {"plain": variable})
    answer = await engine.http.get(f"/process-instance/{instance}/variables/plain/data")
    message = f"Value of variable with id {instance} is not a binary value."
    refused(answer, 400, "InvalidRequestException", message)


async def test_variables_of_one_execution(engine: Engine, world: World) -> None:
    local = {"paper": file("own.txt"), "word": {"value": "mine"}}
    instance, execution = await waiting(world, {"paper": file("all.txt"), "sum": {"value": 5}}, local)
    here = f"/execution/{execution}/localVariables"
    own = {"type": "File", "value": None, "valueInfo": {"filename": "own.txt"}}
    word = {"type": "String", "value": "mine", "valueInfo": {}}
    assert await engine.get(here) == {"paper": own, "word": word}
    assert await engine.get(f"{here}/paper") == own
    answer = await engine.http.get(f"{here}/paper/data")
    assert answer.content == CONTENT
    assert 'filename="own.txt"' in answer.headers["content-disposition"]
    message = f"Value of variable with id {execution} is not a binary value."
    refused(await engine.http.get(f"{here}/word/data"), 400, "InvalidRequestException", message)
    of_instance = await engine.get(f"/execution/{instance}/localVariables")
    assert of_instance == await engine.get(f"/process-instance/{instance}/variables")
    assert of_instance["sum"] == {"type": "Integer", "value": 5, "valueInfo": {}}


@pytest.mark.parametrize("part", ["", "/data"])
async def test_a_variable_that_is_not_there(engine: Engine, world: World, part: str) -> None:
    instance, execution = await waiting(world, {"sum": {"value": 5}})
    for path, name, word in (
        (f"/process-instance/{instance}/variables", "none", "process instance"),
        (f"/execution/{instance}/localVariables", "none", "execution"),
        (f"/execution/{execution}/localVariables", "sum", "execution"),
    ):
        answer = await engine.http.get(f"{path}/{name}{part}")
        refused(answer, 404, "InvalidRequestException", f"{word} variable with name {name} does not exist")


async def test_variables_of_what_is_not_running(engine: Engine, world: World) -> None:
    ended, execution = await waiting(world, {"paper": file("a.txt")}, {"paper": file("b.txt")})
    await world.cancel(ended)
    for holder in (fresh("none"), ended, execution):
        reason = f"execution {holder} doesn't exist: execution is null"
        refused(await engine.http.get(f"/execution/{holder}/localVariables"), 500, "NullValueException", reason, 0)
        for part in ("", "/data"):
            answer = await engine.http.get(f"/execution/{holder}/localVariables/paper{part}")
            refused(answer, 500, "RestException", f"Cannot get execution variable paper: {reason}", 0)
            answer = await engine.http.get(f"/process-instance/{holder}/variables/paper{part}")
            refused(answer, 500, "RestException", f"Cannot get process instance variable paper: {reason}", 0)
