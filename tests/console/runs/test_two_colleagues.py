"""One run on two machines: a hand-over file that two colleagues take over, and batches of others in the way.

What was sent is counted from the orders that the engine took in.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from retriage.console.operations.retry import SetRetries
from retriage.console.runs.driver import RunDriver
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.run import RunOrder
from retriage.console.runs.waves import waves_of
from retriage.console.session.session import Session
from retriage.store.journal import Journal
from tests.console.runs.a_run import OUTAGE, Scene, scene


class Colleague:
    """A console with a journal of its own, and the run as taken over from a file."""

    def __init__(self, world: Scene, journal: Journal) -> None:
        self.world = world
        self.session: Session = world.console()
        self.session.memory.keep_journal(journal)
        self.run = 0

    async def take_over(self, lines: list[str]) -> None:
        assert self.session.memory.journal is not None
        self.run = await self.session.memory.journal.runs.take_over(lines)

    async def drive(self, **how: bool) -> RunHeld | RunEnded:
        clock = self.world.clock
        driver = RunDriver(self.session, self.run, self.world.told.append, clock=clock, sleep=clock.sleep)
        return await driver.drive(**how)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 40) as one:
        yield one


@pytest.fixture
async def colleagues(world: Scene, tmp_path: Path) -> AsyncIterator[list[Colleague]]:
    run = await world.begin(RunOrder("all of them", SetRetries(1), waves_of("4, 10, rest"), watch=20.0))
    lines = [line async for line in world.journal.runs.lines_of(run, "the-file")]
    journals = [await Journal.open(tmp_path / name / "journal.db") for name in ("ann", "bob")]
    found = [Colleague(world, journal) for journal in journals]
    for one in found:
        await one.take_over(lines)
    yield found
    for journal in journals:
        await journal.close()


def sent(world: Scene) -> list[list[str]]:
    """The tasks of each order that the engine took in."""
    orders = [one for one in world.faults.asked if one.path.endswith("/retries-async") and one.status == 200]
    return [json.loads(one.body)["externalTaskIds"] for one in orders]


def twice(world: Scene) -> set[str]:
    return {id for id, number in Counter(id for ids in sent(world) for id in ids).items() if number > 1}


async def test_the_second_run_holds_and_says_whose_batch_it_is(world: Scene, colleagues: list[Colleague]) -> None:
    ann, bob = colleagues
    world.clock.turned = None  # no job of the first one's batch has run yet
    first = await ann.drive()
    assert isinstance(first, RunHeld)
    assert (first.cause, len(sent(world))) == ("jobs-left", 1)
    second = await bob.drive()
    assert isinstance(second, RunHeld)
    (batch,) = world.sql("SELECT id FROM batch")[0]
    assert second.cause == "other-batches"
    assert f"launched batch {batch} at " in second.said
    assert "(4 of 4 jobs left): it may set the same tasks." in second.said
    assert (second.record()["notSet"], second.record()["atWorst"], second.at) == (4, 4, None), "none of its wave is set"
    assert twice(world) == set()


async def test_both_at_once_send_no_more_than_one_wave_twice(world: Scene, colleagues: list[Colleague]) -> None:
    world.clock.turned = None
    held = await asyncio.gather(*(one.drive() for one in colleagues))
    causes = [one.cause for one in held if isinstance(one, RunHeld)]
    assert sorted(causes) == ["jobs-left", "other-batches"], "one of them gives way, and only one"
    assert (len(sent(world)), len(twice(world))) == (2, 4)
    (first, goes_on), (later, waits) = world.sql("SELECT id, suspended FROM batch ORDER BY start_time, id")
    assert (goes_on, waits) == (0, 1)
    said = held[causes.index("other-batches")].said
    assert f"launched batch {first} at " in said
    assert f"Batch {later} of this run began later and was suspended; R activates it." in said
    await world.carry_out()
    assert world.sql("SELECT retries, count(*) FROM external_task GROUP BY retries") == [(0, 36), (1, 4)]
    assert world.sql("SELECT count(*) FROM job WHERE batch_id = ? AND first IS NOT NULL", later) in [[(0,)], [(4,)]]
    again = await colleagues[causes.index("other-batches")].drive()
    assert world.sql("SELECT suspended FROM batch WHERE id = ?", later) == [(0,)], again


async def test_the_one_that_others_gave_way_to_goes_on_to_its_end(world: Scene, colleagues: list[Colleague]) -> None:
    world.clock.turned = None
    held = await asyncio.gather(*(one.drive() for one in colleagues))
    causes = [one.cause for one in held if isinstance(one, RunHeld)]
    assert sorted(causes) == ["jobs-left", "other-batches"]
    (_, later) = world.sql("SELECT id FROM batch ORDER BY start_time, id")
    world.clock.turned = world.turn
    ended = await colleagues[causes.index("jobs-left")].drive()
    assert isinstance(ended, RunEnded), ended
    assert (ended.state, ended.counts.done) == ("passed", 40)
    assert world.sql("SELECT suspended FROM batch WHERE id = ?", *later) == [(1,)], "it has set nothing meanwhile"


async def test_a_batch_suspended_before_the_first_of_the_run_holds_it(world: Scene) -> None:
    run = await world.begin(RunOrder("all of them", SetRetries(1), waves_of("4, 10, rest"), watch=20.0))
    order = {"retries": 1, "externalTaskIds": await world.ids()}
    theirs = (await world.http.post("/external-task/retries-async", json=order)).json()["id"]
    await world.http.put(f"/batch/{theirs}/suspended", json={"suspended": True})
    held = await world.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, theirs in held.said) == ("other-batches", True)


async def test_a_stopped_run_names_its_batch_that_gave_way_and_counts_what_that_has_set(
    world: Scene, colleagues: list[Colleague]
) -> None:
    world.clock.turned = None
    held = await asyncio.gather(*(one.drive() for one in colleagues))
    who = next(at for at, one in enumerate(held) if isinstance(one, RunHeld) and one.cause == "other-batches")
    (_, later) = world.sql("SELECT id FROM batch ORDER BY start_time, id")
    journal = colleagues[who].session.memory.journal
    assert journal is not None
    (first, *_) = await journal.runs.waves(colleagues[who].run)
    # No job has run: none of the four tasks has its retry.
    assert world.sql("SELECT count(*) FROM external_task WHERE retries > 0") == [(0,)]
    assert (first.counts["notSet"], held[who].counts.not_set) == (4, 4)
    assert first.counted_at is not None
    clock = world.clock
    driver = RunDriver(colleagues[who].session, colleagues[who].run, print, clock=clock, sleep=clock.sleep)
    driver.wish("stop:goes-on")
    ended = await driver.drive()
    assert isinstance(ended, RunEnded)
    assert world.sql("SELECT suspended FROM batch WHERE id = ?", *later) == [(1,)]
    assert f"Batch {later[0]} stays suspended" in ended.said
    assert ended.record()["notSet"] == 4


async def test_who_goes_on_accepts_the_batches_that_were_named(world: Scene, colleagues: list[Colleague]) -> None:
    ann, bob = colleagues
    world.clock.turned = None
    assert isinstance(await ann.drive(), RunHeld)
    held = await bob.drive()
    assert isinstance(held, RunHeld)
    assert held.cause == "other-batches"
    again = await bob.drive()
    assert isinstance(again, RunHeld)
    assert again.cause == "jobs-left", "his own wave is sent, and waits for its jobs"
    assert (len(sent(world)), len(twice(world))) == (2, 4)


async def test_what_the_other_has_set_is_left_out(world: Scene, colleagues: list[Colleague]) -> None:
    ann, bob = colleagues
    world.works = False
    assert isinstance(await ann.drive(), RunHeld)
    held = await bob.drive()
    assert isinstance(held, RunHeld)
    assert (held.cause, twice(world)) == ("nothing-decided", set())
    world.works = True
    await world.work()
    ended = await bob.drive(release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done) == ("finished", 36)
    assert twice(world) == set()


def stay_open(world: Scene) -> None:
    """Batches that are through stay for the poll time of their monitor job, as on other engines."""
    for event in ("INSERT", "UPDATE OF due_date"):
        world.sql(
            f"CREATE TRIGGER stay_{event[:6]} AFTER {event} ON job WHEN NEW.job_type = 'batch-monitor-job'"
            " BEGIN UPDATE job SET due_date = 4000000000000 WHERE id = NEW.id; END"
        )


async def test_a_batch_that_was_through_before_the_tasks_were_looked_at_does_not_hold(world: Scene) -> None:
    stay_open(world)
    world.fail_all = OUTAGE
    order = RunOrder("all of them", SetRetries(1), waves_of("rest"), watch=20.0)
    assert isinstance(await world.drive(await world.begin(order)), RunHeld)
    ((batch, closed),) = world.sql("SELECT id, end_time FROM batch")
    assert closed is None
    world.fail_all = ""
    assert await world.ids()
    ended = await world.drive(await world.begin(order))
    assert isinstance(ended, RunEnded)
    assert world.sql("SELECT count(*) FROM batch WHERE id != ? AND total_jobs = 40", batch) == [(1,)]
    assert await world.ids() == []


async def test_a_batch_that_is_through_while_the_tasks_are_looked_at_holds(world: Scene) -> None:
    """What was read of the tasks does not show what it has set since."""
    stay_open(world)
    world.works = False
    run = await world.begin(RunOrder("all of them", SetRetries(1), waves_of("rest"), watch=20.0))
    send, theirs = world.transport.handle_async_request, list[str]()

    async def looked(request: httpx.Request) -> httpx.Response:
        answer = await send(request)
        if request.url.path.endswith("/external-task") and not theirs:
            order = {"retries": 1, "externalTaskIds": await world.ids()}
            theirs.append((await world.http.post("/external-task/retries-async", json=order)).json()["id"])
            await world.carry_out()
        return answer

    world.transport.handle_async_request = looked  # type: ignore[method-assign]
    held = await world.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, theirs[0] in held.said) == ("other-batches", True)
    assert world.sql("SELECT count(*) FROM batch") == [(1,)]


async def test_a_batch_from_before_the_freeze_whose_tasks_are_not_known_does_not_hold(world: Scene) -> None:
    ids = await world.ids()
    order = {"retries": 1, "externalTaskIds": ids[30:]}
    assert (await world.http.post("/external-task/retries-async", json=order)).status_code == 200
    run = await world.begin(RunOrder("all", SetRetries(1), waves_of("5, rest"), watch=20.0))
    held = await world.drive(run)
    assert not isinstance(held, RunHeld) or held.cause != "other-batches"


async def test_of_two_consoles_that_resume_one_held_run_at_once_one_drives_it(world: Scene, tmp_path: Path) -> None:
    run = await world.begin(RunOrder("all of them", SetRetries(1), waves_of("4, 10, rest"), watch=20.0))
    ids = await world.ids()
    world.fails = dict.fromkeys(ids[:4], OUTAGE)
    assert isinstance(await world.drive(run), RunHeld)
    before = len(sent(world))
    world.fails = dict.fromkeys(ids, OUTAGE)
    journals = [await Journal.open(tmp_path / "journal.db") for _ in range(2)]
    consoles = [Colleague(world, journal) for journal in journals]
    for one in consoles:
        one.run = run
    came = await asyncio.gather(*(one.drive(release=True) for one in consoles), return_exceptions=True)
    for journal in journals:
        await journal.close()
    assert sorted(type(one).__name__ for one in came) == ["RunDriven", "RunHeld"]
    assert len(sent(world)) == before + 1
    assert twice(world) == set()


RACER = """
import asyncio, sys
from pathlib import Path
from retriage.console.runs.driver_name import driver_name
from retriage.store.journal import Journal, NotYours

async def main(path, runs):
    journal = await Journal.open(Path(path))
    for run in runs:
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            await journal.runs.take(int(run), driver_name())
            print("won", flush=True)
        except NotYours:
            print("lost", flush=True)
    await journal.close()

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""


async def test_of_processes_that_take_one_run_at_once_one_wins(world: Scene, tmp_path: Path) -> None:
    order = RunOrder("all of them", SetRetries(1), waves_of("rest"))
    runs = [str(await world.begin(order)) for _ in range(12)]
    start = [sys.executable, "-c", RACER, str(tmp_path / "journal.db"), *runs]
    pipe = asyncio.subprocess.PIPE
    racers = [await asyncio.create_subprocess_exec(*start, stdin=pipe, stdout=pipe) for _ in range(3)]

    async def hear(racer: asyncio.subprocess.Process) -> str:
        assert racer.stdout is not None
        return (await racer.stdout.readline()).decode().strip()

    for _ in runs:
        assert await asyncio.gather(*map(hear, racers)) == ["ready"] * 3
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(b"go\n")
        assert sorted(await asyncio.gather(*map(hear, racers))) == ["lost", "lost", "won"]
    assert [await racer.wait() for racer in racers] == [0, 0, 0]
