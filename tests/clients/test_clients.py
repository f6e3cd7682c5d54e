"""Workers made with clients of others: what became of each task stands in the engine's state."""

import asyncio
import base64
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.clients.office import FATES, Office
from tests.clients.working import Kind, Worker, at_work
from tests.contract.engine import Engine
from tests.contract.waiting import eventually

pytestmark = pytest.mark.clients

_ROUNDS = 20
_LOG_OF_WORK = {
    "done": {"creationLog": 2, "successLog": 1},
    "long": {"creationLog": 2, "successLog": 1},
    "flaky": {"creationLog": 2, "failureLog": 1, "successLog": 1},
    "fail": {"creationLog": 1, "failureLog": 1},
    "declined": {"creationLog": 3, "deletionLog": 1, "successLog": 1},
    "unheard": {"creationLog": 1, "deletionLog": 1},
}


def _root(engine: Engine) -> str:
    return str(engine.http.base_url).rstrip("/")


async def test_every_report_of_several_workers(engine: Engine, office: Office, kind: Kind) -> None:
    workers = await _carry_out(engine, office, [kind, kind])
    assert all(worker.counts["task"] for worker in workers), "one worker took everything"


async def test_workers_of_both_kinds_side_by_side(
    engine: Engine, office: Office, both_kinds: tuple[Kind, Kind]
) -> None:
    await _carry_out(engine, office, [*both_kinds, *both_kinds])


async def _carry_out(engine: Engine, office: Office, kinds: list[Kind]) -> list[Worker]:
    """Let such workers do all there is to do, and check what became of every instance."""
    instances = {await office.start(fate, number): (fate, number) for number in range(_ROUNDS) for fate in FATES}
    # As long as a busy machine may need: a task that is done twice would show below.
    options = {"maxTasks": 5, "lockDuration": 600_000, "asyncResponseTimeout": 20_000}
    async with AsyncExitStack() as stack:
        names = [f"{kind}-{number}" for number, kind in enumerate(kinds)]
        workers = [
            await stack.enter_async_context(at_work(kind, _root(engine), name, [office.work, office.good], **options))
            for kind, name in zip(kinds, names, strict=True)
        ]
        await eventually(lambda: office.settled(len(instances)), within=300, every=0.1)
    assert [error for worker in workers for error in worker.errors] == []
    for instance, (fate, number) in instances.items():
        await _check(office, instance, fate, number, names)
    return workers


async def _check(office: Office, instance: str, fate: str, number: int, names: list[str]) -> None:
    assert await office.log(instance) == Counter(_LOG_OF_WORK[fate])
    if fate == "unheard":
        ended = await office.engine.get(f"/history/process-instance/{instance}")
        assert ended["state"] == "COMPLETED"
        return
    (task,) = await office.waiting(processInstanceId=instance)
    known = await office.variables(instance)
    assert (known["fate"], known["amount"], task["businessKey"]) == (fate, number, f"{fate}-{number}")
    if fate == "fail":
        assert (task["activityId"], task["retries"], task["errorMessage"]) == ("Work", 0, "503 from the bank")
        details = await office.engine.http.get(f"/external-task/{task['id']}/errorDetails")
        assert details.text == "line 1\nline 2"
        (incident,) = await office.engine.get("/incident", configuration=task["id"])
        assert incident["incidentMessage"] == "503 from the bank"
        return
    assert (task["activityId"], task["workerId"], task["retries"]) == ("Check", None, None)
    if fate == "declined":
        assert (known["score"], known["why"], known["madeGood"]) == (0.25, "by the issuer", True)
    else:
        assert (known["doubled"], known["text"]) == (number * 2, "ünï ✓")
        assert known["by"] in names
        assert "mine" not in known, "a local variable of the task outlived it"


async def test_a_worker_reads_a_file(engine: Engine, office: Office, kind: Kind) -> None:
    info = {"filename": "paper.txt", "mimeType": "text/plain", "encoding": "utf-8"}
    paper = {"type": "File", "value": base64.b64encode("Zwölf ✓".encode()).decode(), "valueInfo": info}
    instance = await office.start("read", paper=paper)
    options = {"maxTasks": 1, "lockDuration": 600_000, "asyncResponseTimeout": 20_000}
    async with at_work(kind, _root(engine), "reader", [office.work], **options) as worker:
        await eventually(lambda: office.settled(1), within=120, every=0.1)
        assert worker.errors == []
    assert (await office.variables(instance))["read"] == "Zwölf ✓"


async def test_a_parked_fetch_wakes_up_for_each_new_task(engine: Engine, office: Office, kind: Kind) -> None:
    options = {"maxTasks": 1, "lockDuration": 600_000, "asyncResponseTimeout": 25_000}
    rounds = 15
    async with at_work(kind, _root(engine), "patient", [office.work], **options) as worker:
        for number in range(rounds):
            await worker.until(lambda number=number: worker.counts["poll"] == number + 1)  # type: ignore[misc]
            await office.start("done", number)
            await worker.until(lambda number=number: worker.counts["task"] == number + 1)  # type: ignore[misc]
        await eventually(lambda: office.settled(rounds))
        await worker.until(lambda: worker.counts["poll"] == rounds + 1)
    # Had one of its requests come back without a task, there would be more of them.
    assert (worker.counts["poll"], worker.counts["task"]) == (rounds + 1, rounds)
    assert worker.errors == []


async def test_a_worker_killed_in_the_middle_loses_nothing(engine: Engine, office: Office, kind: Kind) -> None:
    instances = [await office.start("hang", number) for number in range(8)]
    async with at_work(
        kind, _root(engine), "victim", [office.work], maxTasks=5, lockDuration=1_500, asyncResponseTimeout=1_000
    ) as victim:
        await victim.until(lambda: victim.counts["task"] >= 1)
        victim.kill()
    held = await office.waiting(workerId="victim")
    assert held, "it held nothing"
    for instance in instances:
        change = {"modifications": {"fate": {"value": "done"}}}
        await engine.order("POST", f"/process-instance/{instance}/variables", change)
    async with at_work(
        kind, _root(engine), "heir", [office.work], maxTasks=5, lockDuration=600_000, asyncResponseTimeout=1_000
    ) as heir:
        await eventually(lambda: office.settled(len(instances)), within=120, every=0.1)
        assert heir.errors == []
    logs = await asyncio.gather(*(office.log(instance) for instance in instances))
    assert logs == [Counter({"creationLog": 2, "successLog": 1})] * len(instances)
    assert {(await office.variables(instance))["by"] for instance in instances} == {"heir"}
