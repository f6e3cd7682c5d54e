"""What became of the tasks of a wave, however it falls between two looks."""

from pathlib import Path

import httpx

from console.engine.client import EngineClient
from console.runs.wave_work import WaveWork
from tests.console.runs.a_run import OUTAGE, ROOT, scene


async def test_tasks_that_are_set_and_fail_of_the_same_words_between_two_looks_have_failed_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, 5) as world:
        client = EngineClient(httpx.AsyncClient(transport=world.transport, base_url=ROOT))
        ids = await world.ids()
        order = {"retries": 1, "externalTaskIds": ids}
        work = WaveWork(1, client.engine_now())
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
        work = WaveWork(1, client.engine_now())
        batch = (await world.http.post("/external-task/retries-async", json=order)).json()
        work.add([(at, id, 0) for at, id in enumerate(ids)], [batch["id"]])
        await work.look(client)
        world.fails = dict.fromkeys(ids[:3], OUTAGE)
        await world.turn()
        assert (await world.http.delete(f"/batch/{batch['id']}")).status_code in (204, 400)
        await work.look(client)
        counts = await work.look(client)
        assert (counts.again, counts.done, counts.not_set) == (3, 1, 0)
