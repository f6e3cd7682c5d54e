"""What an idle console costs an engine: requests and bytes a minute on each view, counted by a clock that is turned."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy import select as sql_select

from retriage.console.app import RetriageApp
from retriage.console.batches import known_batches
from retriage.console.engine.client import EngineClient
from retriage.console.session import poller
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.database import now, open_database
from retriage.store.embedded import embedded_app
from retriage.store.tables import ExternalTask, Incident
from tests.console.settle import loaded, until
from tests.console.turned_clock import TurnedClock
from tests.support.fault_proxy import FaultTransport
from tests.support.plain import SLICE, plain_world

TASKS = 20_000
MINUTES = 1
STEP = 0.5
REQUESTS = 60
"""Most requests of an idle minute."""
BYTES = 2_000_000
"""Most bytes of one, with 20,000 open incidents of a few seconds."""
VIEWS = {"1": "tasks", "2": "incidents", "3": "instances", "4": "batches", "5": "jobs", "6": "journal"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world") / "store.db"


async def _fill(store: Path) -> None:
    """Tasks without retries, each with its incident; all of them failed within four seconds."""
    database = await open_database(str(store))
    await plain_world(database, TASKS, retries=0)
    async with database.reading() as connection:
        tasks = (await connection.execute(sql_select(ExternalTask))).mappings().all()
    at = now()
    rows = [
        {
            "id": f"inc-{task['id']}", "incident_type": "failedExternalTask", "state": "open",
            "create_time": at - timedelta(milliseconds=number // 5),
            "configuration": task["id"], "incident_message": "HTTP 503 from psp.example: upstream connect error " * 3,
            "process_instance_id": task["process_instance_id"], "execution_id": task["execution_id"],
            "process_definition_id": task["process_definition_id"], "activity_id": task["activity_id"],
            "failed_activity_id": task["activity_id"],
        }
        for number, task in enumerate(tasks)
    ]  # fmt: skip
    for start in range(0, TASKS, SLICE):
        async with database.writing() as connection:
            await connection.execute(insert(Incident), rows[start : start + SLICE])
    await database.close()


@asynccontextmanager
async def engine(store: Path) -> AsyncIterator[FaultTransport]:
    if not await asyncio.to_thread(store.exists):
        await _fill(store)
    app = embedded_app(str(store))
    async with app.router.lifespan_context(app):
        yield FaultTransport(httpx.ASGITransport(app, raise_app_exceptions=False))


async def quiet(pilot: Any, transport: FaultTransport) -> None:
    """Everything that was asked is answered, and nothing more comes of it."""
    calm, seen = 0, -1
    while calm < 5:
        await pilot.pause()
        asked = len(transport.faults.asked)
        calm = calm + 1 if asked == seen and not transport.under_way else 0
        seen = asked


@pytest.mark.timeout(300)
@pytest.mark.parametrize("key", VIEWS, ids=VIEWS.get)
async def test_an_idle_minute(world: Path, key: str, monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    clock = TurnedClock()
    monkeypatch.setattr(poller, "RealClock", lambda: clock)
    monkeypatch.setattr(known_batches, "time", SimpleNamespace(monotonic=clock.monotonic))
    async with engine(world) as transport:

        @asynccontextmanager
        async def connect() -> AsyncIterator[EngineClient]:
            async with httpx.AsyncClient(transport=transport, base_url="http://engine.test/engine-rest") as http:
                yield EngineClient(http)

        app = RetriageApp(connect, ConnectionIdentity("TEST", "http://engine.test/engine-rest", "ann"))
        async with app.run_test(size=(160, 45)) as pilot:
            await until(pilot, lambda: app.session.connection.client is not None and loaded(app), 60)
            await pilot.press(key)
            await until(pilot, lambda: getattr(app.screen, "VIEW", "") == VIEWS[key], 60)
            groups = getattr(app.screen, "groups", None)
            await until(pilot, lambda: groups is None or app.screen.groups.open_incidents.exact, 100)  # type: ignore[attr-defined]
            await quiet(pilot, transport)
            before = len(transport.faults.asked)
            for _ in range(int(MINUTES * 60 / STEP)):
                await clock.turn(STEP)
                if transport.under_way:
                    await quiet(pilot, transport)
            await quiet(pilot, transport)
    asked = transport.faults.asked[before:]
    requests, sent = len(asked) / MINUTES, sum(one.sent for one in asked) / MINUTES
    paths = Counter(re.sub(r"\?.*", "", f"{one.method} {one.path}") for one in asked)
    told = {path: round(number / MINUTES, 1) for path, number in paths.most_common()}
    print(f"{VIEWS[key]}: {requests:.0f} requests, {sent / 1e6:.2f} MB a minute {json.dumps(told)}")
    assert requests <= REQUESTS, told
    assert sent <= BYTES, told
    assert paths["GET /engine-rest/batch/statistics"] / MINUTES <= 30, told
