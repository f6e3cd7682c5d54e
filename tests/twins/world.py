"""A world lives: step after step on both engines, until neither moves; then everything is compared."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.contract.answers import moment
from tests.contract.waiting import eventually
from tests.twins import census
from tests.twins.comparing import Difference
from tests.twins.pair import Pair
from tests.twins.symbols import Ask
from tests.twins.twin import Twin

BATCH_POLL_SECONDS = 24 * 3600
"""Between two looks of a batch's monitor on both engines: it looks when the world says so, and never meanwhile."""

Row = dict[str, Any]


LOOKS_EARLY = (
    "batches: whoever ends the last job of a batch makes its monitor due at once in the store, also while the batch is "
    "suspended; in the reference engine it is due after its poll time"
)


class Parted(Exception):
    """The engines have gone different ways; this world says no more."""


async def live(pair: Pair, steps: list[Ask]) -> None:
    """Carry out the steps of a world that is empty. What a refused order did nevertheless shows after the next one.

    Raises:
        Difference: an answer, or the state after a step, differs without a known reason.
        Parted: for a known reason, one engine did what the other refused.
    """
    for step in steps:
        ours, theirs = (answer.is_success for answer in await pair.compare(step, "order"))
        if ours != theirs:
            raise Parted
        if theirs or step is steps[-1]:
            await asyncio.gather(*(settle(twin) for twin in pair.twins))
            await pair.clock.tick()
            if await _waits_for_its_monitor(pair.twins[0]):
                pair.tally.explained[LOOKS_EARLY] += 1
                raise Parted
            await census.take(pair)


async def settle(twin: Twin) -> None:
    """Wait until the job executor has nothing to do, and let batches end that wait for their monitor only."""

    async def idle() -> bool:
        jobs: list[Row] = await twin.engine.post("/job", {"withRetriesLeft": True, "active": True})
        if any(job["dueDate"] is None or moment(job["dueDate"]) <= datetime.now(UTC) for job in jobs):
            return False
        done = [batch for batch in await twin.engine.get("/batch/statistics") if _is_done(batch)]
        for batch in done:
            monitor = batch["monitorJobDefinitionId"]
            for job in jobs:
                if job["jobDefinitionId"] == monitor:
                    # It may run at this moment, and so be gone: any answer is right then.
                    await twin.engine.http.put(f"/job/{job['id']}/retries", json={"retries": 3, "dueDate": None})
        return not done

    await eventually(idle)


async def _waits_for_its_monitor(twin: Twin) -> bool:
    batches = await twin.engine.get("/batch/statistics", suspended=True)
    return any(batch["jobsCreated"] >= batch["totalJobs"] and batch["remainingJobs"] <= 0 for batch in batches)


def _is_done(batch: Row) -> bool:
    return not batch["suspended"] and batch["jobsCreated"] >= batch["totalJobs"] and batch["remainingJobs"] <= 0


async def wipe(pair: Pair) -> None:
    """Remove everything from both engines.

    Raises:
        Difference: they refuse differently, or something is left on one of them.
    """
    for twin in pair.twins:
        for path in ("/batch", "/history/batch", "/deployment"):
            for row in await twin.engine.get(path):
                query = "" if path == "/history/batch" else "?cascade=true"
                await eventually(partial(_deleted, twin, f"{path}/{row['id']}{query}"))
    await pair.clock.start()
    left = await census.take(pair)
    if any(left.values()):
        raise Difference(Ask("GET", "/"), f"not empty: {left}", [])


async def _deleted(twin: Twin, path: str) -> bool:
    return (await twin.engine.http.delete(path)).status_code in (204, 400, 404)
