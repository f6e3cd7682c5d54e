"""A run driven on the engine in this process, wave by wave; every number is checked past the console, with SQL."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from retriage.console.engine.history_level import what_is_lost
from retriage.console.launch.send import send_launch
from retriage.console.launch.undo import undo_of_run
from retriage.console.operations.retry import SetRetries
from retriage.console.runs.change import RestChange, change_rest
from retriage.console.runs.driver import RunDriven, RunDriver
from retriage.console.runs.events import RunEnded, RunEvent, RunHeld, WaveOutcome, WaveStep
from retriage.console.runs.gate import Gate
from retriage.console.runs.run import RunOrder
from retriage.console.runs.waves import waves_of
from retriage.store.journal import Journal
from tests.console.runs.a_run import OUTAGE, Scene, scene
from tests.support.fault_proxy import engine_error


def ordered(waves: str = "5, 10, rest", **other: object) -> RunOrder:
    return RunOrder("all of them", SetRetries(1), waves_of(waves), **other)  # type: ignore[arg-type]


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


async def test_the_end_tells_what_became_of_tasks_that_were_open_when_their_wave_passed(night: Scene) -> None:
    slow = set((await night.ids())[3:5])
    night.idle |= slow
    run = await night.begin(ordered("10, rest", gate=Gate(0.2)))

    async def turn() -> None:
        # The last two of the first wave are done after everything else.
        if night.sql("SELECT count(*) FROM external_task") == [(len(slow),)]:
            night.idle.clear()
        await night.turn()

    night.clock.turned = turn
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    passed = next(one.wave for one in night.told if isinstance(one, WaveStep) and one.state == "passed")
    early = [one.counts.done for one in night.told if isinstance(one, WaveOutcome) and one.wave == passed]
    assert (early[-2], early[-1]) == (8, 10)
    assert night.sql("SELECT count(*) FROM external_task") == [(0,)]
    assert (ended.state, ended.counts.done, ended.counts.open, ended.older) == ("passed", 40, 0, {})
    assert night.remembered("SELECT outcome, count(*) FROM run_task GROUP BY outcome") == [("done", 40)]


async def test_an_engine_that_is_away_when_the_last_wave_is_over_keeps_no_run_from_its_end(night: Scene) -> None:
    night.idle |= set((await night.ids())[3:5])
    run = await night.begin(ordered("10, rest", gate=Gate(0.2)))

    def tell(event: RunEvent) -> None:
        night.told.append(event)
        if isinstance(event, WaveStep) and (event.wave, event.state) == (2, "passed"):
            night.faults.play(engine_error(502))

    ended = await RunDriver(night.console(), run, tell, clock=night.clock, sleep=night.clock.sleep).drive()
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.waiting, set(ended.older)) == ("passed", 38, 2, {1})


async def test_every_step_of_a_wave_tells_what_was_sent_and_as_which_batch(night: Scene) -> None:
    run = await night.begin(ordered("5, rest", pace=60.0))
    assert isinstance(await night.drive(run), RunEnded)
    steps = [event.record() for event in night.told if isinstance(event, WaveStep)]
    known = {row[0] for row in night.sql("SELECT id FROM batch")}
    assert {(one["wave"], one["state"], one["sent"]) for one in steps if one["state"] != "sent"} == {
        (1, "sending", 0), (1, "watching", 5), (1, "passed", 5),
        (2, "sending", 0), (2, "watching", 35), (2, "passed", 35),
    }  # fmt: skip
    sent = [one for one in steps if one["state"] == "sent"]
    assert sum(one["sent"] for one in sent if one["wave"] == 2) == 35
    assert len(sent) > 2, "the second wave is sent in parts"
    for wave in (1, 2):
        newest = [one["batch"] for one in sent if one["wave"] == wave][-1]
        after = [one["batch"] for one in steps if one["wave"] == wave and one["state"] in ("watching", "passed")]
        assert set(after) == {newest} <= known


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
    ended = await night.drive(run, release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.cause, ended.counts.done) == ("finished", "released", 35)
    assert ended.said == "1 wave released by the operator."
    assert [wave.state for wave in (await night.view(run)).waves] == ["passed", "released", "passed"]
    assert night.sql("SELECT count(*) FROM external_task WHERE retries = 0") == [(5,)]


@pytest.mark.parametrize("last", [False, True])
async def test_a_wave_that_passes_by_a_gate_that_was_loosened_after_it_was_held_is_released(
    night: Scene, last: bool
) -> None:
    run = await night.begin(ordered("rest" if last else "10, rest"))
    night.fails = dict.fromkeys((await night.ids())[:8], OUTAGE)
    assert isinstance(await night.drive(run), RunHeld)
    driver = night.driver(run)
    await night.journal.runs.take(run, driver.name)
    await change_rest(night.journal.runs, run, driver.name, RestChange(gate=1.0))
    ended = await driver.drive(release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.cause, ended.counts.again) == ("finished", "released", 8)


async def test_a_last_wave_that_is_released_is_watched_to_its_end(night: Scene) -> None:
    run = await night.begin(ordered("rest"))
    ids = await night.ids()
    night.fails = dict.fromkeys(ids[:10], OUTAGE)
    night.idle = set(ids[10:])
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.again, held.counts.open) == ("failed-again", 10, 30)
    night.idle = set()
    ended = await night.drive(run, release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.again, ended.counts.open) == ("finished", 30, 10, 0)
    assert night.sql("SELECT count(*) FROM external_task") == [(10,)]


async def test_a_last_wave_that_is_released_ends_with_its_watch_where_nobody_works(night: Scene) -> None:
    run = await night.begin(ordered("rest", watch=20.0))
    night.works = False
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    since = night.clock()
    ended = await night.drive(run, release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.cause, ended.counts.waiting) == ("finished", "released", 40)
    assert night.clock() - since >= 20.0


async def test_a_wave_that_was_not_watched_is_no_pass(night: Scene) -> None:
    run = await night.begin(ordered("5, rest"))
    night.works = False
    driver = night.driver(run)

    async def turn() -> None:
        if night.told and getattr(night.told[-1], "wave", 0) == 1 and batches(night):
            driver.wish("skip")
        night.works = len(batches(night)) > 1
        await night.turn()

    night.clock.turned = turn
    ended = await driver.drive()
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.cause) == ("finished", "skipped")
    assert ended.said == "1 wave not judged by the operator."


async def test_a_run_of_which_nothing_was_sent_says_why_and_did_not_pass(night: Scene) -> None:
    run = await night.begin(ordered("rest"))
    night.works = False
    night.sql("UPDATE external_task SET retries = 3")
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.cause) == ("finished", "nothing-sent")
    assert ended.said == "Nothing was sent: 40 given retries by somebody else."
    assert batches(night) == []


async def test_it_holds_when_no_job_of_the_batch_runs_and_does_not_blame_the_workers(night: Scene) -> None:
    run = await night.begin(ordered("5, rest", watch=20.0))
    night.clock.turned = night.work
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause, held.counts.not_set) == (1, "jobs-left", 5)
    assert "5 jobs of its batch have not run after 20 s" in held.said
    assert batches(night) == [5]


async def test_it_holds_when_somebody_deletes_the_batch_of_a_wave(night: Scene) -> None:
    run = await night.begin(ordered("5, rest"))

    async def turn() -> None:
        for (batch,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            assert (await night.http.delete(f"/batch/{batch}")).status_code == 204

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause, held.counts.not_set, held.counts.again) == (1, "batch-deleted", 5, 0)
    assert "was deleted: 5 tasks are not set, and will not be." in held.said
    assert batches(night) == [5]


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_batch_whose_history_may_not_be_read_is_not_said_to_be_deleted(night: Scene, deleted: bool) -> None:
    run = await night.begin(ordered("5, rest", watch=20.0))
    night.works = False

    async def turn() -> None:
        # As a real engine answers a user without READ_HISTORY on Batch.
        night.faults.play(engine_error(404, "InvalidRequestException", "Historic batch not found"), "/history/batch/")
        for (batch,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL") if deleted else ():
            assert (await night.http.delete(f"/batch/{batch}")).status_code == 204
        await night.turn()
        night.sql("UPDATE job SET due_date = 0")
        await night.turn()

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert night.sql("SELECT count(*) FROM batch WHERE end_time IS NULL") == [(0,)]
    assert night.faults.count("/history/batch/")
    assert (held.cause, held.counts.not_set) == (("undecided", 5) if deleted else ("nobody-works", 0))
    assert "deleted" not in held.said
    assert ("Nobody works" in held.said) == (not deleted)


async def test_it_holds_when_the_instances_of_a_wave_are_suspended(night: Scene) -> None:
    run = await night.begin(ordered("5, rest", watch=20.0))
    for id in (await night.ids())[:5]:
        (instance,) = night.sql("SELECT process_instance_id FROM external_task WHERE id = ?", id)[0]
        await night.http.put(f"/process-instance/{instance}/suspended", json={"suspended": True})
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause, held.counts.suspended) == (1, "instances-suspended", 5)


async def test_a_failure_before_the_completion_counts(night: Scene) -> None:
    """With three attempts a task may fail once and then be completed between two looks."""
    order = RunOrder("all", SetRetries(3), waves_of("10, rest"), Gate(0.05))
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
    gone, raised, newer = ids[:3]
    night.works = False
    for id in (gone, newer):
        night.sql("UPDATE external_task SET retries = 1 WHERE id = ?", id)
    await night.work_on(gone, "complete", {})
    message = night.sql("SELECT error_message FROM external_task WHERE id = ?", newer)[0][0]
    await night.work_on(newer, "failure", {"errorMessage": message, "retries": 0, "retryTimeout": 0})
    night.sql("UPDATE external_task SET retries = 7 WHERE id = ?", raised)
    night.works = True
    await night.drive(run)
    sent = [event for event in night.told if isinstance(event, WaveStep) and event.state == "sent"]
    assert dict(sent[0].left_out) == {"gone": 1, "raised": 1, "newer-incident": 1}
    assert [event.sent for event in sent] == [7, 30]
    assert batches(night) == [7, 30]
    rows = night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> '' ORDER BY ordinal")
    assert rows == [(gone, "gone"), (raised, "raised"), (newer, "newer-incident")]


async def test_a_wave_whose_tasks_somebody_else_has_retried_tells_nothing_and_holds(night: Scene) -> None:
    run = await night.begin(ordered("5, rest"))
    night.works = False
    for id in (await night.ids())[:5]:
        night.sql("UPDATE external_task SET retries = 3 WHERE id = ?", id)
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (1, "nothing-decided")
    assert held.said == "No task shows whether it helped: all were left out, or ended without completing."
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


async def test_a_run_that_ends_names_its_batch_that_is_still_suspended(night: Scene) -> None:
    run = await night.begin(ordered())

    async def turn() -> None:
        for (batch,) in night.sql("SELECT id FROM batch WHERE suspended = 0 AND end_time IS NULL")[:1]:
            assert (await night.http.put(f"/batch/{batch}/suspended", json={"suspended": True})).status_code == 204

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert held.cause == "batch-suspended"
    night.clock.turned = night.turn
    ended = await night.drive(run, release=True)
    assert isinstance(ended, RunEnded)
    ((left,),) = night.sql("SELECT id FROM batch WHERE suspended = 1 AND end_time IS NULL")
    assert ended.said.startswith("1 wave released by the operator.")
    assert f"Batch {left} stays suspended" in ended.said


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
        one_row = request.url.params.get("maxResults") == "1"  # type: ignore[attr-defined]
        if path.endswith("/external-task") and not one_row:
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
    session.connection.most_ids = 15
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
    undo = await undo_of_run(session, found)
    assert (undo.why_not, {former: len(some) for former, some in undo.back.items()}) == ("", {SetRetries(0): 7})
    assert dict(undo.left_alone) == {"gone": 1, "before": 1, "locked": 1}
    (order,) = undo.launches()
    made = await send_launch(session, order, lambda event: None)
    assert made is not None
    assert made.batch.total_jobs == 7
    await night.carry_out()
    rows = night.sql("SELECT id FROM external_task WHERE retries = 1")
    assert rows == [(ids[2],)]
    again = await undo_of_run(session, found)
    assert (again.count, again.why_not[:24]) == (0, "Nothing can be restored:")


async def test_an_undo_leaves_the_retries_of_others_alone(night: Scene) -> None:
    run = await night.begin(ordered("10, rest", watch=5.0))
    ids = await night.ids()
    night.fails = dict.fromkeys(ids[:6], OUTAGE)
    night.idle = set(ids[6:])
    assert isinstance(await night.drive(run), RunHeld)
    night.sql(f"UPDATE external_task SET retries = 1 WHERE id IN ('{ids[0]}', '{ids[1]}')")
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(night.console(), found)
    assert (undo.count, dict(undo.left_alone)) == (4, {"again": 6})
    (order,) = undo.launches()
    assert await send_launch(night.console(), order, lambda event: None) is not None
    await night.carry_out()
    night.sql("UPDATE external_task SET retries = 1")
    twice = await undo_of_run(night.console(), found)
    assert (twice.count, dict(twice.left_alone)) == (0, {"again": 6, "undone": 4})


@pytest.mark.parametrize("kept", [True, False])
async def test_an_undo_leaves_alone_what_was_never_set_since_the_batch_was_deleted(night: Scene, kept: bool) -> None:
    """``kept``: the history of batches may be read."""
    run = await night.begin(ordered("10, rest", watch=5.0))
    ids = await night.ids()
    night.clock.turned = None
    assert isinstance(await night.drive(run), RunHeld)
    (batch,) = night.sql("SELECT id FROM batch")[0]
    assert (await night.http.delete(f"/batch/{batch}")).status_code == 204
    for id in ids[:10]:
        assert (await night.http.put(f"/external-task/{id}/retries", json={"retries": 1})).status_code == 204
    if not kept:
        night.faults.play(engine_error(404, "InvalidRequestException", "Historic batch not found"), "/history/batch/")
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(night.console(), found)
    assert (undo.count, dict(undo.left_alone)) == (0, {"unset": 10})
    assert "not known to be set" in undo.why_not


async def test_an_undo_sets_back_what_a_deleted_batch_had_set_and_nothing_else(night: Scene) -> None:
    run = await night.begin(ordered("10, rest", watch=5.0))
    ids = await night.ids()
    night.works = False
    night.sql(
        "CREATE TRIGGER half AFTER INSERT ON job WHEN NEW.first >= 4 "
        "BEGIN UPDATE job SET retries = 0 WHERE id = NEW.id; END"
    )
    turn = night.clock.turned
    assert turn is not None

    async def once() -> None:
        if night.sql("SELECT 1 FROM batch"):
            night.clock.turned = None
            await turn()

    night.clock.turned = once
    assert isinstance(await night.drive(run), RunHeld)
    mine = {row[0] for row in night.sql("SELECT id FROM external_task WHERE retries = 1")}
    assert 0 < len(mine) < 10
    (batch,) = night.sql("SELECT id FROM batch")[0]
    assert (await night.http.delete(f"/batch/{batch}")).status_code == 204
    for id in set(ids[:10]) - mine:
        assert (await night.http.put(f"/external-task/{id}/retries", json={"retries": 1})).status_code == 204
        # It was a minute later.
        night.sql("UPDATE incident SET end_time = end_time + 60000 WHERE configuration = ?", id)
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(night.console(), found)
    assert {id for some in undo.back.values() for id in some} == mine
    assert dict(undo.left_alone) == {"unset": 10 - len(mine)}


async def test_an_undo_waits_for_what_still_sets(night: Scene) -> None:
    run = await night.begin(ordered("10, rest", watch=5.0))
    night.clock.turned = None
    assert isinstance(await night.drive(run), RunHeld)
    found = await night.journal.runs.run(run)
    assert found is not None
    assert "still runs" in (await undo_of_run(night.console(), found)).why_not


@pytest.mark.parametrize("deed", ["deleted", "replaced"])
async def test_a_run_whose_journal_is_lost_holds_before_the_next_wave(night: Scene, deed: str) -> None:
    run = await night.begin(ordered("5, 10, rest"))

    async def turn() -> None:
        await night.turn()
        if night.told and getattr(night.told[-1], "state", "") == "watching":
            for file in night.folder.glob("journal.db*"):
                file.unlink()
            if deed == "replaced":
                await (await Journal.open(night.folder / "journal.db")).close()

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (1, "journal-lost")
    assert "deleted or replaced" in held.said
    assert night.told[-1] == held
    assert batches(night) == [5]


async def test_somebody_else_s_batch_is_not_taken_for_a_lost_one(night: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retriage.console.launch.send.BETWEEN_LOOKS", 0.0)
    ids = await night.ids()
    send, theirs = night.transport.handle_async_request, list[str]()

    async def lost(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("/retries-async") and not theirs:
            theirs.append("")
            order = {"retries": 7, "externalTaskIds": ids[30:]}
            theirs[0] = (await night.http.post("/external-task/retries-async", json=order)).json()["id"]
            raise httpx.ReadError("the connection was cut")
        return await send(request)

    run = await night.begin(ordered("10, rest"))
    night.transport.handle_async_request = lost  # type: ignore[method-assign]
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (1, "unanswered")
    (launch,) = await night.journal.runs.launches(run)
    assert (launch.state, launch.batch_id) == ("unknown", None)
    assert night.sql("SELECT count(*) FROM external_task WHERE retries = 1") == [(0,)]
    stopping = night.driver(run)
    stopping.wish("stop:goes-on")
    assert (await stopping.drive()).record()["state"] == "stopped", "what is dropped needs no answer"
    assert night.sql("SELECT count(*) FROM batch") == [(1,)]


async def test_a_run_is_not_resumed_on_a_batch_that_is_only_probably_its_own(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launch never arrived; a batch of others over as many tasks, which does not work yet, is all that is there."""
    monkeypatch.setattr("retriage.console.launch.send.BETWEEN_LOOKS", 0.0)
    night.clock.turned = None
    ids = await night.ids()
    send, theirs = night.transport.handle_async_request, list[str]()

    async def lost(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("/retries-async") and not theirs:
            order = {"retries": 1, "externalTaskIds": ids[30:]}
            theirs.append((await night.http.post("/external-task/retries-async", json=order)).json()["id"])
            raise httpx.ReadError("the connection was cut")
        return await send(request)

    run = await night.begin(ordered("10, rest"))
    night.transport.handle_async_request = lost  # type: ignore[method-assign]
    assert isinstance(await night.drive(run), RunHeld)
    for _ in range(2):
        held = await night.drive(run)
        assert isinstance(held, RunHeld)
        assert (held.wave, held.cause) == (1, "unanswered")
        assert f"nothing proves yet that batch {theirs[0]} is its own" in held.said
    await night.carry_out()
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert held.cause == "unanswered"
    assert "its batch is not found yet" in held.said, "it set none of the tasks of the run"
    assert night.sql("SELECT count(*) FROM batch WHERE id != ?", theirs[0]) == [(0,)]


@pytest.mark.parametrize("warned", [False, True])
async def test_a_history_that_is_refused_lets_no_wave_pass_unless_that_was_said_before(
    night: Scene, warned: bool
) -> None:
    """The instances of a wave are deleted, and every question for the history is answered by 403."""
    session = night.console()
    refuse = engine_error(403, "AuthorizationException", "no history for you")
    if warned:
        night.faults.play(refuse, "/history/")
        await session.connection.learn_rights()
        assert "refuses every question for its history" in what_is_lost(
            session.connection.history_level, session.connection.rights
        )
    run = await night.begin(ordered("6, rest", watch=3.0), session)
    night.faults.play(refuse, "/history/")
    night.works = False

    async def turn() -> None:
        if night.sql("SELECT 1 FROM job WHERE batch_id IS NOT NULL AND due_date IS NULL"):
            await night.turn()
        for (instance,) in night.sql("SELECT process_instance_id FROM external_task WHERE retries > 0"):
            assert (await night.http.delete(f"/process-instance/{instance}")).status_code == 204

    night.clock.turned = turn
    came = await night.driver(run, session).drive()
    if warned:
        assert isinstance(came, RunEnded)
        assert (came.state, came.counts.unknown) == ("passed", 40)
        return
    assert isinstance(came, RunHeld)
    assert (came.wave, came.cause, came.counts.untold, came.counts.at_worst) == (1, "undecided", 6, 6)
    assert "Nothing shows how 6 tasks ended." in came.said
    assert batches(night) == [6]


async def test_another_engine_behind_the_address_of_a_run_holds_it(night: Scene, tmp_path: Path) -> None:
    run = await night.begin(ordered("5, rest"))
    async with scene(await asyncio.to_thread(_folder, tmp_path / "other"), 3) as other:
        steps = night.told

        async def turn() -> None:
            await night.turn()
            if any(isinstance(one, WaveStep) and one.state == "passed" for one in steps):
                night.transport._engine = other.transport

        night.clock.turned = turn
        held = await night.drive(run)
        assert other.sql("SELECT count(*) FROM batch") == [(0,)]
    assert isinstance(held, RunHeld)
    assert (held.wave, held.cause) == (2, "other-engine")
    assert held.said == (
        "None of the next 35 tasks is there any more: all were deleted, or another engine answers at this address."
    )


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


async def test_before_each_launch_is_written_down_when_the_newest_batch_began(night: Scene) -> None:
    run = await night.begin(ordered("5, 10, rest"))
    assert isinstance(await night.drive(run), RunEnded)
    starts = [row[0] for row in night.sql("SELECT start_time FROM batch ORDER BY start_time, id")]
    assert night.remembered("SELECT newest_before FROM launch ORDER BY id") == [(0,), *((at,) for at in starts[:2])]


async def test_tasks_that_are_deleted_with_their_history_pass_no_gate(night: Scene) -> None:
    night.works = False
    session = night.console()
    await session.connection.learn_rights()
    run = await night.begin(ordered("5, rest"), session)
    turn = night.clock.turned
    assert turn is not None

    async def turned() -> None:
        await turn()
        if night.sql("SELECT 1 FROM external_task WHERE retries > 0"):
            deployment = night.sql("SELECT id FROM deployment")[0][0]
            assert (await night.http.delete(f"/deployment/{deployment}?cascade=true")).status_code == 204

    night.clock.turned = turned
    await night.driver(run, session).drive()
    assert (night.held.wave, night.held.cause, night.held.counts.cancelled) == (1, "nothing-decided", 5)
    assert batches(night) == [5]


async def test_what_another_engine_at_the_same_address_does_not_know_is_not_cancelled(
    night: Scene, tmp_path: Path
) -> None:
    session = night.console()
    await session.connection.learn_rights()
    run = await night.begin(ordered("5, rest"), session)
    here = night.transport._engine
    await asyncio.to_thread((tmp_path / "other").mkdir)
    async with scene(tmp_path / "other", 5) as other:

        async def turned() -> None:
            await night.turn()
            if night.sql("SELECT 1 FROM batch"):
                night.transport._engine = other.transport._engine

        night.clock.turned = turned
        held = await night.driver(run, session).drive()
        assert isinstance(held, RunHeld)
        assert (held.cause, held.counts.cancelled, held.counts.untold) == ("undecided", 0, 5)
        assert other.sql("SELECT count(*) FROM batch") == [(0,)]
    log = await night.http.post("/history/external-task-log/count", json={"successLog": True})
    assert log.json() == {"count": 5}, "all of them are done where they were sent"
    night.transport._engine = here
    night.clock.turned = night.turn
    assert isinstance(await night.driver(run, session).drive(), RunEnded)
    assert (await night.view(run)).waves[0].counts.done == 5
