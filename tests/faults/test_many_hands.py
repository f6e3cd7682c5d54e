"""Workers, operators and deployers on one PostgreSQL database at the same time: what is left fits together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.commands.instances import start
from store.commands.removals import remove_deployment
from store.contract.errors import ContractError
from store.database import Database
from store.tables import Deployment, ProcessDefinition, ProcessInstance
from tests.faults.conftest import Open
from tests.store.drawings import ONE_TASK
from tests.store.running import Engine

pytestmark = pytest.mark.postgresql

PATIENCE = 60.0
LOOSE = """
    SELECT 'instance' FROM process_instance WHERE process_definition_id NOT IN (SELECT id FROM process_definition)
    UNION ALL SELECT 'task' FROM external_task WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'token' FROM execution WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'variable' FROM variable WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
    UNION ALL SELECT 'log' FROM external_task_log WHERE process_instance_id NOT IN (SELECT id FROM process_instance)
"""
"""Rows whose parent is gone."""
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

Deed = Callable[[AsyncConnection], Awaitable[object]]


async def found(database: Database, statement: str) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def follow(database: Database, first: Deed, second: Deed) -> object:
    """The second begins when the first has done its work, and before it commits; gives what the second gave."""

    async def followed() -> object:
        async with database.writing() as connection:
            return await second(connection)

    async with database.writing() as connection:
        await first(connection)
        following = asyncio.create_task(followed())
        async with asyncio.timeout(PATIENCE):
            while not following.done():
                if await found(database, WAITING):
                    break
                await asyncio.sleep(0.02)
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
