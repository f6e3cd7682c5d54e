"""What a question or an order may keep of the database: its time, its conditions, its memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    ProcessInstanceQuery,
    VariableFilter,
)
from retriage.store.database import Database, Limits, open_database
from retriage.store.embedded import embedded_app
from retriage.store.queries import listing
from retriage.store.queries.conditions import count_of
from retriage.store.queries.external_tasks import EXTERNAL_TASKS
from retriage.store.queries.historic_process_instances import HISTORIC_PROCESS_INSTANCES
from retriage.store.queries.process_instances import PROCESS_INSTANCES
from retriage.store.settings import StoreSettings
from tests.store.running import STORES, client_of, store_at
from tests.support.plain import plain_world

ENDLESS = text("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 - 1 FROM c) SELECT count(*) FROM c")
SAFETY = 60.0


async def endless(connection: AsyncConnection, *_: Any) -> int:
    """A question without an end."""
    number: int = (await connection.execute(ENDLESS)).scalar_one()
    return number


async def one(connection: AsyncConnection) -> int:
    """A question with a quick answer."""
    number: int = (await connection.execute(text("SELECT 1"))).scalar_one()
    return number


@asynccontextmanager
async def limited(request: pytest.FixtureRequest, kind: str, limits: Limits | None = None) -> AsyncIterator[Database]:
    """A store whose questions and orders may take so long, with two readers."""
    async with store_at(request, kind) as place:
        database = await open_database(place, 2, limits)
        try:
            yield database
        finally:
            await database.close()


@pytest.mark.parametrize("kind", STORES)
async def test_a_question_that_takes_too_long_is_stopped(request: pytest.FixtureRequest, kind: str) -> None:
    async with limited(request, kind, Limits(question=0.1)) as database, asyncio.timeout(SAFETY):
        for _ in range(4):
            with pytest.raises(ContractError) as refusal:
                await database.read(endless)
            assert refusal.value.status == 500
            assert "more than it could do in 0.1 seconds" in refusal.value.message
        assert await database.read(one) == 1


@pytest.mark.parametrize("kind", STORES)
async def test_an_order_that_takes_too_long_is_stopped_and_leaves_nothing(
    request: pytest.FixtureRequest, kind: str
) -> None:
    async def order(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO deployment (id, deployment_time) VALUES ('d', 1)"))
        await endless(connection)

    async with limited(request, kind, Limits(order=0.2)) as database, asyncio.timeout(SAFETY):
        with pytest.raises(ContractError, match="Nothing was changed"):
            await database.write(order)
        async with database.writing() as connection:
            left = (await connection.execute(text("SELECT count(*) FROM deployment"))).scalar_one()
        assert left == 0


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("way", ["read", "write", "reading"])
async def test_work_ends_with_the_task_that_asked(request: pytest.FixtureRequest, kind: str, way: str) -> None:
    """More of it than there are connections, and the next one is answered."""

    async with limited(request, kind) as database, asyncio.timeout(SAFETY):

        async def ask() -> None:
            if way == "reading":
                async with database.reading() as connection:
                    await endless(connection)
            else:
                await (database.read if way == "read" else database.write)(endless)

        for _ in range(3):
            asked = [asyncio.create_task(ask()) for _ in range(3)]
            await asyncio.sleep(0.2)
            for task in asked:
                task.cancel()
            ended = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
        assert await database.read(one) == 1
        assert await database.write(one) == 1


@pytest.mark.parametrize("kind", STORES)
async def test_a_question_ends_when_its_caller_hangs_up(
    request: pytest.FixtureRequest, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_of
    monkeypatch.setattr(listing, "count_of", endless)
    async with store_at(request, kind) as place:
        app = embedded_app(place, settings=StoreSettings(readers=2))
        async with client_of(app) as http, asyncio.timeout(SAFETY):
            await asyncio.gather(*(_hang_up(app) for _ in range(6)))
            monkeypatch.setattr(listing, "count_of", asked)
            assert (await http.get("/external-task/count")).json() == {"count": 0}


async def _hang_up(app: FastAPI) -> None:
    """Ask for a number, and hang up once the question has been read."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/engine-rest/external-task/count",
        "raw_path": b"/engine-rest/external-task/count",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("store", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.3)
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        pass

    await app(scope, receive, send)


async def test_too_many_conditions_are_refused_in_a_sentence(tmp_path: Path) -> None:
    settings = StoreSettings(max_conditions=10)
    variables = [{"name": f"v{number}", "operator": "eq", "value": number} for number in range(10)]
    topics = [{"topicName": f"t{number}", "lockDuration": 1000} for number in range(11)]
    query = {"processVariables": variables, "active": True}
    refused: list[tuple[str, str, Any]] = [
        ("POST", "/external-task/count", query),
        ("POST", "/external-task", query),
        ("POST", "/process-instance", {"orQueries": [{"variables": variables}, {"businessKey": "k"}]}),
        ("POST", "/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": topics}),
        ("POST", "/external-task/retries-async", {"retries": 1, "externalTaskQuery": query}),
        ("POST", "/history/process-instance/count", {"processDefinitionKeyNotIn": [f"k{n}" for n in range(11)]}),
        ("GET", "/external-task/count?active=true&processVariables=" + ",".join(f"v{n}_eq_{n}" for n in range(10)), {}),
    ]
    async with client_of(embedded_app(str(tmp_path / "store.db"), settings=settings)) as http:
        for method, path, body in refused:
            answer = await (http.get(path) if method == "GET" else http.post(path, json=body))
            assert answer.status_code == 400, path
            assert answer.json()["type"] == "InvalidRequestException"
            assert answer.json()["message"] == "The request has 11 conditions; at most 10 are taken at once."
        many = {"processVariables": variables, "externalTaskIdIn": []}
        assert (await http.post("/external-task/count", json=many | {"active": None})).status_code in (200, 400)
        ids = {"externalTaskIdIn": [f"id{number}" for number in range(5000)]}
        assert (await http.post("/external-task/count", json=ids)).json() == {"count": 0}


# -- what many conditions cost ----------------------------------------------------------------------------------


def variables(number: int, operator: str = "neq", name: str = "v{}") -> list[VariableFilter]:
    return [VariableFilter(name=name.format(n), operator=operator, value=n) for n in range(number)]


def either(number: int, operator: str = "eq", name: str = "v{}") -> ProcessInstanceQuery:
    return ProcessInstanceQuery(or_queries=[ProcessInstanceQuery(variables=variables(number, operator, name))])


async def steps_of(database: Database, question: Any) -> int:
    """Hundreds of steps that SQLite takes for a question: what it costs, whatever else the machine does."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    async with database.reading() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.set_progress_handler(count, 100)
        try:
            await question(connection)
        finally:
            await driver.set_progress_handler(None, 0)
    return steps


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(str(tmp_path / "world.db"))
    await plain_world(database, 2000)
    async with database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO variable (id, process_instance_id, name, type, long_value, deleted)"
                " SELECT id, id, 'amount', 'Integer', rowid % 50, false FROM"
                " (SELECT id, row_number() OVER (ORDER BY id) AS rowid FROM process_instance)"
            )
        )
    yield database
    await database.close()


async def test_one_condition_more_does_not_make_a_question_dear(world: Database) -> None:
    """Above a hundred the conditions stand in a tree, which must end at the first that does not hold too."""

    def asked(number: int) -> Any:
        return lambda c: EXTERNAL_TASKS.count(c, ExternalTaskQuery(process_variables=variables(number)))

    few, many = await steps_of(world, asked(100)), await steps_of(world, asked(101))
    assert many < 1.5 * few


@pytest.mark.parametrize(
    ("ask", "query"),
    [
        (PROCESS_INSTANCES, lambda n: either(n)),
        (
            HISTORIC_PROCESS_INSTANCES,
            lambda n: HistoricProcessInstanceQuery(or_queries=[HistoricProcessInstanceQuery(variables=variables(n))]),
        ),
    ],
)
async def test_an_or_of_many_variables_looks_at_each_variable_once(world: Database, ask: Any, query: Any) -> None:
    one = await steps_of(world, lambda c: ask.count(c, query(1)))
    many = await steps_of(world, lambda c: ask.count(c, query(200)))
    assert many < 5 * one


@pytest.mark.parametrize("number", [1, 3, 100, 101, 200])
async def test_what_an_or_of_variables_finds(world: Database, number: int) -> None:
    """As many of the fifty values as are named, each on forty instances."""
    found = await world.read(lambda c: PROCESS_INSTANCES.count(c, either(number, name="amount")))
    assert found == 40 * min(number, 50)
    others = await world.read(lambda c: PROCESS_INSTANCES.count(c, either(number, "neq", name="amount")))
    assert others == (1960 if number == 1 else 2000)


@pytest.mark.parametrize("number", [100, 101])
async def test_none_of_many_keys(world: Database, number: int) -> None:
    keys: list[str | None] = [f"k{one}" for one in range(number)]
    asked = HistoricProcessInstanceQuery(process_definition_key_not_in=keys)
    assert await world.read(lambda c: HISTORIC_PROCESS_INSTANCES.count(c, asked)) == 2000
    asked = HistoricProcessInstanceQuery(process_definition_key_not_in=[*keys, "plain"])
    assert await world.read(lambda c: HISTORIC_PROCESS_INSTANCES.count(c, asked)) == 0


async def test_of_many_shapes_of_questions_only_small_ones_are_kept(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "kept.db"))
    async with client_of(app) as client:
        for number in range(40, 100, 10):
            filters = [{"name": f"v{n}", "operator": "eq", "value": n} for n in range(number)]
            assert (await client.post("/external-task/count", json={"processVariables": filters})).status_code == 200
        assert _kept(app.state.store.database) < 20_000


def _kept(database: Database) -> int:
    """Characters of all statements that are kept."""
    caches = (
        engine.sync_engine.get_execution_options()["compiled_cache"] for engine in (database._reader, database._writer)
    )
    return sum(len(entry[1].string) for cache in caches for entry in cache._data.values())


async def test_no_large_statement_is_kept(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "kept.db"))
    async with client_of(app) as client:
        for number in range(260, 264):
            filters = [{"name": f"v{n}", "operator": "eq", "value": n} for n in range(number)]
            assert (await client.post("/external-task/count", json={"processVariables": filters})).status_code == 200
            topics = [{"topicName": f"t{n}", "lockDuration": 1000, "processVariables": {"a": n}} for n in range(number)]
            order = {"workerId": "w", "maxTasks": 1, "topics": topics[: number - 100]}
            assert (await client.post("/external-task/fetchAndLock", json=order)).json() == []
        assert _kept(app.state.store.database) < 60_000
