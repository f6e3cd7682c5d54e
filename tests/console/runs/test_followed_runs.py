"""Figures of a run after its end, and while it is held: they are those of the engine."""

import json
from collections import Counter
from pathlib import Path

import pytest

from retriage.console.operations.retry import SetRetries
from retriage.console.runs.earlier_runs import runs_over
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.followed_runs import AT_REST, EVERY, FollowedRuns
from retriage.console.runs.gate import Gate
from retriage.console.runs.next_step import next_step
from retriage.console.runs.run import RunOrder
from retriage.console.runs.waves import waves_of
from retriage.console.session.session import Session
from retriage.store.journal import RunCause
from tests.console.runs.a_run import OUTAGE, Scene, scene
from tests.support.fault_proxy import Answer, engine_error


def ordered(waves: str, **other: object) -> RunOrder:
    return RunOrder("all of them", SetRetries(1), waves_of(waves), **other)  # type: ignore[arg-type]


async def follow(world: Scene, followed: FollowedRuns, looks: int = 12) -> None:
    for _ in range(looks):
        world.clock.seconds += AT_REST
        await followed.look()


async def test_what_is_decided_after_the_end_of_a_run_is_counted_by_a_later_console(tmp_path: Path) -> None:
    async with scene(tmp_path, 20) as world:
        run = await world.begin(ordered("10, rest", watch=10.0, gate=Gate(0.2)))
        ids = await world.ids()
        world.idle = set(ids[12:])
        held = await world.drive(run)
        assert isinstance(held, RunHeld)
        ended = await world.drive(run, release=True)
        assert isinstance(ended, RunEnded)
        assert (ended.counts.done, ended.counts.again, ended.counts.waiting) == (12, 0, 8)
        world.idle, world.fails = set(), dict.fromkeys(ids[15:], OUTAGE)
        await world.work()
        await follow(world, FollowedRuns(world.console(), world.clock))
        view = await world.view(run)
        assert (view.counts.done, view.counts.again, view.counts.open) == (15, 5, 0)
        assert world.sql("SELECT count(*) FROM external_task WHERE retries = 0") == [(5,)]
        assert world.remembered("SELECT outcome, count(*) FROM run_task GROUP BY outcome ORDER BY outcome") == [
            ("again", 5),
            ("done", 15),
        ]
        assert ended.at is not None
        assert view.counted_at is not None
        assert view.counted_at > ended.at
        assert "15 done, 5 failed again as of " in next_step(view).why[-1]


async def test_a_wave_that_was_held_too_soon_is_said_to_be_within_its_limit_and_released_as_passed(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, 40) as world:
        run = await world.begin(ordered("30, rest", watch=10.0, gate=Gate(0.2)))
        ids = await world.ids()
        world.fails, world.idle = dict.fromkeys(ids[:5], OUTAGE), set(ids[5:])
        held = await world.drive(run)
        assert isinstance(held, RunHeld)
        assert (held.cause, held.counts.again, held.counts.waiting) == ("failed-again", 5, 25)
        session = world.console()
        followed = FollowedRuns(session, world.clock)
        await follow(world, followed)
        assert "within the limit" not in " ".join(next_step(await world.view(run)).why)
        world.idle = set()
        await world.work()
        await follow(world, followed)
        step = next_step(await world.view(run))
        assert "By now it is within the limit: at worst 5 of 30 fail (16.7%). R releases it." in step.why
        said = [event.sentence for event in session.news]
        assert said.count(f"Run {run}: wave 1 is within its limit by now. R on its page releases it.") == 1
        world.fails = {}
        ended = await world.drive(run, release=True)
        assert isinstance(ended, RunEnded)
        assert (ended.state, ended.counts.done, ended.counts.again) == ("passed", 35, 5)


async def test_a_batch_that_is_deleted_after_the_hold_is_written_down_once(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        run = await world.begin(ordered("rest", watch=5.0))
        world.clock.turned = world.work
        held = await world.drive(run)
        assert isinstance(held, RunHeld)
        assert held.cause == "jobs-left"
        ((batch,),) = world.sql("SELECT id FROM batch")
        assert (await world.http.delete(f"/batch/{batch}")).status_code == 204
        for _ in range(2):
            await follow(world, FollowedRuns(world.console(), world.clock))
        steps = [one for one in await world.journal.runs.steps(run) if one.what == "batch-deleted"]
        assert [(one.wave, one.said) for one in steps] == [
            (1, f"Batch {batch} was deleted before it was through with all of its tasks.")
        ]
        assert (await world.view(run)).counts.not_set == 6


async def test_a_deletion_that_held_the_run_is_not_written_down_again_after_its_end(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        run = await world.begin(ordered("rest", watch=5.0))

        async def turn() -> None:
            for (batch,) in world.sql("SELECT id FROM batch WHERE end_time IS NULL"):
                assert (await world.http.delete(f"/batch/{batch}")).status_code == 204

        world.clock.turned = turn
        held = await world.drive(run)
        assert isinstance(held, RunHeld)
        assert held.cause == "batch-deleted"
        assert isinstance(await world.drive(run, release=True), RunEnded)
        await follow(world, FollowedRuns(world.console(), world.clock))
        steps = [one.said for one in await world.journal.runs.steps(run) if "was deleted" in one.said]
        assert len(steps) == 1


async def test_a_wave_that_somebody_drives_is_left_to_its_driver(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        run = await world.begin(ordered("rest", watch=5.0))
        world.works = False
        assert isinstance(await world.drive(run), RunHeld)
        before = (await world.view(run)).counted_at
        world.works = True
        await world.work()
        await world.journal.runs.take(run, "elsewhere:1:x")
        await follow(world, FollowedRuns(world.console(), world.clock))
        view = await world.view(run)
        assert (view.counts.waiting, view.counted_at) == (6, before)


async def test_a_driver_that_takes_a_run_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        run = await world.begin(ordered("rest", watch=5.0))
        world.works = False
        assert isinstance(await world.drive(run), RunHeld)
        followed = FollowedRuns(world.console(), world.clock)
        await followed.look()
        await world.journal.runs.take(run, "elsewhere:1:x")
        before = world.remembered("SELECT counts, counted_at FROM run_wave")
        world.clock.seconds += EVERY
        await followed._look_at(world.journal, next(iter(followed._waves.values())))
        assert world.remembered("SELECT counts, counted_at FROM run_wave") == before


async def test_it_asks_less_and_less_while_nothing_changes(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        run = await world.begin(ordered("rest", watch=5.0))
        world.works = False
        assert isinstance(await world.drive(run), RunHeld)
        followed = FollowedRuns(world.console(), world.clock)
        world.faults.asked.clear()
        for _ in range(200):
            world.clock.seconds += EVERY
            await followed.look()
        asked = [one for one in world.faults.asked if one.path.endswith("/external-task")]
        assert len(asked) <= 200 * EVERY / AT_REST + 8


@pytest.mark.parametrize("choice", ["goes-on", "delete"])
async def test_what_was_never_sent_of_a_stopped_wave_is_not_waited_for(tmp_path: Path, choice: str) -> None:
    async with scene(tmp_path, 12) as world:
        run = await world.begin(ordered("rest", pace=20.0))
        driver = world.driver(run)
        world.works = False

        async def turn() -> None:
            driver.wish(f"stop:{choice}")  # type: ignore[arg-type]
            await world.carry_out()

        world.clock.turned = turn
        await driver.drive()
        await world.work()
        await follow(world, FollowedRuns(world.console(), world.clock))
        counts = (await world.view(run)).counts
        assert (counts.done, counts.not_set) == (5, 0)
        assert counts.total == 5


async def test_the_memory_of_causes_quotes_the_newest_figures(tmp_path: Path) -> None:
    async with scene(tmp_path, 20) as world:
        session: Session = world.console()
        run = await world.begin(ordered("rest", watch=5.0), session)
        causes = await world.journal.runs.causes(run)
        ids = await world.ids()
        world.idle = set(ids[2:])
        assert isinstance(await world.drive(run), RunHeld)
        (before,) = await runs_over(session, _counted(causes))
        assert "18 open as of" in before.said(before.view.run.began_at)
        world.idle, world.fail_all = set(), OUTAGE
        await world.work()
        await follow(world, FollowedRuns(world.console(), world.clock))
        (after,) = await runs_over(session, _counted(causes))
        assert "2 done, 18 failed again (90%)" in after.said(after.view.run.began_at)


def _counted(causes: list[RunCause]) -> Counter[tuple[str, str]]:
    return Counter({(one.topic, one.cause): one.tasks for one in causes})


async def test_without_a_log_a_later_console_knows_new_causes_by_what_the_journal_kept(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        world.faults.play(engine_error(403, "AuthorizationException"), on="external-task-log")
        run = await world.begin(ordered("rest", watch=10.0, gate=Gate(0.2)))
        ids = await world.ids()
        world.idle = set(ids)
        assert isinstance(await world.drive(run), RunHeld)
        world.idle, world.fails = (
            set(ids[5:]),
            {ids[0]: OUTAGE, ids[1]: OUTAGE} | dict.fromkeys(ids[2:5], "card 7 expired"),
        )
        await world.work()
        await follow(world, FollowedRuns(world.console(), world.clock))
        counts = (await world.view(run)).counts
        assert (counts.again, counts.new_cause, counts.waiting) == (5, 3, 1)


async def test_without_a_log_a_later_console_tells_completed_from_cancelled_by_activity_instances(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, 6) as world:
        instances = world.sql("SELECT activity_instance_id FROM external_task ORDER BY create_time, id")
        ended = [
            {"id": one[0], "endTime": "2099-01-01T00:00:00.000+0000", "canceled": at < 2, "completeScope": False}
            for at, one in enumerate(instances)
        ]
        world.faults.play(engine_error(403, "AuthorizationException"), on="external-task-log")
        world.faults.play(Answer(200, json.dumps(ended).encode(), "application/json"), on="history/activity-instance")
        run = await world.begin(ordered("rest", watch=10.0, gate=Gate(0.2)))
        world.idle = set(await world.ids())
        assert isinstance(await world.drive(run), RunHeld)
        world.idle = set()
        await world.work()
        await follow(world, FollowedRuns(world.console(), world.clock))
        counts = (await world.view(run)).counts
        assert (counts.done, counts.cancelled, counts.unknown) == (4, 2, 0)
