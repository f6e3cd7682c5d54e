"""A whole order is one hop to the thread of its connection and one back, and nothing else needs a thread."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant

from retriage.store.api.router import Route
from retriage.store.api.routes import ROUTERS
from retriage.store.batch.launch import launch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.commands import instances, workers
from retriage.store.contract.orders import CompleteTask, FetchAndLock, SetExternalTaskRetries
from retriage.store.database.sqlite import FileConnection
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from retriage.store.tables import ProcessInstance
from tests.store.drawings import ONE_TASK
from tests.store.running import opened
from tests.support.plain import plain_world


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is handed over to the threads of connections that are opened from now on."""
    found: list[object] = []
    made = FileConnection.__init__

    def counted(self: FileConnection, connector: Any) -> None:
        made(self, connector)
        put = self._tx.put_nowait

        class Counting:
            get = self._tx.get

            def put_nowait(self, item: Any) -> None:
                found.append(item)
                put(item)

        self._tx = Counting()  # type: ignore[assignment]

    monkeypatch.setattr(FileConnection, "__init__", counted)
    return found


async def test_an_order_is_one_hop(tmp_path: Path, hops: list[object]) -> None:
    async with opened(str(tmp_path / "store.db")) as engine:
        definition = await engine.deploy(ONE_TASK)
        topics = [{"topicName": "charge", "lockDuration": 60_000}]
        fetch = FetchAndLock.model_validate({"workerId": "w", "maxTasks": 1, "topics": topics})
        found: list[int] = []
        for _ in range(2):
            before = len(hops)
            await engine.database.write(partial(instances.start, definition_id=definition))
            found.append(len(hops) - before)
        before = len(hops)
        (task,) = await engine.database.write(partial(workers.fetch_and_lock, order=fetch))
        found.append(len(hops) - before)
        before = len(hops)
        await engine.database.write(partial(workers.complete, task_id=task.id, order=CompleteTask(worker_id="w")))
        found.append(len(hops) - before)
        assert found == [1, 1, 1, 1]


async def test_of_the_runner_each_transaction_is_one_hop(tmp_path: Path, hops: list[object]) -> None:
    async with opened(str(tmp_path / "store.db")) as engine:
        await plain_world(engine.database, 60)
        settings = StoreSettings(batch_jobs_per_seed=100)
        everything = SetExternalTaskRetries.model_validate({"retries": 0, "externalTaskQuery": {}})
        await launch(engine.database, plan_task_retries(everything, settings), settings)
        runner = Runner(engine.database, settings)
        found: list[tuple[int, int]] = []
        jobs = 1
        while jobs:
            before = len(hops)
            jobs = await runner.turn()
            found.append((jobs, len(hops) - before))
        # The seed job, its sixty jobs with the monitor job, and at last nothing: acquired, and carried out by kind.
        assert found == [(1, 2), (61, 3), (0, 1)]


def _readers(of: Dependant) -> Iterator[Any]:
    for dependency in of.dependencies:
        yield dependency.call
        yield from _readers(dependency)


def test_what_is_read_from_a_request_is_read_on_the_event_loop() -> None:
    readers = {
        reader for router in ROUTERS for route in router.routes if isinstance(route, Route)
        for reader in _readers(route.dependant)
    }  # fmt: skip
    assert len(readers) > 10
    # The framework calls anything else in a thread.
    assert [one for one in readers if not iscoroutinefunction(one) and not iscoroutinefunction(one.__call__)] == []


async def test_an_order_that_fails_leaves_nothing_and_the_connection_is_free(tmp_path: Path) -> None:
    async with opened(str(tmp_path / "store.db")) as engine:
        definition = await engine.deploy(ONE_TASK)

        async def fails(connection: Any) -> None:
            await instances.start(connection, definition)
            raise ValueError("no")

        async def gives_a_turn(connection: Any) -> str:
            await asyncio.sleep(0)
            return "done"

        class Waits:
            def __await__(self) -> Iterator[str]:
                yield "something"

        async def waits(connection: Any) -> None:
            await instances.start(connection, definition)
            await Waits()

        with pytest.raises(ValueError, match="no"):
            await engine.database.write(fails)
        with pytest.raises(RuntimeError, match="waited for something other"):
            await engine.database.write(waits)
        assert await engine.database.write(gives_a_turn) == "done"
        await engine.start(definition)
        assert len(await engine.rows(ProcessInstance)) == 1


async def test_a_connection_whose_opener_was_cancelled_is_closed() -> None:
    opening, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Watched(sqlite3.Connection):
        def close(self) -> None:
            super().close()
            closed.set()

    def connector() -> sqlite3.Connection:
        opening.set()
        go_on.wait(30)
        return sqlite3.connect(":memory:", factory=Watched)

    async def open_() -> None:
        async with FileConnection(connector):
            pass

    opener = asyncio.create_task(open_())
    await asyncio.to_thread(opening.wait, 30)
    opener.cancel()
    await asyncio.wait({opener})
    go_on.set()
    assert await asyncio.to_thread(closed.wait, 30)


def test_an_answer_for_an_event_loop_that_is_closed_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    lamented: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lamented.append)
    go_on = threading.Event()

    async def leave_at_once() -> FileConnection:
        connection = FileConnection(lambda: sqlite3.connect(":memory:"))
        await connection
        connection._tx.put_nowait((None, partial(go_on.wait, 30)))
        connection.stop()
        return connection

    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(leave_at_once())
    loop.close()
    go_on.set()
    connection._thread.join(30)
    assert not connection._thread.is_alive()
    assert not lamented
