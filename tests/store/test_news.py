"""Who waits for tasks is woken by the news of their topic, and by no other."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from retriage.store.api import parking, state
from retriage.store.api.state import LOOK_FOR_ALL, Bell
from retriage.store.commands.fetch_and_lock import topics_with_tasks
from retriage.store.embedded import embedded_app
from tests.store.running import client_of, opened
from tests.store.test_workers_routes import fetch, parked, start

SAFETY = 60.0


async def test_a_bell_wakes_those_who_wait_for_a_topic() -> None:
    bell = Bell()
    waits = {
        name: asyncio.create_task(bell.wait(0, SAFETY, topics))
        for name, topics in {"a": frozenset("a"), "ab": frozenset("ab"), "c": frozenset("c"), "any": None}.items()
    }
    await asyncio.sleep(0)
    assert bell.awaited == {"a", "b", "c"}
    bell.ring(frozenset("b"))
    await asyncio.wait({waits["ab"], waits["any"]}, timeout=SAFETY)
    assert {name for name, task in waits.items() if task.done()} == {"ab", "any"}
    bell.ring()
    assert await asyncio.gather(*waits.values()) == [True] * 4
    assert bell.awaited == frozenset()


async def test_a_bell_forgets_no_ring_between_two_waits() -> None:
    bell = Bell()
    before = bell.rings
    bell.ring(frozenset("a"))
    assert await bell.wait(before, SAFETY, frozenset("ax"))
    assert not await bell.wait(before, 0.01, frozenset("b"))
    assert await bell.wait(before, SAFETY)
    assert not await bell.wait(bell.rings, 0.01, frozenset("a"))


@pytest.mark.parametrize("order", ["start and complete", "an order for any topic"])
async def test_those_who_wait_for_other_topics_do_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    looks: list[str] = []
    look = parking._look

    async def counted(store: Any, asked: Any) -> tuple[bool, float]:
        looks.append(asked.topics[0].topic_name)
        return await look(store, asked)

    app = embedded_app(str(tmp_path / "store.db"))
    others = LOOK_FOR_ALL + 30
    async with client_of(app) as http:
        await start(http)
        instance = (await http.get("/process-instance")).json()[0]["id"]
        waiting = [
            asyncio.create_task(fetch(http, f"other-{number}", asyncResponseTimeout=60_000)) for number in range(others)
        ]
        await parked(app, others)
        async with asyncio.timeout(SAFETY):
            while len(app.state.store.tasks.awaited) < others:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        monkeypatch.setattr(parking, "_look", counted)
        if order == "start and complete":
            (task,) = await fetch(http, "charge")
            done = await http.post(f"/external-task/{task['id']}/complete", json={"workerId": "w"})
            assert done.status_code == 204
            await start(http)
        else:
            for suspended in (True, False):
                body = {"suspended": suspended, "processInstanceIds": [instance]}
                assert (await http.put("/process-instance/suspended", json=body)).status_code == 204
        async with asyncio.timeout(SAFETY):
            assert await fetch(http, "charge", asyncResponseTimeout=60_000)
        assert [topic for topic in looks if topic != "charge"] == []
        for one in waiting:
            one.cancel()


async def test_an_order_for_any_topic_wakes_those_with_tasks(tmp_path: Path) -> None:
    """One question finds them among many that are waited for."""
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        await start(http)
        instance = (await http.get("/process-instance")).json()[0]["id"]
        assert (await http.put(f"/process-instance/{instance}/suspended", json={"suspended": True})).status_code == 204
        waiting = [
            asyncio.create_task(fetch(http, topic, asyncResponseTimeout=60_000))
            for topic in ["charge", *(f"other-{number}" for number in range(LOOK_FOR_ALL + 2))]
        ]
        await parked(app, len(waiting))
        assert (await http.put(f"/process-instance/{instance}/suspended", json={"suspended": False})).status_code == 204
        async with asyncio.timeout(SAFETY):
            assert len(await waiting[0]) == 1
        assert not any(one.done() for one in waiting[1:])
        for one in waiting:
            one.cancel()


async def test_those_who_wait_do_not_look_each_for_what_another_process_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is heard of by no bell: one look now and then is for all who wait."""
    looks = 0
    look = parking._look

    async def counted(store: Any, asked: Any) -> tuple[bool, float]:
        nonlocal looks
        looks += 1
        return await look(store, asked)

    monkeypatch.setattr(parking, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(state, "LOOK_SECONDS", 0.1)
    asked = 0

    async def counted_for_all(connection: Any, topics: Any) -> frozenset[str]:
        nonlocal asked
        asked += 1
        return await topics_with_tasks(connection, topics)

    monkeypatch.setattr(state, "topics_with_tasks", counted_for_all)
    place = str(tmp_path / "store.db")
    app = embedded_app(place)
    async with client_of(app) as http:
        await start(http)
        definition = (await http.get("/process-definition")).json()[0]["id"]
        (task,) = await fetch(http, "charge")
        await http.post(f"/external-task/{task['id']}/complete", json={"workerId": "w"})
        monkeypatch.setattr(parking, "_look", counted)
        topics = ["charge", *(f"other-{number}" for number in range(LOOK_FOR_ALL + 2))]
        waiting = [asyncio.create_task(fetch(http, topic, asyncResponseTimeout=60_000)) for topic in topics]
        async with asyncio.timeout(SAFETY):
            while len(app.state.store.tasks.awaited) < len(topics):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            looks = asked = 0
            while asked < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert looks == 0
            async with opened(place) as other:
                await other.start(definition)
            assert len(await waiting[0]) == 1
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
