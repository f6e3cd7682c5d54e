"""Stores for the tests, and short words for what is done with them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from retriage.store.commands import instances, workers
from retriage.store.commands.deployments import deploy
from retriage.store.commands.typed import typed
from retriage.store.contract.deployments import BpmnError
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import CompleteTask, FailTask, FetchAndLock
from retriage.store.contract.records import LockedExternalTask, ProcessInstance
from retriage.store.database import Database, open_database
from retriage.store.tables.types import col
from tests.engines.postgres import fresh_database

STORES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@asynccontextmanager
async def store_at(request: pytest.FixtureRequest, kind: str) -> AsyncIterator[str]:
    """A place for a store of this kind, empty and not yet opened."""
    if kind == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        yield str(folder / "store.db")
        return
    async with fresh_database(request.getfixturevalue("postgresql")) as url:
        yield url


@asynccontextmanager
async def opened(place: str) -> AsyncIterator["Engine"]:
    """The store at this place, open."""
    database = await open_database(place)
    try:
        yield Engine(database)
    finally:
        await database.close()


class Engine:
    """A database with the orders that tests give again and again. Each is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def deploy(self, *files: bytes, **how: Any) -> str:
        """Deploy files; gives the id of the first definition."""
        async with self.database.writing() as connection:
            named = {f"file{number}.bpmn": content for number, content in enumerate(files)}
            return (await deploy(connection, "test", named, **how)).definitions[0].id

    async def start(self, definition: str, business_key: str | None = None, **variables: Any) -> ProcessInstance:
        """Start an instance with variables given as plain values."""
        given = typed({name: {"value": value} for name, value in variables.items()})
        async with self.database.writing() as connection:
            return await instances.start(connection, definition, business_key=business_key, variables=given)

    async def fetch(self, *topics: str | Mapping[str, Any], most: int = 10, **more: Any) -> list[LockedExternalTask]:
        """Fetch for the worker ``w`` and a minute, if nothing else is said."""
        wanted = [{"topicName": topic} if isinstance(topic, str) else topic for topic in topics]
        asked = [{"lockDuration": 60_000, **topic} for topic in wanted]
        order = {"workerId": "w", "maxTasks": most, "topics": asked, **more}
        async with self.database.writing() as connection:
            return await workers.fetch_and_lock(connection, FetchAndLock.model_validate(order))

    async def complete(self, task: LockedExternalTask, **variables: Any) -> None:
        """Complete a task with variables given as plain values."""
        given = {name: {"value": value} for name, value in variables.items()}
        async with self.database.writing() as connection:
            await workers.complete(connection, task.id, CompleteTask(worker_id="w", variables=given))

    async def fail(self, task: LockedExternalTask, retries: int = 0, **more: Any) -> None:
        """Fail a task."""
        async with self.database.writing() as connection:
            await workers.fail(connection, task.id, FailTask(worker_id="w", retries=retries, **more))

    async def bpmn_error(self, task: LockedExternalTask, code: str, **more: Any) -> None:
        """Report an error of the business."""
        async with self.database.writing() as connection:
            await workers.bpmn_error(connection, task.id, BpmnError(worker_id="w", error_code=code, **more))

    async def rows(self, table: Any, **where: Any) -> list[Any]:
        """Rows of a table, by id."""
        conditions = [col(getattr(table, name)) == value for name, value in where.items()]
        async with self.database.reading() as connection:
            found = await connection.execute(
                select(*table.__table__.c).where(*conditions).order_by(*table.__table__.primary_key)
            )
            return list(found)

    async def row(self, table: Any, **where: Any) -> Any:
        """The only such row."""
        (found,) = await self.rows(table, **where)
        return found


@asynccontextmanager
async def refused(status: int, message: str, type_: str | None = None) -> AsyncIterator[None]:
    """The block must be refused with this status and exactly this message."""
    with pytest.raises(ContractError) as caught:
        yield
    assert (caught.value.status, caught.value.message) == (status, message)
    if type_ is not None:
        assert caught.value.body.type == type_


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the contract inside this process; the store is open meanwhile."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://store/engine-rest", timeout=30) as client,
    ):
        yield client
