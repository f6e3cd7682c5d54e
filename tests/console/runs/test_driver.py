"""A run driven on the engine in this process, wave by wave; every number is checked past the console, with SQL."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from console.runs.change import RestChange, change_rest
from console.runs.driver import RunDriven, RunDriver
from console.runs.events import RunEnded, RunHeld, WaveStep
from console.runs.gate import Gate
from console.runs.run import RunOrder
from console.runs.undo import carry_out_undo, look_at_undo
from console.runs.waves import waves_of
from tests.console.runs.a_run import OUTAGE, Scene, scene


def ordered(waves: str = "5, 10, rest", **other: object) -> RunOrder:
    return RunOrder("all of them", 1, waves_of(waves), **other)  # type: ignore[arg-type]


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 40) as one:
        yield one


def batches(night: Scene) -> list[int]:
    return [int(row[0]) for row in night.sql("SELECT total_jobs FROM batch ORDER BY start_time, id")]


async def test_the_rest_is_changed_while_a_wave_is_watched(night: Scene) -> None:
    run = await night.begin(ordered("5, rest"))
    driver = night.driver(run)
    night.works = False
    changed = False

    async def turn() -> None:
        nonlocal changed
        await night.turn()
        if not changed and night.told and getattr(night.told[-1], "state", "") == "watching":
            changed = True
            await change_rest(night.journal.runs, run, driver.name, RestChange(waves_of("7, 50%, rest"), retries=4))
            night.works = True

    night.clock.turned = turn
    ended = await driver.drive()
    assert isinstance(ended, RunEnded)
    assert ended.state == "passed"
    assert batches(night) == [5, 7, 18, 10]
    launched = night.remembered("SELECT wave, retries, tasks FROM launch ORDER BY id")
    assert launched == [(1, 1, 5), (2, 4, 7), (3, 4, 18), (4, 4, 10)]


async def test_a_run_goes_through_wave_by_wave(night: Scene) -> None:
    run = await night.begin(ordered())
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.total) == ("passed", 40, 40)
    assert batches(night) == [5, 10, 25]
    assert night.sql("SELECT count(*) FROM external_task") == [(0,)]
    states = [(event.wave, event.state) for event in night.told if isinstance(event, WaveStep)]
    assert states == [(wave, state) for wave in (1, 2, 3) for state in ("sending", "sent", "watching", "passed")]
    assert night.remembered("SELECT outcome, count(*) FROM run_task GROUP BY outcome") == [("done", 40)]


async def test_the_gate_holds_the_next_wave_and_a_release_lets_it_go(night: Scene) -> None:
    run = await night.begin(ordered())
    ids = await night.ids()
    night.fails = dict.fromkeys(ids[5:10], OUTAGE)
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause, held.counts.again, held.counts.done) == (2, "failed-again", 5, 5)
    assert batches(night) == [5, 10]
    assert (await night.view(run)).word == "held"
    night.fails = {}
    assert (await night.drive(run, release=True)).counts.done == 35
    assert [wave.state for wave in (await night.view(run)).waves] == ["passed", "released", "passed"]
    assert night.sql("SELECT count(*) FROM external_task WHERE retries = 0") == [(5,)]


async def test_a_failure_before_the_completion_counts(night: Scene) -> None:
    """With three attempts a task may fail once and then be completed between two looks."""
    order = RunOrder("all", 3, waves_of("10, rest"), Gate(0.05))
    run = await night.begin(order)
    ids = await night.ids()
    night.fails = dict.fromkeys(ids[:4], OUTAGE)

    async def turn() -> None:
        await night.turn()
        if night.fails and night.sql("SELECT 1 FROM external_task WHERE retries = 2"):
            night.fails = {}
            await night.work()

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.counts.again, held.counts.done) == (1, 4, 6)
    assert night.sql("SELECT count(*) FROM external_task") == [(30,)]


async def test_a_new_cause_holds_by_itself(night: Scene) -> None:
    run = await night.begin(ordered(gate=Gate(0.5, new_cause=True)))
    night.fails = {(await night.ids())[7]: "card expired"}
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause, held.counts.new_cause) == (2, "new-cause", 1)


async def test_what_has_changed_since_the_freeze_is_left_out_and_said(night: Scene) -> None:
    run = await night.begin(ordered("10, rest"))
    ids = await night.ids()
    gone, locked, raised, newer = ids[:4]
    night.works = False
    for id in (gone, locked, newer):
        night.sql("UPDATE external_task SET retries = 1 WHERE id = ?", id)
    await night.work_on(gone, "complete", {})
    message = night.sql("SELECT error_message FROM external_task WHERE id = ?", newer)[0][0]
    await night.work_on(newer, "failure", {"errorMessage": message, "retries": 0, "retryTimeout": 0})
    night.sql("UPDATE external_task SET retries = 0 WHERE id = ?", locked)
    night.sql("UPDATE external_task SET lock_expiration_time = 99999999999999 WHERE id = ?", locked)
    night.sql("UPDATE external_task SET retries = 7 WHERE id = ?", raised)
    night.works = True
    await night.drive(run)
    sent = [event for event in night.told if isinstance(event, WaveStep) and event.state == "sent"]
    assert dict(sent[0].left_out) == {"gone": 1, "locked": 1, "raised": 1, "newer-incident": 1}
    assert [event.sent for event in sent] == [6, 30]
    assert batches(night) == [6, 30]
    rows = night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> '' ORDER BY ordinal")
    assert rows == [(gone, "gone"), (locked, "locked"), (raised, "raised"), (newer, "newer-incident")]


async def test_a_wave_whose_tasks_somebody_else_has_retried_tells_nothing_and_holds(night: Scene) -> None:
    run = await night.begin(ordered("5, rest"))
    night.works = False
    for id in (await night.ids())[:5]:
        night.sql("UPDATE external_task SET retries = 3 WHERE id = ?", id)
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (1, "nothing-decided")
    assert held.said == "No task was tried: all were left out, or have ended otherwise."
    assert batches(night) == []
    night.works = True
    assert isinstance(await night.drive(run, release=True), RunEnded)
    assert batches(night) == [35]


async def test_nobody_works_and_it_says_so_at_the_end_of_the_watch(night: Scene) -> None:
    night.works = False
    run = await night.begin(ordered(watch=20.0))
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (1, "nobody-works")
    assert batches(night) == [5]
    skipped = await night.drive(run, skip=True)
    assert isinstance(skipped, RunHeld)
    assert (skipped.wave, skipped.cause) == (2, "nobody-works")


async def test_a_paced_wave_is_several_batches_and_is_judged_between_them(night: Scene) -> None:
    run = await night.begin(ordered("rest", pace=20.0))
    night.fail_all = OUTAGE
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert held.cause == "failed-again"
    assert batches(night) == [5]
    night.fail_all = ""
    assert isinstance(await night.drive(run, release=True), RunEnded)
    assert batches(night) == [5] * 8


@pytest.mark.parametrize(("pace", "waves"), [(1.0, "rest"), (1.0, "1, 1, 1, rest"), (10.0, "3, 4, rest")])
async def test_a_pace_is_not_exceeded_however_small_it_and_the_waves_are(night: Scene, pace: float, waves: str) -> None:
    run = await night.begin(ordered(waves, pace=pace))
    driver = night.driver(run)
    sent: list[tuple[float, int]] = []

    async def turn() -> None:
        steps = [one for one in night.told if isinstance(one, WaveStep) and one.state == "sent"]
        sent.extend((night.clock(), one.sent) for one in steps[len(sent) :])
        if len(sent) > 4:
            driver.wish("stop:goes-on")
        await night.turn()

    night.clock.turned = turn
    assert isinstance(await driver.drive(), RunEnded)
    first = sent[0][0]
    for place, (at, _) in enumerate(sent[1:], 1):
        before = sum(number for _, number in sent[:place])
        assert before <= pace * (at - first) / 60 + 0.1, sent


@pytest.mark.parametrize("choice", ["goes-on", "suspend", "delete"])
async def test_stopped_it_sends_no_more(night: Scene, choice: str) -> None:
    run = await night.begin(ordered())
    driver: RunDriver = night.driver(run)
    night.works = False

    async def turn() -> None:
        driver.wish(f"stop:{choice}")  # type: ignore[arg-type]

    night.clock.turned = turn
    ended = await driver.drive()
    assert isinstance(ended, RunEnded)
    assert ended.state == "stopped"
    assert [wave.state for wave in (await night.view(run)).waves] == ["stopped", "dropped", "dropped"]
    suspended = night.sql("SELECT suspended, end_time IS NULL FROM batch")
    assert suspended == [{"goes-on": (0, 1), "suspend": (1, 1), "delete": (0, 0)}[choice]]


async def test_a_second_driver_is_refused(night: Scene) -> None:
    run = await night.begin(ordered())
    await night.journal.runs.take(run, "elsewhere:1:x")
    with pytest.raises(RunDriven):
        await night.drive(run)
    assert batches(night) == []


async def test_a_driver_that_has_lost_its_run_sends_nothing_more(night: Scene) -> None:
    """Its clock stood still, as a sleeping laptop's does, and another took the run: the journal fences it off."""
    run = await night.begin(ordered())
    driver = night.driver(run)

    async def turn() -> None:
        await night.turn()
        if len(batches(night)) == 1:
            night.forget_driver(run)
            await night.journal.runs.take(run, "elsewhere:1:x")

    night.clock.turned = turn
    with pytest.raises(RunDriven):
        await driver.drive()
    assert batches(night) == [5]


async def test_a_driver_asks_at_most_once_a_second(night: Scene) -> None:
    asked: list[float] = []
    send = night.transport.handle_async_request

    async def counted(request: object) -> object:
        path = request.url.path  # type: ignore[attr-defined]
        if path.endswith("/external-task"):
            asked.append(night.clock())
        return await send(request)  # type: ignore[arg-type]

    night.transport.handle_async_request = counted  # type: ignore[method-assign, assignment]
    run = await night.begin(ordered())
    asked.clear()
    await night.drive(run)
    assert len(asked) >= 6
    assert min(b - a for a, b in pairwise(asked)) >= 1.0


async def test_a_wave_with_too_many_ids_is_several_batches(night: Scene) -> None:
    session = night.console()
    session.most_ids = 15
    run = await night.begin(ordered("rest"))
    assert isinstance(await night.driver(run, session).drive(), RunEnded)
    assert batches(night) == [15, 15, 10]


async def test_an_undo_puts_back_what_nobody_took_and_says_what_it_cannot(night: Scene) -> None:
    run = await night.begin(ordered("10, rest", watch=5.0))
    ids = await night.ids()
    night.works = False
    assert isinstance(await night.drive(run), RunHeld)
    await night.work_on(ids[0], "complete", {})
    await night.work_on(ids[1], "failure", {"errorMessage": OUTAGE, "retries": 0, "retryTimeout": 0})
    night.sql("UPDATE external_task SET lock_expiration_time = 99999999999999 WHERE id = ?", ids[2])
    session = night.console()
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await look_at_undo(session, found)
    assert (undo.why_not, {former: len(some) for former, some in undo.back.items()}) == ("", {0: 7})
    assert dict(undo.left_alone) == {"gone": 1, "changed": 1, "locked": 1}
    (made,) = await carry_out_undo(session, undo, lambda event: None)
    assert made.batch.total_jobs == 7
    await night.carry_out()
    rows = night.sql("SELECT id FROM external_task WHERE retries = 1")
    assert rows == [(ids[2],)]
    again = await look_at_undo(session, found)
    assert (again.count, again.why_not) == (0, "None of its tasks can be restored.")


async def test_an_undo_waits_for_what_still_sets(night: Scene) -> None:
    run = await night.begin(ordered("10, rest", watch=5.0))
    night.clock.turned = None
    assert isinstance(await night.drive(run), RunHeld)
    found = await night.journal.runs.run(run)
    assert found is not None
    assert "still runs" in (await look_at_undo(night.console(), found)).why_not
