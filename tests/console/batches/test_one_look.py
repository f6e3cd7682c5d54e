"""The page of a batch shows one look: its statistics first, everything else right after, under one time."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.console.engine.errors import Denied, Slow
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane
from retriage.store.contract.records import BatchStatistics, Job
from tests.console.fake import FakeEngine, job, statistics
from tests.console.settle import console, lines, text, until

JOBS = 60


class Working(FakeEngine):
    """An engine that carries a batch out in steps; its own books are its jobs.

    Every answer is of the step at which it is given, and each list of jobs is one step later than the one before, so
    figures of two looks never agree.
    """

    def __init__(self) -> None:
        super().__init__(10)
        self.left = JOBS
        self.log: list[str] = []
        self.refuses: dict[str, Exception] = {}

    def carry_out(self, number: int) -> None:
        self.left = max(self.left - number, 0)

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        self.log.append("statistics")
        done = JOBS - self.left
        self.running = {"b1": statistics("b1", JOBS, JOBS, done).model_copy(update={"start_time": BEGAN})}
        return await super().batches(query, first, size)

    async def jobs(self, query: Any, first: int, size: int) -> list[Job]:
        self.log.append("jobs")
        if "jobs" in self.refuses:
            raise self.refuses["jobs"]
        self.all_jobs = [job(f"j{at}", 3, None).model_copy(update={"batch_id": "b1"}) for at in range(self.left)]
        return await super().jobs(query, first, size)

    async def historic_incidents(self, query: Any, first: int, size: int) -> list[Any]:
        if "incidents" in self.refuses:
            raise self.refuses["incidents"]
        return await super().historic_incidents(query, first, size)


BEGAN = datetime.now(UTC)


def page_says(app: Any) -> dict[str, str]:
    """What the parts of the page say, as one would read them."""
    screen = app.screen
    jobs = screen.query_one("#jobs", LineTable)
    return {
        "engine": screen.query_one("#engine", Pane).text,
        "doctor": screen.query_one("#doctor", Pane).text,
        "jobs": "\n".join(" ".join(cell.text for cell in row.cells) for row in jobs.in_sight()),
    }


async def opened(app: Any, pilot: Any) -> None:
    await until(pilot, lambda: app.screen.table.row is not None)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "ready" in page_says(app)["jobs"])


async def test_after_a_pause_the_jobs_are_those_of_the_statistics_beside_them() -> None:
    engine = Working()
    async with console(engine, (120, 40), view="batches") as (app, pilot):
        await opened(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: "PAUSED" in lines(app)[0])
        engine.carry_out(40)
        await pilot.press("p")
        await until(pilot, lambda: "40 done  20 left" in page_says(app)["engine"])
        assert "ready batch 20 " in page_says(app)["jobs"]


async def test_whoever_reads_the_statistics_meanwhile_no_part_of_the_page_moves_alone() -> None:
    engine = Working()
    async with console(engine, (120, 40), view="batches") as (app, pilot):
        await opened(app, pilot)
        follower = app.session.watch
        for done in (7, 13, 20):
            engine.carry_out(done)
            await follower.look()  # as the list of batches and the line of the views do
            await pilot.pause()
            told = page_says(app)
            (left,) = {word for word in range(JOBS + 1) if f"  {word} left" in told["engine"]}
            assert f"ready batch {left} " in told["jobs"], told
            await pilot.press("r")
            await until(pilot, lambda: f"  {engine.left} left" in page_says(app)["engine"])
            assert f"ready batch {engine.left} " in page_says(app)["jobs"] or not engine.left


async def test_a_look_reads_the_statistics_before_anything_else() -> None:
    engine = Working()
    async with console(engine, (120, 40), view="batches") as (app, pilot):
        await opened(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: "PAUSED" in lines(app)[0])
        engine.log.clear()
        await pilot.press("r")
        await until(pilot, lambda: len(engine.log) > 2)
        assert engine.log[0] == "statistics"
        assert engine.log.count("statistics") == 1


async def test_the_page_bears_the_time_of_its_look() -> None:
    engine = Working()
    async with console(engine, (120, 40), view="batches") as (app, pilot):
        before = datetime.now(UTC).replace(microsecond=0)
        await opened(app, pilot)
        (at,) = {line.partition("as of ")[2][:9] for line in lines(app) if "as of" in line}
        told = datetime.combine(before.date(), datetime.strptime(at, "%H:%M:%SZ").time(), UTC)
        assert before <= told <= datetime.now(UTC)
        engine.gone = True
        await asyncio.sleep(0)
        await pilot.press("r")
        await until(pilot, lambda: "STALE" in lines(app)[0])
        assert f"as of {at}" in text(app)


@pytest.mark.parametrize(
    ("part", "problem", "said"),
    [
        ("jobs", Denied("The engine does not allow this: no.", 403, "AuthorizationException"), "could not be read now"),
        ("jobs", Slow("The engine did not answer in time."), "could not be read now: The engine did not answer"),
        ("incidents", Slow("The engine did not answer in time."), "Not read now: The engine did not answer"),
    ],
)
async def test_what_could_not_be_read_says_so_and_the_rest_is_of_this_look(
    part: str, problem: Exception, said: str
) -> None:
    engine = Working()
    async with console(engine, (160, 45), view="batches") as (app, pilot):
        await opened(app, pilot)
        engine.refuses[part] = problem
        engine.carry_out(25)
        await pilot.press("r")
        await until(pilot, lambda: "25 done  35 left" in page_says(app)["engine"])
        assert said in " ".join(text(app).split())
        assert "ready batch 60" not in page_says(app)["jobs"]
