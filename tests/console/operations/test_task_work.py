"""What became of the tasks of a wave, however it falls between two looks."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import EngineProblem, Unreachable
from retriage.console.operations.retry import SetRetries
from retriage.console.operations.task_work import TaskWork
from retriage.console.operations.work_counts import Obstacles, WorkCounts
from retriage.console.runs.gate import Gate, judge, sentence
from retriage.store.contract.history import HistoricExternalTaskLogQuery
from tests.console.runs.a_run import OUTAGE, ROOT, Scene, scene
from tests.support.fault_proxy import page


async def test_tasks_that_are_set_and_fail_of_the_same_words_between_two_looks_have_failed_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, 5) as world:
        client = EngineClient(httpx.AsyncClient(transport=world.transport, base_url=ROOT))
        ids = await world.ids()
        order = {"retries": 1, "externalTaskIds": ids}
        work = TaskWork(SetRetries(1), client.engine_now())
        batch = (await world.http.post("/external-task/retries-async", json=order)).json()
        work.add([(at, id, 0) for at, id in enumerate(ids)], [batch["id"]])
        assert (await work.look(client)).not_set == 5
        world.fail_all = OUTAGE
        await world.turn()
        await work.look(client)
        counts = await work.look(client)
        assert (counts.again, counts.not_set, counts.new_cause) == (5, 0, 0)


async def test_tasks_of_a_batch_that_ended_unseen_are_told_by_the_log(tmp_path: Path) -> None:
    async with scene(tmp_path, 4) as world:
        client = EngineClient(httpx.AsyncClient(transport=world.transport, base_url=ROOT))
        ids = await world.ids()
        order = {"retries": 1, "externalTaskIds": ids}
        work = TaskWork(SetRetries(1), client.engine_now())
        batch = (await world.http.post("/external-task/retries-async", json=order)).json()
        work.add([(at, id, 0) for at, id in enumerate(ids)], [batch["id"]])
        await work.look(client)
        world.fails = dict.fromkeys(ids[:3], OUTAGE)
        await world.turn()
        assert (await world.http.delete(f"/batch/{batch['id']}")).status_code in (204, 400)
        await work.look(client)
        counts = await work.look(client)
        assert (counts.again, counts.done, counts.not_set) == (3, 1, 0)


class Watched:
    """A wave of all tasks of a scene, and a console that looks at it."""

    def __init__(self, world: Scene) -> None:
        self.world = world
        self.client = EngineClient(httpx.AsyncClient(transport=world.transport, base_url=ROOT))
        self.work = TaskWork(SetRetries(1), self.client.engine_now())
        self.batch = ""

    async def send(self) -> None:
        ids = await self.world.ids()
        order = {"retries": 1, "externalTaskIds": ids}
        self.batch = (await self.world.http.post("/external-task/retries-async", json=order)).json()["id"]
        self.work.add([(at, id, 0) for at, id in enumerate(ids)], [self.batch])

    async def look(self) -> WorkCounts:
        return await self.work.look(self.client)


async def test_one_failed_answer_about_its_batch_makes_no_unset_task_failed_again(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        watched = Watched(world)
        await watched.send()
        world.faults.play(page(502), on="/batch/statistics", times=1)
        with pytest.raises(EngineProblem):
            await watched.look()
        for _ in range(3):
            counts = await watched.look()
            assert (counts.not_set, counts.again) == (6, 0)
        await world.turn()
        await watched.look()
        counts = await watched.look()
        assert (counts.done, counts.again) == (6, 0)


async def test_one_failed_answer_of_the_log_loses_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(tmp_path, 6) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        await world.turn()
        read, lost = watched.client.external_task_log, []

        async def once_lost(query: HistoricExternalTaskLogQuery, first: int, size: int) -> Any:
            if query.failure_log and not lost:
                lost.append(query)
                raise Unreachable("The engine cannot be reached.")
            return await read(query, first, size)

        monkeypatch.setattr(watched.client, "external_task_log", once_lost)
        with pytest.raises(Unreachable):
            await watched.look()
        counts = await watched.look()
        assert (counts.done, counts.total) == (6, 6)


async def test_a_batch_that_somebody_deletes_is_noticed_with_its_tasks_not_set(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        assert (await world.http.delete(f"/batch/{watched.batch}")).status_code == 204
        await watched.look()
        counts = await watched.look()
        assert (counts.not_set, counts.again, watched.work.obstacles.deleted) == (6, 0, watched.batch)


async def test_a_batch_that_was_deleted_when_all_was_set_is_no_obstacle(tmp_path: Path) -> None:
    async with scene(tmp_path, 3) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        await world.carry_out()
        await world.http.delete(f"/batch/{watched.batch}")
        await watched.look()
        counts = await watched.look()
        assert (counts.waiting, counts.again, watched.work.obstacles.deleted) == (3, 0, "")


async def test_retries_that_are_taken_back_before_they_were_seen_are_changed(tmp_path: Path) -> None:
    async with scene(tmp_path, 3) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        await world.carry_out()
        assert not world.sql("SELECT 1 FROM batch WHERE end_time IS NULL"), "the batch has ended"
        for id in await world.ids():
            assert (await world.http.put(f"/external-task/{id}/retries", json={"retries": 0})).status_code == 204
        await watched.look()
        counts = await watched.look()
        assert (counts.changed, counts.not_set, counts.again) == (3, 0, 0)


async def test_what_keeps_the_tasks_of_a_wave_waiting_is_named(tmp_path: Path) -> None:
    async with scene(tmp_path, 4) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        assert watched.work.obstacles == Obstacles(jobs_left=4)
        await world.http.put(f"/batch/{watched.batch}/suspended", json={"suspended": True})
        await watched.look()
        assert watched.work.obstacles == Obstacles(suspended=watched.batch, jobs_left=4)
        await world.http.put(f"/batch/{watched.batch}/suspended", json={"suspended": False})
        await world.carry_out()
        (instance,) = world.sql("SELECT process_instance_id FROM external_task LIMIT 1")[0]
        await world.http.put(f"/process-instance/{instance}/suspended", json={"suspended": True})
        await watched.look()
        counts = await watched.look()
        assert (counts.waiting, counts.suspended, watched.work.obstacles) == (4, 1, Obstacles())


async def test_a_task_that_is_locked_and_suspended_is_both(tmp_path: Path) -> None:
    async with scene(tmp_path, 3) as world:
        watched = Watched(world)
        await watched.send()
        await watched.look()
        await world.carry_out()
        body = {"workerId": "w", "maxTasks": 2, "topics": [{"topicName": "charge", "lockDuration": 60_000}]}
        taken = (await world.http.post("/external-task/fetchAndLock", json=body)).json()
        for task in taken:
            path = f"/process-instance/{task['processInstanceId']}/suspended"
            assert (await world.http.put(path, json={"suspended": True})).status_code == 204
        await watched.look()
        counts = await watched.look()
        assert (counts.locked, counts.waiting, counts.suspended) == (2, 1, 2)
        over = judge(Gate(0.1), counts, watch_over=True)
        assert over.cause == "still-locked"
        assert sentence(over, Gate(0.1), 60.0).endswith(" 2 of them are suspended.")
