"""Requests that say very much: they are carried out, or refused in a sentence."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from store.embedded import embedded_app
from store.queries import listing
from store.settings import StoreSettings
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
