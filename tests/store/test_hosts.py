"""Which names a server answers to, and whose pages may give it orders."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from retriage.store.api.hosts import AllowedHosts
from retriage.store.embedded import embedded_app

ROOT = "http://127.0.0.1:8080/engine-rest"
ORDER = "/process-definition/key/none/start"
"""An order that is answered by 404 when it is let through: there is no such definition."""

Log = pytest.LogCaptureFixture


@pytest.fixture
async def http(tmp_path: object) -> AsyncIterator[httpx.AsyncClient]:
    """A server as ``serve --host bpm.internal --allow-host bpm.example`` makes it."""
    app = embedded_app(f"{tmp_path}/store.db")
    app.add_middleware(AllowedHosts, names=["bpm.internal"], proxied=["bpm.example"])
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=ROOT) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost", "LOCALHOST.:8080", "[::1]:8080", "bpm.internal", "bpm.example", "Bpm.Example:443"],
)
async def test_own_names_are_answered(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/version", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "localhost:x",
        "evil.example/localhost",
        "",
        "2130706433",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_foreign_names_are_refused(http: httpx.AsyncClient, caplog: Log, host: str, method: str) -> None:
    response = await http.request(method, "/version", headers={"Host": host})
    assert response.status_code == 403
    body = response.json()
    assert set(body) == {"type", "message", "code"}
    assert "does not answer to the name" in body["message"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert body["message"] in caplog.text


async def test_a_hostile_name_is_shown_inert_and_short(http: httpx.AsyncClient, caplog: Log) -> None:
    response = await http.get("/version", headers={"Host": b"\xff\x9b31m" + b"x" * 5000})
    assert response.status_code == 403
    assert caplog.text.isascii()
    assert len(caplog.text) < 1000


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},  # another server of this machine
        {"Origin": "https://127.0.0.1:8443"},
        {"Origin": "http://127.0.0.1:x"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "Cross-Site"},
    ],
    ids=str,
)
async def test_pages_of_others_give_no_orders(http: httpx.AsyncClient, caplog: Log, headers: dict[str, str]) -> None:
    files = {"x.bpmn": ("x.bpmn", b"<definitions/>")}
    for response in (
        await http.post(ORDER, headers=headers),
        await http.post("/deployment/create", files=files, headers=headers),
        await http.delete("/deployment/none", headers=headers),
        await http.options("/version", headers=headers),
    ):
        assert response.status_code == 403
        assert "takes no orders from a page" in response.json()["message"]
    assert len(caplog.records) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://bpm.example"},  # the page came through the proxy
        {"Origin": "http://localhost", "Host": "localhost"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
async def test_own_pages_and_programs_give_orders(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await http.post(ORDER, headers=headers)).status_code == 404


async def test_what_only_reads_may_be_linked(http: httpx.AsyncClient) -> None:
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    response = await http.get("/docs", headers=foreign)
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers
