"""A run on an engine that answers one question, whichever it is, with an empty list: the books of the engine tell."""

import asyncio
from pathlib import Path

import httpx
import pytest

from retriage.console.operations.retry import SetRetries
from retriage.console.runs.events import RunEnded
from retriage.console.runs.gate import Gate
from retriage.console.runs.run import RunOrder
from retriage.console.runs.waves import waves_of
from tests.console.runs.a_run import OUTAGE, scene

TASKS = 6


class Forgetful(httpx.AsyncBaseTransport):
    """Leaves out all rows of one answer that had some, counted from 1."""

    def __init__(self, engine: httpx.AsyncBaseTransport, empty: int) -> None:
        self._engine = engine
        self.empty = empty
        self.lists: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._engine.handle_async_request(request)
        content = await answer.aread()
        if content.startswith(b"[{"):
            self.lists.append(f"{request.method} {request.url.raw_path.decode()}")
            if len(self.lists) == self.empty:
                content = b"[]"
        return httpx.Response(answer.status_code, content=content, headers={"Content-Type": "application/json"})


async def night(folder: Path, empty: int) -> tuple[dict[str, str], list[str]]:
    """What became of each task as the run has it, and which answers had rows."""
    await asyncio.to_thread(folder.mkdir)
    async with scene(folder, TASKS) as world:
        run = await world.begin(RunOrder("all", SetRetries(1), waves_of("3, rest"), gate=Gate(0.5)))
        forgetful = Forgetful(httpx.ASGITransport(world.app, raise_app_exceptions=False), empty)
        world.transport._engine = forgetful
        ids = await world.ids()
        world.fails = {ids[0]: OUTAGE}
        world.idle = {ids[1]}
        (instance,) = world.sql("SELECT process_instance_id FROM external_task WHERE id = ?", ids[1])[0]
        turns = 0

        async def turn() -> None:
            nonlocal turns
            turns += 1
            await world.turn()
            if turns == 4:
                assert (await world.http.delete(f"/process-instance/{instance}")).status_code == 204

        world.clock.turned = turn
        ended = await world.drive(run)
        asked = forgetful.lists[empty - 1] if empty else "nothing"
        assert isinstance(ended, RunEnded), (asked, ended)
        outcomes = dict(world.remembered("SELECT task_id, outcome FROM run_task"))
        done = {row[0] for row in world.sql("SELECT external_task_id FROM external_task_log WHERE state = ?", 2)}
        assert {id for id, what in outcomes.items() if what == "done"} == done, asked
        assert [outcomes[ids[0]], outcomes[ids[1]]] == ["again", "cancelled"], asked
        return outcomes, forgetful.lists


@pytest.mark.long  # some forty runs
async def test_one_empty_answer_changes_nothing_that_a_run_says(tmp_path: Path) -> None:
    _, lists = await night(tmp_path / "whole", 0)
    for empty in range(1, len(lists) + 1):
        await night(tmp_path / str(empty), empty)
