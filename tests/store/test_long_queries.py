"""Requests that say very much: they are carried out, or refused in a sentence."""

import asyncio
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.database import open_database
from retriage.store.embedded import embedded_app
from retriage.store.queries import external_tasks, listing, variable_filters
from retriage.store.settings import StoreSettings
from tests.store.running import STORES, client_of, store_at
from tests.store.test_workers_routes import start

MANY = 1200
VARIABLES = [{"name": f"v{number}", "operator": "eq", "value": number} for number in range(MANY)]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "variables of tasks": ("/external-task/count", {"processVariables": VARIABLES}),
    "variables of instances": ("/process-instance/count", {"variables": VARIABLES}),
    "variables of history": ("/history/process-instance/count", {"variables": VARIABLES}),
    "one of many": ("/process-instance/count", {"orQueries": [{"variables": VARIABLES}]}),
    "many ors": ("/process-instance/count", {"orQueries": [{"businessKey": f"k{n}"} for n in range(MANY)]}),
    "many ors of history": (
        "/history/process-instance/count",
        {"orQueries": [{"processInstanceBusinessKey": f"k{n}"} for n in range(MANY)]},
    ),
    "keys that are not": (
        "/history/process-instance/count",
        {
            "active": True,
            "completed": False,
            "processDefinitionKeyNotIn": [f"k{n}" for n in range(700)],
            "variables": VARIABLES,
        },
    ),
}


async def test_many_conditions(tmp_path: Path) -> None:
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as http:
        await start(http)
        for name, (path, body) in ASKED.items():
            answer = await http.post(path, json=body)
            assert (answer.status_code, answer.json()) == (200, {"count": 0}), name
        either = {"orQueries": [{"businessKey": "none", "variables": VARIABLES, "tenantIdIn": ["t"], "active": True}]}
        assert (await http.post("/process-instance/count", json=either)).json() == {"count": 1}
        keys = {"processDefinitionKeyNotIn": [f"k{n}" for n in range(MANY)]}
        assert (await http.post("/history/process-instance/count", json=keys)).json() == {"count": 1}
        order = {"suspended": True, "processInstanceQuery": either}
        assert (await http.put("/process-instance/suspended", json=order)).status_code == 204
        assert (await http.get("/process-instance/count?suspended=true")).json() == {"count": 1}


@pytest.mark.parametrize("kind", STORES)
async def test_many_topics(request: pytest.FixtureRequest, kind: str) -> None:
    settings = StoreSettings(max_topics=MANY + 1)
    async with store_at(request, kind) as place, client_of(embedded_app(place, settings=settings)) as http:
        await start(http)
        names = [*(f"t{number}" for number in range(MANY)), "charge"]
        topics = [{"topicName": name, "lockDuration": 1000} for name in names]
        given = await http.post("/external-task/fetchAndLock", json={"workerId": "w", "maxTasks": 2, "topics": topics})
        assert [task["topicName"] for task in given.json()] == ["charge"]
        topics = [{"topicName": "x", "lockDuration": 1000, "processVariables": {f"v{n}": n for n in range(MANY)}}]
        none = await http.post("/external-task/fetchAndLock", json={"workerId": "w", "maxTasks": 2, "topics": topics})
        assert (none.status_code, none.json()) == (200, [])


async def test_a_pattern_that_is_too_long_for_sqlite(tmp_path: Path) -> None:
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as http:
        await start(http)
        for words in ("a" * 60_000, "é" * 30_000):
            answer = await http.post("/process-instance/count", json={"businessKeyLike": f"%{words}%"})
            assert (answer.status_code, answer.json()["type"]) == (400, "InvalidRequestException")
            assert "in one statement" in answer.json()["message"]


class Sqlstate(Exception):
    sqlstate = "54001"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (sqlite3.OperationalError("Expression tree is too large (maximum depth 1000)"), 400),
        (sqlite3.OperationalError("too many SQL variables"), 400),
        (Sqlstate("stack depth limit exceeded"), 400),
        (sqlite3.OperationalError("disk I/O error"), 500),
    ],
)
async def test_more_than_a_database_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Exception, status: int
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise DBAPIError("SELECT", {}, said)

    monkeypatch.setattr(listing, "count_of", fails)
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as http:
        assert (await http.get("/process-instance/count")).status_code == status


class Builder:
    """Stops in the first condition of each statement with many variables until it is let go on.

    Attributes:
        built: conditions that were made.
        building: statements that are being made now, and the most at the same time.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built = self.building = self.most = 0
        self.begun = asyncio.Event()
        self.go_on = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._exists = variable_filters._exists
        self._conditions = variable_filters.variable_conditions
        monkeypatch.setattr(variable_filters, "_exists", self._one)
        monkeypatch.setattr(external_tasks, "variable_conditions", self._all)

    def _all(self, filters: Any, *more: Any, **named: Any) -> Any:
        if not filters:
            return []
        self.building += 1
        self.most = max(self.most, self.building)
        try:
            return self._conditions(filters, *more, **named)
        finally:
            self.building -= 1

    def _one(self, *more: Any, **named: Any) -> Any:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go_on.wait(60)
        made = self._exists(*more, **named)
        self.built += 1
        return made


async def test_a_question_ends_with_its_caller_while_its_statement_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(str(tmp_path / "store.db"), readers=1)
    builder = Builder(monkeypatch)
    query = ExternalTaskQuery.model_validate({"processVariables": VARIABLES})
    asking = asyncio.create_task(database.read(partial(external_tasks.EXTERNAL_TASKS.count, query=query)))
    await builder.begun.wait()
    asking.cancel()
    await asyncio.sleep(0)
    builder.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert builder.built == 0, "nothing more was made"
    count = partial(external_tasks.EXTERNAL_TASKS.count, query=ExternalTaskQuery())
    assert await database.read(count) == 0, "the only connection is free"
    await database.close()


async def test_questions_of_many_conditions_leave_connections_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = StoreSettings(readers=2)
    async with client_of(embedded_app(str(tmp_path / "store.db"), settings=settings)) as http:
        builder = Builder(monkeypatch)
        many = {"processVariables": VARIABLES[:300]}
        asked = [asyncio.create_task(http.post("/external-task/count", json=many)) for _ in range(4)]
        await builder.begun.wait()
        for _ in range(5):
            assert (await http.get("/external-task/count")).json() == {"count": 0}
        assert not any(task.done() for task in asked)
        builder.go_on.set()
        assert [answer.json() for answer in await asyncio.gather(*asked)] == [{"count": 0}] * 4
        assert builder.most == 1
