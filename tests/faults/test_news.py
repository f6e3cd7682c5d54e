"""Work finished at one server wakes workers and runners at another that shares its PostgreSQL database."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from retriage.store.database.engine import store_url
from retriage.store.database.news import News
from retriage.store.embedded import embedded_app
from retriage.store.settings import StoreSettings
from tests.faults.test_ended_backends import end_all
from tests.store.running import client_of
from tests.store.test_workers_routes import fetch, parked, start

pytestmark = pytest.mark.postgresql

SAFETY = 60.0
"""Below the 30 s after which who waits looks by himself."""

IDLE = StoreSettings(runner_idle_seconds=300, batch_poll_time=300)


async def test_a_start_at_one_server_wakes_a_worker_at_another(place: str) -> None:
    here, there = (embedded_app(place, settings=IDLE) for _ in range(2))
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(client_of(app)) for app in (here, there)]
        await start(one)
        assert await fetch(one, "charge")
        for _ in range(2):
            waiting = asyncio.create_task(fetch(other, "charge", asyncResponseTimeout=60_000))
            await parked(there, 1)
            async with asyncio.timeout(SAFETY):
                await start(one)
                assert len(await waiting) == 1
            await end_all(place)  # the connections that carry the news too: they are made anew
            await asyncio.sleep(2)


async def test_a_batch_created_at_one_server_is_carried_out_by_another(place: str) -> None:
    here, there = (embedded_app(place, settings=IDLE) for _ in range(2))
    async with AsyncExitStack() as stack:
        one, _other = [await stack.enter_async_context(client_of(app)) for app in (here, there)]
        await start(one)
        await here.state.store.runner.stop()
        await asyncio.sleep(0.5)  # the other has looked, and sleeps
        order = {"retries": 0, "externalTaskQuery": {}}
        assert (await one.post("/external-task/retries-async", json=order)).status_code == 200
        async with asyncio.timeout(SAFETY):
            while (await one.get("/external-task/count?noRetriesLeft=true")).json() != {"count": 1}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_more_topics_than_can_be_named_are_news_of_any(place: str) -> None:
    heard: asyncio.Queue[tuple[frozenset[str] | None, bool]] = asyncio.Queue()
    own: list[object] = []
    url = store_url(place)
    async with (
        News(url, lambda topics, jobs: heard.put_nowait((topics, jobs))),
        News(url, lambda topics, jobs: own.append((topics, jobs))) as teller,
        asyncio.timeout(SAFETY),
    ):
        assert await heard.get() == (None, True)
        while not own:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for topics, expected in (
            (frozenset({"a", "b"}), (frozenset({"a", "b"}), False)),
            (frozenset(f"topic number {number}" for number in range(2000)), (None, False)),
            (None, (None, False)),
        ):
            teller.tell(topics)
            assert await heard.get() == expected
        teller.tell(jobs=True)
        assert await heard.get() == (frozenset(), True)
        assert own == [(None, True)]  # nobody hears his own news
