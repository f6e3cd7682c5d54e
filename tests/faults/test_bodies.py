"""Bodies that are too large, too deep, without end, or just large: memory stays bounded and others are answered."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.store.api import large_json, requests
from retriage.store.embedded import embedded_app
from retriage.store.settings import StoreSettings
from tests.faults.served import Served, client, server
from tests.store.running import client_of

MB = 1_000_000
TYPE = {"Content-Type": "application/json"}
COUNT = "/external-task/count"
IDS = json.dumps({"externalTaskIds": [f"0190a0a0-0000-7000-8000-{number:012}" for number in range(500_000)]}).encode()
"""An order without its number of retries: it is read whole, and then refused."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@asynccontextmanager
async def others(served: Served) -> AsyncIterator[list[int]]:
    """Another client that asks all the while, and the most memory that the server had."""
    seen = [0, 0]

    async def ask() -> None:
        async with client(served) as http:
            while True:
                assert (await http.get("/version")).status_code == 200
                seen[0] += 1
                seen[1] = max(seen[1], served.memory())
                await asyncio.sleep(0.005)

    asking = asyncio.create_task(ask())
    try:
        yield seen
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


@linux
async def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    limit = 20 * MB
    with server(tmp_path, settings={"max_body_bytes": limit}) as served:
        async with client(served) as http, others(served) as seen:
            assert (await http.get("/version")).status_code == 200
            before = served.memory()
            lists = b'{"x":[' + b"[]," * (100 * MB // 3) + b"[]]}"
            response = await http.post(COUNT, content=lists, headers=TYPE)
            assert response.status_code == 413
            assert response.json()["message"] == f"A body may have {limit} bytes, and this one has more."
            asked = seen[0]
            assert (await http.post(COUNT, json={})).json() == {"count": 0}
        assert seen[1] - before < 2 * limit
        assert asked >= 1


@linux
async def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    limit = 5 * MB
    with server(tmp_path, settings={"max_body_bytes": limit}) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(
            b"POST /engine-rest/external-task/count HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        before, most = served.memory(), 0

        async def pour() -> None:
            nonlocal most
            while True:
                writer.write(chunk)
                await writer.drain()
                most = max(most, served.memory())

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(pour(), 60)
        assert most - before < 4 * limit
        writer.close()
        async with client(served) as http:
            assert (await http.get("/version")).status_code == 200


@linux
async def test_many_large_bodies_at_once_share_one_bound(tmp_path: Path) -> None:
    most = 20 * MB
    body = b'{"x":"' + b"x" * (5 * MB) + b'"}'
    halves = b"Content-Length: %d\r\n\r\n" % len(body) + body[: 4 * MB]
    with server(tmp_path, settings={"max_bodies_bytes": most}) as served:
        async with client(served) as http, asyncio.timeout(100):
            before = served.memory()
            writers = []
            for _ in range(20):
                _, writer = await asyncio.open_connection("127.0.0.1", served.port)
                head = b"POST /engine-rest/external-task/count HTTP/1.1\r\nHost: localhost\r\n"
                writer.write(head + b"Content-Type: application/json\r\n" + halves)
                writers.append(writer)
                with suppress(ConnectionError):
                    await writer.drain()
            assert (await http.post(COUNT, json={})).json() == {"count": 0}, "small ones are read all the while"
            refused = await http.post(COUNT, content=body, headers=TYPE)
            while refused.status_code != 503:
                refused = await http.post(COUNT, content=body, headers=TYPE)
            assert refused.json()["message"] == "Too many large requests are being read; try again later."
            assert served.memory() - before < 3 * most
            for writer in writers:
                writer.close()
            while (await http.post(COUNT, content=body, headers=TYPE)).status_code != 200:
                pass


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = StoreSettings(max_json_elements=1_000_000)
    async with client_of(embedded_app(str(tmp_path / "store.db"), settings=settings)) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"x":[' + b"[]," * 10 * MB + b"[]]}", "The JSON has more than 1000000 elements."),
        (b'{"x":' * 2 * MB, "The JSON is nested deeper than 100 levels."),
        (b'{"x":' + b"[" * 101 + b"]" * 101 + b"}", "The JSON is nested deeper than 100 levels."),
        (b"[" * 5 * MB, "A JSON object is needed, not a list"),
        (b'{"x":"' + b"\\" * 10 * MB, ""),
        (IDS[:-2], ""),
    ],
    ids=["wide", "wide and deep", "deep", "a list", "backslashes", "cut"],
)
async def test_what_is_out_of_bounds_says_so(http: httpx.AsyncClient, body: bytes, sentence: str) -> None:
    response = await http.post(COUNT, content=body, headers=TYPE)
    assert (response.status_code, response.json()["message"]) == (400, sentence)


async def test_while_a_large_order_is_read_the_loop_turns(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a million ids. In the time of this process, which does not pass while others have the processor."""
    shares = []
    last, worst = 0.0, 0.0
    read_json = large_json.read_json

    def watched(*text: Any, **bounds: Any) -> Any:
        nonlocal worst, last
        begun, worst = time.process_time(), 0.0
        last = begun
        read = read_json(*text, **bounds)
        ended = time.process_time()
        shares.append(max(worst, ended - last) / (ended - begun))
        return read

    async def turn() -> None:
        nonlocal worst, last
        while True:
            now = time.process_time()
            last, worst = now, max(worst, now - last)
            await asyncio.sleep(0)

    async def read() -> float:
        turning = asyncio.create_task(turn())
        response = await http.post("/external-task/retries-async", content=IDS, headers=TYPE)
        turning.cancel()
        assert response.json()["message"] == "The number of retries cannot be null."
        return shares[-1]

    monkeypatch.setattr(requests, "read_json", watched)
    in_pieces = await read()
    monkeypatch.setattr(large_json, "WINDOW", len(IDS))
    at_once = await read()
    assert in_pieces < 0.7 * at_once, "in one call the parser stops the loop for much longer"
