"""Workers, operators and deployers on one PostgreSQL database at the same time: what is left fits together."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.api import router
from retriage.store.commands.instances import set_suspended_in_bulk, set_suspended_of_one, start
from retriage.store.commands.removals import remove_deployment
from retriage.store.commands.workers import complete, unlock
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import CompleteTask
from retriage.store.database import Database
from retriage.store.embedded import embedded_app
from retriage.store.tables import Deployment, ProcessDefinition, ProcessInstance
from tests.faults.conftest import Open
from tests.store.drawings import ONE_TASK, START, catch, file, flows, process, task
from tests.store.running import Engine, client_of
from tests.support.plain import plain_world

pytestmark = pytest.mark.postgresql

PATIENCE = 60.0
WAYS = ("begin>a", "a>b", "again>b", "b>a", "back>a")
ROUND = file(process(START, task("a"), task("b"), catch("again", "a"), catch("back", "b"), flows(*WAYS)))
"""Tasks for ever: one after the other."""
LOOSE = """
    SELECT 'instance' FROM process_instance WHERE process_definition_id NOT IN (SELECT id FROM process_definition)
    UNION ALL SELECT 'task' FROM external_task WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'token' FROM execution WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'variable' FROM variable WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'log' FROM external_task_log WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
"""
"""Rows whose parent is gone."""
TORN = """
    SELECT task.id FROM external_task task JOIN process_instance instance ON instance.id = task.process_instance_id
    WHERE instance.end_time IS NOT NULL OR task.suspended <> (instance.state = 'SUSPENDED')
"""
"""Tasks that are not as their instance is."""
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

Deed = Callable[[AsyncConnection], Awaitable[object]]


async def found(database: Database, statement: str) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def done(database: Database, deed: Deed) -> object:
    async with database.writing() as connection:
        return await deed(connection)


async def nothing() -> None:
    """Takes no time."""


async def follow(
    database: Database, first: Deed, second: Deed, meanwhile: Callable[[], Awaitable[None]] = nothing
) -> object:
    """The second begins when the first has done its work, and before it commits; gives what the second gave.

    ``meanwhile`` is done while the second waits for the first.
    """
    async with database.writing() as connection:
        await first(connection)
        following = asyncio.create_task(done(database, second))
        async with asyncio.timeout(PATIENCE):
            while not following.done():
                if await found(database, WAITING):
                    break
                await asyncio.sleep(0.02)
        await meanwhile()
    return await following


async def test_a_deployment_is_removed_with_what_is_just_being_started(database: Database) -> None:
    engine = Engine(database)
    definition = await engine.deploy(ONE_TASK)
    (deployment,) = await engine.rows(Deployment)
    await follow(
        database,
        lambda connection: start(connection, definition),
        lambda connection: remove_deployment(connection, deployment.id, cascade=True),
    )
    assert await found(database, LOOSE) == []
    assert not await engine.rows(ProcessInstance)


async def test_a_start_waits_for_who_removes_its_definition(database: Database) -> None:
    engine = Engine(database)
    definition = await engine.deploy(ONE_TASK)
    (deployment,) = await engine.rows(Deployment)
    with pytest.raises(ContractError, match="no deployed process definition found"):
        await follow(
            database,
            lambda connection: remove_deployment(connection, deployment.id, cascade=True),
            lambda connection: start(connection, definition),
        )
    assert not await engine.rows(ProcessInstance)


async def test_the_second_to_remove_a_deployment_finds_none(database: Database) -> None:
    engine = Engine(database)
    await engine.deploy(ONE_TASK)
    (deployment,) = await engine.rows(Deployment)
    with pytest.raises(ContractError, match="do not exist"):
        await follow(
            database,
            lambda connection: remove_deployment(connection, deployment.id),
            lambda connection: remove_deployment(connection, deployment.id),
        )


async def test_many_start_what_others_remove(another: Open, database: Database) -> None:
    engine = Engine(database)
    definitions = [await engine.deploy(ONE_TASK) for _ in range(8)]
    deployments = [row.id for row in await engine.rows(Deployment)]
    started: list[str] = []
    some = asyncio.Event()

    async def starter() -> None:
        own = Engine(await another())
        for definition in definitions:
            for _ in range(100):
                try:
                    started.append((await own.start(definition, amount=1)).id)
                except ContractError:
                    break
                if len(started) % 20 == 0:
                    some.set()

    async def remover() -> None:
        own = await another()
        for deployment in deployments:
            await some.wait()
            some.clear()
            async with own.writing() as connection:
                await remove_deployment(connection, deployment, cascade=True)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(remover(), *(starter() for _ in range(6)))
    assert not await engine.rows(ProcessDefinition)
    assert await found(database, LOOSE) == []


def every_instance(**order: Any) -> Deed:
    """Suspend all running instances."""
    wanted = SetInstancesSuspended.model_validate({"suspended": True, "processInstanceQuery": {}, **order})
    return lambda connection: set_suspended_in_bulk(connection, wanted)


async def test_nobody_completes_what_is_being_suspended(database: Database) -> None:
    engine = Engine(database)
    await engine.start(await engine.deploy(ROUND))
    (one,) = await engine.fetch("a")
    with pytest.raises(ContractError, match="is suspended"):
        await follow(
            database,
            every_instance(),
            lambda connection: complete(connection, one.id, CompleteTask(worker_id="w")),
        )
    assert await found(database, TORN) == []


@pytest.mark.parametrize("by", ["query", "ids", "definition", "key", "one"])
async def test_what_is_just_being_made_is_suspended_too(database: Database, by: str) -> None:
    engine = Engine(database)
    definition = await engine.deploy(ROUND)
    instance = (await engine.start(definition)).id
    (one,) = await engine.fetch("a")
    ways: dict[str, Deed] = {
        "query": every_instance(processInstanceQuery={"active": True}),
        "ids": every_instance(processInstanceQuery=None, processInstanceIds=[instance]),
        "definition": every_instance(processInstanceQuery=None, processDefinitionId=definition),
        "key": every_instance(processInstanceQuery=None, processDefinitionKey="order"),
        "one": lambda connection: set_suspended_of_one(connection, instance, True),
    }
    await follow(database, lambda connection: complete(connection, one.id, CompleteTask(worker_id="w")), ways[by])
    assert await found(database, "SELECT topic_name, suspended FROM external_task") == [("b", True)]
    assert await found(database, TORN) == []


async def test_an_order_changes_only_what_it_keeps(database: Database) -> None:
    """An instance that its query would find only later is left to whoever has it."""
    engine = Engine(database)
    definition = await engine.deploy(ROUND)
    asleep, awake = [(await engine.start(definition)).id for _ in range(2)]
    await done(database, lambda connection: set_suspended_of_one(connection, asleep, True))
    (one,) = await engine.fetch("a")

    async def wake() -> None:
        await done(database, lambda connection: set_suspended_of_one(connection, asleep, False))

    await follow(
        database,
        lambda connection: complete(connection, one.id, CompleteTask(worker_id="w")),
        every_instance(processInstanceQuery={"active": True}),
        meanwhile=wake,
    )
    states = await found(database, "SELECT id, state FROM process_instance ORDER BY id")
    assert states == [(asleep, "ACTIVE"), (awake, "SUSPENDED")]
    assert await found(database, TORN) == []


async def test_workers_and_operators_on_the_same_instances(another: Open, database: Database) -> None:
    engine = Engine(database)
    definition = await engine.deploy(ROUND)
    instances = [(await engine.start(definition)).id for _ in range(24)]
    busy = asyncio.Event()

    async def worker(number: int) -> None:
        own = Engine(await another())
        while not busy.is_set():
            for one in await own.fetch("a", "b", most=4):
                with suppress(ContractError):  # it has been suspended meanwhile
                    if number % 3 == 0:
                        await own.complete(one, amount=number)
                    elif number % 3 == 1:
                        await own.bpmn_error(one, "AGAIN")
                    else:
                        await own.fail(one, 5, variables={"amount": {"value": number}}, retry_timeout=0)
                    continue
                async with own.database.writing() as connection:
                    with suppress(ContractError):
                        await unlock(connection, one.id)

    async def operator(*orders: dict[str, Any]) -> None:
        own = await another()
        for number in range(60):
            wanted = {"suspended": number % 2 == 0, **orders[number % len(orders)]}
            with suppress(ContractError):  # nothing is active, or nothing suspended
                async with own.writing() as connection:
                    await set_suspended_in_bulk(connection, SetInstancesSuspended.model_validate(wanted))

    workers = [asyncio.create_task(worker(number)) for number in range(6)]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(
            operator({"processInstanceQuery": {"active": True}}, {"processInstanceQuery": {"suspended": True}}),
            operator({"processInstanceIds": instances}, {"processInstanceIds": instances[::-1]}),
            operator({"historicProcessInstanceQuery": {}}, {"processDefinitionId": definition}),
            operator({"processDefinitionKey": "order"}),
        )
        busy.set()
        await asyncio.gather(*workers)
    assert await found(database, TORN) == []
    assert await found(database, LOOSE) == []
    places = "SELECT count(*), count(DISTINCT process_instance_id) FROM external_task"
    assert await found(database, places) == [(len(instances), len(instances))]


@pytest.mark.parametrize("attempts", [router.ATTEMPTS, 1])
async def test_a_request_that_loses_a_deadlock(
    place: str, another: Open, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    monkeypatch.setattr(router, "ATTEMPTS", attempts)
    database = await another()
    await plain_world(database, 2, retries=3)
    first, last = (row[0] for row in await found(database, "SELECT id FROM external_task ORDER BY id"))
    keeps = "SELECT 1 FROM external_task WHERE id = :id FOR UPDATE"
    order = {"retries": 7, "externalTaskIds": [first, last]}
    lost = False
    async with client_of(embedded_app(place)) as http, asyncio.timeout(PATIENCE):
        while not lost:
            with suppress(
                OperationalError
            ):  # a busy machine made the request look for the deadlock before there was one
                async with database.writing() as connection:
                    await connection.execute(text(keeps), {"id": last})
                    asking = asyncio.create_task(http.put("/external-task/retries", json=order))
                    while not asking.done() and not await found(database, WAITING):  # noqa: ASYNC110  the server's wait
                        await asyncio.sleep(0.02)
                    await connection.execute(text(keeps), {"id": first})  # the request has waited longer: it gives way
                    lost = True
            answer = await asking
            if not lost:
                assert (await http.put("/external-task/retries", json=order | {"retries": 3})).status_code == 204
    retries = await found(database, "SELECT DISTINCT retries FROM external_task")
    if attempts > 1:
        assert (answer.status_code, retries) == (204, [(7,)])
    else:
        assert (answer.status_code, retries) == (500, [(3,)])
        assert (answer.json()["type"], answer.json()["code"]) == ("ProcessEnginePersistenceException", 10000)
