"""What stands in the head of a request: its method, its path, and the media types that it sends and accepts."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.contract.answers import refused
from tests.contract.engine import Engine

JSON = "application/json"
COUNT = "/external-task/count"


def not_acceptable(response: httpx.Response) -> None:
    refused(response, 406, "NotAcceptableException", "HTTP 406 Not Acceptable")


@pytest.mark.parametrize(
    "accept", ["text/plain", "text/html", "application/xml", "application/hal+json", "TEXT/*", "x", "text/html, a/*"]
)
async def test_what_accepts_no_json(engine: Engine, accept: str) -> None:
    for path in (COUNT, "/version", "/engine", "/process-instance/nope"):
        not_acceptable(await engine.http.get(path, headers={"Accept": accept}))
    body = {"active": "neither"}
    not_acceptable(await engine.http.post(COUNT, json=body, headers={"Accept": accept}))


@pytest.mark.parametrize(
    "accept",
    [
        JSON,
        "*/*",
        "application/*",
        "APPLICATION/JSON",
        f"{JSON};q=0.1",
        f"image/png, {JSON}",
        "text/html, */*;q=0.1",
        "",
    ],
)
async def test_what_accepts_json(engine: Engine, accept: str) -> None:
    response = await engine.http.get(COUNT, headers={"Accept": accept})
    assert response.status_code == 200


async def test_texts_and_silence_are_accepted_otherwise(engine: Engine) -> None:
    path = "/external-task/nope/errorDetails"
    not_acceptable(await engine.http.get(path, headers={"Accept": JSON}))
    assert (await engine.http.get(path, headers={"Accept": "text/plain"})).status_code == 500
    suspended = {"suspended": True, "processDefinitionKey": "nope"}
    silent = await engine.http.put("/process-instance/suspended", json=suspended, headers={"Accept": "text/html"})
    assert silent.status_code == 204
    assert (await engine.http.get("/nope", headers={"Accept": "text/html"})).status_code == 404


@pytest.mark.parametrize("content", [b'{"active":true}', b""])
@pytest.mark.parametrize("media", ["text/plain", "application/hal+json", "text/json", "*/*", "multipart/form-data"])
async def test_bodies_of_other_media_types(engine: Engine, media: str, content: bytes) -> None:
    response = await engine.http.post(COUNT, content=content, headers={"Content-Type": media})
    refused(response, 415, "NotSupportedException", "HTTP 415 Unsupported Media Type")


@pytest.mark.parametrize("content", [b'{"active":true}', b" "])
async def test_a_body_says_what_it_is(engine: Engine, content: bytes) -> None:
    response = await engine.http.post(COUNT, content=content)
    refused(response, 415, "NotSupportedException", "HTTP 415 Unsupported Media Type")


@pytest.mark.parametrize("media", [JSON, "APPLICATION/JSON", f"{JSON};charset=utf-8", f"{JSON}; charset=UTF-8"])
async def test_json_in_other_words(engine: Engine, media: str) -> None:
    for content in (b'{"active":true}', b""):
        response = await engine.http.post(COUNT, content=content, headers={"Content-Type": media})
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (COUNT, 200),
        ("/version", 200),
        ("/process-instance/nope", 404),
        ("/nope", 404),
        ("/deployment/create", 405),
        ("/external-task/retries", 405),
    ],
)
async def test_head_is_get_without_its_body(engine: Engine, path: str, status: int) -> None:
    response = await engine.http.head(path)
    assert (response.status_code, response.content, response.headers["content-type"]) == (status, b"", JSON)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/external-task", {"GET", "POST"}),
        ("/external-task/", {"GET", "POST"}),
        ("/external-task/retries-async", {"POST"}),
        ("/external-task/nope", {"GET"}),
        ("/process-instance/nope/variables/none", {"GET", "PUT", "DELETE"}),
        ("/version", {"GET"}),
        ("/engine/default/external-task", {"GET", "POST"}),
        ("/engine/foo/external-task", {"GET", "POST"}),
        ("/engine/foo/version", {"GET"}),
        ("/nope", set()),
        ("/engine/foo/nope", set()),
        ("/engine/default/nope", set()),
    ],
)
async def test_options(engine: Engine, path: str, methods: set[str]) -> None:
    response = await engine.http.options(path, headers={"Accept": "text/plain"})
    if not methods:
        refused(response, 404, "NotFoundException", "HTTP 404 Not Found")
        return
    said = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    assert set(response.text.split(", ")) == said
    assert set(response.headers["allow"].replace(" ", "").split(",")) == said


async def test_a_slash_at_the_end(engine: Engine) -> None:
    for path in (COUNT, "/engine", "/version", "/process-instance"):
        response = await engine.http.get(f"{path}/", params={"maxResults": 0})
        assert (response.status_code, response.is_redirect) == (200, False), path
    refused(
        await engine.http.get("/process-instance/nope/"),
        404,
        "InvalidRequestException",
        "Process instance with id nope does not exist",
    )


@pytest.mark.parametrize("part", ["a%2Fb", "a%2fvariables", "..%2fversion", "a%00", "%FF"])
async def test_parts_that_can_not_be_read(engine: Engine, part: str) -> None:
    url = f"{str(engine.http.base_url).rstrip('/')}/process-instance/{part}"
    assert (await engine.http.get(url)).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/engine/foo", 404),
        ("GET", "/engine/default", 404),
        ("DELETE", "/engine/foo", 404),
        ("GET", "/engine/foo/", 404),
        ("GET", "/engine/foo/nope", 404),
        ("GET", "/engine/foo/a/b/c", 404),
        ("GET", "/engine/default/nope", 404),
        ("GET", "/engine/foo/external-task", 400),
        ("GET", "/engine/foo/process-instance/x", 400),
        ("PATCH", "/engine/foo/external-task", 405),
        ("GET", "/engine/foo/version", 200),
        ("POST", "/engine/foo/version", 405),
        ("GET", "/engine/foo/telemetry/data", 400),
    ],
)
async def test_other_engines(engine: Engine, method: str, path: str, status: int) -> None:
    response = await engine.http.request(method, path)
    assert (response.status_code, response.is_redirect) == (status, False)
    if status == 400:
        refused(response, 400, "InvalidRequestException", "No process engine available")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
async def test_json_in_other_encodings(engine: Engine, encoding: str) -> None:
    content = '{"topicName":"ä"}'.encode(encoding)
    response = await engine.http.post(COUNT, content=content, headers={"Content-Type": JSON})
    assert (response.status_code, response.json()) == (200, {"count": 0})


@pytest.mark.parametrize("ids", [[None], ["x", None]])
async def test_a_null_among_the_ids_to_suspend(engine: Engine, ids: list[str | None]) -> None:
    body = {"suspended": True, "processInstanceIds": ids}
    response = await engine.http.put("/process-instance/suspended", json=body)
    sentence = "Cannot be null.: Process Instance ids contains null value"
    refused(response, 400, "BadUserRequestException", sentence, 0)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "an entry of a list": (COUNT, {"processVariables": [5]}, "property 'processVariables.0': an object is needed"),
    "a list": (COUNT, {"processVariables": "x"}, "property 'processVariables': a list is needed"),
    "deeper": (COUNT, {"processVariables": [{"name": ["x"]}]}, "'processVariables.0.name': a list is not a string"),
    "an object": ("/external-task/nope/complete", {"variables": [1]}, "property 'variables': an object is needed"),
}


@pytest.mark.parametrize(("path", "body", "sentence"), WRONG.values(), ids=WRONG)
async def test_the_refusal_names_the_property(engine: Engine, path: str, body: dict[str, Any], sentence: str) -> None:
    response = await engine.http.post(path, json=body)
    assert response.status_code == 400
    if not engine.is_reference:  # the library's own words, as plain text
        assert sentence in response.json()["message"]


IDLE_SECONDS = 7
"""A pause between two requests, longer than many servers allow and shorter than the engine does."""


async def test_an_idle_connection_stays_open(engine: Engine) -> None:
    root = engine.http.base_url
    if root.port is None:
        pytest.skip("no connection: the engine runs in this process")
    reader, writer = await asyncio.open_connection(root.host, root.port)
    try:
        for pause in (IDLE_SECONDS, 0):
            writer.write(f"GET {root.path}version HTTP/1.1\r\nHost: {root.host}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert head.startswith("http/1.1 200")
            length = head.partition("content-length:")[2].partition("\r\n")[0]
            await (reader.readexactly(int(length)) if length else reader.readuntil(b"\r\n0\r\n\r\n"))
            await asyncio.sleep(pause)
    finally:
        writer.close()
