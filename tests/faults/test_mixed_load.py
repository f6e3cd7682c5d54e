"""Everybody at once over two servers on one store, for as long as ``--minutes`` says: nobody is told of a fault of the
server, and what is left fits together.

``pytest -m "long or postgresql" tests/faults/test_mixed_load.py --minutes 30`` is the long form.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from retriage.store.contract.states import LogState
from retriage.store.database import open_database
from tests.contract.bpmn import Drawing, Step
from tests.faults.served import Served, server
from tests.faults.test_many_hands import LOOSE, TORN
from tests.store.running import STORES, store_at

TOPICS = ("reserve", "charge")
DRAWING = Drawing("mixed", [Step("Reserve", TOPICS[0]), Step("Charge", TOPICS[1])])
INSTANCES = 300
PATIENCE = 300.0
FEW = 1500
"""Beyond so many running instances nobody starts another."""
MANY = 60
"""Beyond so many running batches nobody launches another: on a busy machine they would only grow in number."""

UNLIKE = """
    SELECT task.id FROM external_task task
    LEFT JOIN incident ON incident.configuration = task.id AND incident.end_time IS NULL
    GROUP BY task.id, task.retries HAVING count(incident.id) <> CASE task.retries WHEN 0 THEN 1 ELSE 0 END
"""
"""Tasks whose retries and open incidents do not agree."""

TWICE = f"""
    SELECT job_id FROM job_log WHERE state IN ({LogState.SUCCESSFUL:d}, {LogState.DELETED:d})
    GROUP BY job_id HAVING count(*) <> 1
"""
"""Jobs that ended more than once."""

NEVER = f"""
    SELECT job_id FROM job_log GROUP BY job_id
    HAVING sum(CASE WHEN state IN ({LogState.SUCCESSFUL:d}, {LogState.DELETED:d}) THEN 1 ELSE 0 END) <> 1
"""
"""Jobs that did not end, where no batch is left."""

LEFT = "SELECT 1 FROM job UNION ALL SELECT 1 FROM batch_element UNION ALL SELECT 1 FROM unfinished_batch"


class Load:
    """What callers do, and what they were told.

    Attributes:
        faults: answers that no caller should get.
    """

    def __init__(self, clients: list[httpx.AsyncClient]) -> None:
        self.faults: list[str] = []
        self._clients = clients
        self._chance = random.Random(13)

    async def send(self, method: str, path: str, body: object = None) -> Any:
        """One request to one of the servers; gives its JSON, if it was carried out."""
        answer = await self._chance.choice(self._clients).request(method, path, json=body)
        if answer.status_code < 400:
            return answer.json() if answer.content else None
        kind = answer.json().get("type")
        # Refused because somebody else was first, or because nothing is named.
        if answer.status_code >= 500 and kind not in ("RestException", "ProcessEngineException"):
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return None

    async def again_and_again(self, deed: Callable[[int], Coroutine[Any, Any, None]], until: float) -> None:
        """Do something until the time is over, and once at least."""
        number = 0
        while not number or time.monotonic() < until:
            await deed(number)
            number += 1

    async def start(self, number: int) -> None:
        """A caller starts instances, as long as there are not too many."""
        if number % 20 == 0:
            running = await self.send("GET", "/process-instance/count")
            if running["count"] > FEW:
                await asyncio.sleep(0.5)
                return
        await self.send("POST", "/process-definition/key/mixed/start", {"businessKey": f"key-{number}"})

    async def work(self, number: int) -> None:
        """A worker fetches, completes, fails and forgets."""
        topics = [{"topicName": topic, "lockDuration": 2000} for topic in TOPICS]
        order = {"workerId": "w", "maxTasks": 5, "topics": topics, "asyncResponseTimeout": 300}
        for task in await self.send("POST", "/external-task/fetchAndLock", order) or []:
            path, way = f"/external-task/{task['id']}", self._chance.random()
            if way < 0.5:
                await self.send("POST", f"{path}/complete", {"workerId": "w", "variables": {"n": {"value": number}}})
            elif way < 0.9:
                failure = {"workerId": "w", "errorMessage": f"no {number}", "retries": number % 2, "retryTimeout": 0}
                await self.send("POST", f"{path}/failure", failure)

    async def operate(self, number: int) -> None:
        """An operator launches, stops and drops batches, and sets retries at once."""
        way = self._chance.random()
        if way < 0.5:
            if (await self.send("GET", "/batch/count"))["count"] >= MANY:
                await asyncio.sleep(0.5)
                return
            order = {"retries": number % 4, "externalTaskQuery": {"topicName": self._chance.choice(TOPICS)}}
            await self.send("POST", "/external-task/retries-async", order)
        elif way < 0.7:
            await self.send(
                "PUT", "/external-task/retries", {"retries": 2, "externalTaskQuery": {"noRetriesLeft": True}}
            )
        elif batches := await self.send("GET", "/batch"):
            path = f"/batch/{self._chance.choice(batches)['id']}"
            if way < 0.8:
                await self.send("DELETE", path)
            else:
                await self.send("PUT", f"{path}/suspended", {"suspended": number % 2 == 0})
        await asyncio.sleep(0.05)

    async def suspend(self, number: int) -> None:
        """Another operator suspends and activates instances, and deletes one."""
        order = {"suspended": number % 2 == 0, "processDefinitionKey": "mixed"}
        await self.send("PUT", "/process-instance/suspended", order)
        if found := await self.send("GET", "/process-instance?maxResults=1"):
            await self.send("DELETE", f"/process-instance/{found[0]['id']}")
        await asyncio.sleep(0.2)

    async def look(self, _number: int) -> None:
        """A console looks at everything."""
        for path in ("/external-task?maxResults=50", "/incident/count", "/batch/statistics", "/history/batch", "/job"):
            await self.send("GET", path)


@asynccontextmanager
async def clients(servers: list[Served]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One client for each of the servers."""
    made = [httpx.AsyncClient(base_url=one.root, timeout=120, trust_env=False) for one in servers]
    try:
        yield made
    finally:
        for one in made:
            await one.aclose()


async def settle(load: Load) -> None:
    """Let all batches go on, and wait until none is left; failed jobs are deleted."""
    await load.send("PUT", "/process-instance/suspended", {"suspended": False, "processDefinitionKey": "mixed"})
    async with asyncio.timeout(PATIENCE):
        while True:
            batches = await load.send("GET", "/batch/statistics")
            if not batches:
                return
            for batch in batches:
                if batch["suspended"]:
                    await load.send("PUT", f"/batch/{batch['id']}/suspended", {"suspended": False})
                elif batch["remainingJobs"] == batch["failedJobs"] > 0:
                    await load.send("DELETE", f"/batch/{batch['id']}")
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("kind", STORES)
async def test_everybody_at_once(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> None:
    seconds: float = request.config.getoption("--minutes") * 60
    async with store_at(request, kind) as place:
        with ExitStack() as stack:
            servers = []
            for name in ("one", "other"):
                folder = tmp_path / name
                folder.mkdir()
                servers.append(stack.enter_context(server(folder, "--store", place)))
            async with clients(servers) as made:
                files = {"data": ("mixed.bpmn", DRAWING.xml().encode())}
                answer = await made[0].post("/deployment/create", files=files, data={"deployment-name": "mixed"})
                assert answer.status_code == 200, answer.text
                load = Load(made)
                for number in range(INSTANCES):
                    await load.send("POST", "/process-definition/key/mixed/start", {"businessKey": f"first-{number}"})
                deeds = [
                    load.start,
                    load.work,
                    load.work,
                    load.work,
                    load.operate,
                    load.operate,
                    load.suspend,
                    load.look,
                ]
                until = time.monotonic() + seconds
                await asyncio.gather(*(load.again_and_again(deed, until) for deed in deeds))
                await settle(load)
                assert load.faults == []
        for one in servers:
            assert "Traceback" not in one.said()
        await _check(place)


async def _check(place: str) -> None:
    """What is left fits together."""
    database = await open_database(place)
    async with database.reading() as connection:
        for statement in (LOOSE, TORN, UNLIKE, TWICE, NEVER, LEFT):
            assert (await connection.execute(text(statement))).all() == [], statement
        (batches,) = (await connection.execute(text("SELECT count(*) FROM batch"))).one()
        (jobs,) = (await connection.execute(text("SELECT count(*) FROM job_log"))).one()
    await database.close()
    assert batches > 0
    assert jobs > 0
