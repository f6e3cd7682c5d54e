"""Answers with very many rows: sent in pieces, and bounded."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from retriage.store.api.answers import AT_ONCE
from retriage.store.embedded import embedded_app
from retriage.store.settings import StoreSettings
from tests.store.running import client_of
from tests.support.plain import plain_world

ROWS = 2500


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return embedded_app(str(tmp_path / "store.db"), settings=StoreSettings(max_results=ROWS))


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as made:
        await plain_world(app.state.store.database, ROWS)
        yield made


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_long_list_is_whole(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/external-task", json={} if method == "POST" else None)
    assert answer.headers["content-type"] == "application/json"
    every = answer.json()
    assert len({task["id"] for task in every}) == ROWS
    pages: list[object] = []
    for first in range(0, ROWS, AT_ONCE):
        pages += (await http.get("/external-task", params={"firstResult": first, "maxResults": AT_ONCE})).json()
    key = json.dumps
    assert sorted(every, key=key) == sorted(pages, key=key)
    head = await http.head("/external-task")
    assert (head.status_code, head.content) == (200, b"")


async def test_more_rows_than_an_answer_may_have(app: FastAPI, http: httpx.AsyncClient) -> None:
    for page in ({}, {"maxResults": ROWS + 1}, {"maxResults": 2**31 - 1}):
        assert len((await http.get("/external-task", params=page)).json()) == ROWS
    app.state.store.settings.max_results = ROWS - 1
    for page in ({}, {"maxResults": ROWS}, {"maxResults": 2**31 - 1}):
        refused = await http.get("/external-task", params=page)
        assert (refused.status_code, refused.json()["message"]) == (400, f"Max results limit of {ROWS - 1} exceeded!")
    page = {"maxResults": ROWS - 1}
    assert len((await http.get("/external-task", params=page)).json()) == ROWS - 1
    page = {"firstResult": 1, "maxResults": ROWS}
    assert len((await http.get("/external-task", params=page)).json()) == ROWS - 1


async def test_a_long_list_is_made_and_sent_in_pieces(app: FastAPI, http: httpx.AsyncClient) -> None:
    """Others have their turns between the pieces. Written at once, 20,000 rows stopped the loop for seconds."""
    turns, sent = 0, []

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append((turns, len(message.get("body", b""))))

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/engine-rest/external-task", "query_string": b"", "headers": []}
    turning = asyncio.create_task(turn())
    await app(
        {**scope, "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "raw_path": b""}, receive, send
    )
    turning.cancel()
    moments = [moment for moment, size in sent if size > 1]
    assert len(moments) == len(set(moments)) == ROWS / AT_ONCE
    assert max(size for _, size in sent) < sum(size for _, size in sent) / 4


async def test_a_fetch_names_so_many_topics(http: httpx.AsyncClient) -> None:
    def order(topics: int) -> dict[str, object]:
        named = [{"topicName": f"topic-{number}", "lockDuration": 1000} for number in range(topics)]
        return {"workerId": "w", "maxTasks": 1, "topics": named}

    most = StoreSettings().max_topics
    assert len((await http.post("/external-task/fetchAndLock", json=order(most))).json()) == 1
    refused = await http.post("/external-task/fetchAndLock", json=order(most + 1))
    assert refused.status_code == 400
    assert refused.json()["message"] == f"A fetch may name {most} topics, and this one names more."
