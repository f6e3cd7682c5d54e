"""Runs in the journal: one driver at a time, nothing sent twice by what the journal tells, waves that are changed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from retriage.store.database.clock import now
from retriage.store.journal import FrozenTask, Journal, NewLaunch, NewRun, NotYours, State, run_drivers, runs
from retriage.store.journal.run_drivers import LEASE

NEW = NewRun("e", "http://e", "ann", "all", "why", 1, 0.05, False, 60.0, now())
LAUNCH = NewLaunch("e", "http://e", "ann", 1, "{}", 2)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def begun(journal: Journal, *sizes: int) -> int:
    """A run driven by ``me``, with tasks ``t0``, ``t1``, … in waves of these sizes."""
    names = iter(f"t{at}" for at in range(sum(sizes)))
    waves = [(wave, [FrozenTask(next(names), 0) for _ in range(size)]) for wave, size in enumerate(sizes, 1)]
    return await journal.runs.begin(NEW, "me", waves)


async def test_a_run_is_read_as_it_was_written(journal: Journal) -> None:
    run_id = await begun(journal, 2, 3)
    run = await journal.runs.run(run_id)
    assert run is not None
    assert (run.state, run.listed, run.driver, run.title, run.over) == ("running", 5, "me", "all", False)
    assert [(wave.wave, wave.state, wave.tasks) for wave in await journal.runs.waves(run_id)] == [
        (1, "planned", 2), (2, "planned", 3),
    ]  # fmt: skip
    tasks = [task.task_id async for piece in journal.runs.tasks(run_id, 2) for task in piece]
    assert tasks == ["t2", "t3", "t4"]


async def test_the_parts_of_a_run_name_each_other_once_both_are_written_down(journal: Journal) -> None:
    task = [(1, [FrozenTask("t", 0)])]
    first = await journal.runs.begin(replace(NEW, part=1), "me", task)
    alone = await journal.runs.run(first)
    assert alone is not None
    assert (alone.part, alone.other_part) == (1, None)
    second = await journal.runs.begin(replace(NEW, operation="retry-jobs", part=2, other_part=first), "me", task)
    both = [await journal.runs.run(number) for number in (first, second)]
    assert [(run.part, run.other_part) for run in both if run is not None] == [(1, second), (2, first)]


async def test_one_driver_at_a_time_until_its_time_is_over(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await begun(journal, 1)
    with pytest.raises(NotYours):
        await journal.runs.take(run, "you")
    assert (await journal.runs.take(run, "me")).driver == "me"
    later = now() + LEASE + timedelta(seconds=1)
    monkeypatch.setattr(runs, "now", lambda: later)
    await journal.runs.take(run, "you")
    for step in (
        journal.runs.renew(run, "me"),
        journal.runs.state(run, "me", "held"),
        journal.runs.wave(run, "me", 1, "sending"),
        journal.runs.note(run, "me", 1, {}, 0.0, {}),
        journal.runs.leave_out(run, "me", {0: "gone"}),
        journal.runs.drop_rest(run, "me"),
        journal.runs.change(run, "me", None, retries=3),
    ):
        with pytest.raises(NotYours):
            await step
    await journal.runs.leave(run, "me")
    with pytest.raises(NotYours):
        await journal.runs.take(run, "me")


async def test_a_driver_that_is_known_to_be_gone_is_not_waited_for(journal: Journal) -> None:
    run = await begun(journal, 1)
    assert (await journal.runs.take(run, "you", dead="me")).driver == "you"


async def test_a_launch_of_a_run_is_not_sent_by_who_has_lost_it(journal: Journal) -> None:
    run = await begun(journal, 1)
    launch = await journal.begin(replace(LAUNCH, run_id=run, wave=1))
    await journal.runs.take(run, "you", dead="me")
    with pytest.raises(NotYours):
        await journal.sent(launch, 1, run=(run, "me"))
    await journal.sent(launch, 1, run=(run, "you"))


async def test_single_requests_of_a_run_keep_it_and_are_not_sent_by_who_has_lost_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await begun(journal, 1)
    launch = await journal.begin(replace(LAUNCH, run_id=run, wave=1, operation="set-local"))
    later = now() + LEASE / 2
    monkeypatch.setattr(run_drivers, "now", lambda: later)
    assert await journal.asking(launch, 0, {"x": "asked"}, run=(run, "me"))
    found = await journal.runs.run(run)
    assert found is not None
    assert found.driven_until == later + LEASE
    await journal.runs.take(run, "you", dead="me")
    with pytest.raises(NotYours):
        await journal.asking(launch, 1, {"y": "asked"}, run=(run, "me"))
    assert [task.task_id for task in await journal.tasks(launch)] == ["x"]


async def test_who_takes_a_run_ends_its_launches_of_single_requests_that_were_cut_short(journal: Journal) -> None:
    run, other = await begun(journal, 1), await begun(journal, 1)
    launches = [await journal.begin(replace(LAUNCH, run_id=one, wave=1, operation="set-local")) for one in (run, other)]
    for launch in launches:
        assert await journal.asking(launch, 0, {"x": "asked", "y": "asked"})
    await journal.runs.take(run, "you", dead="me")
    ended, open_still = [await journal.launch(launch) for launch in launches]
    assert ended is not None
    assert open_still is not None
    assert (ended.state, ended.said[:16], ended.ended_at is not None) == ("launched", "It was cut short", True)
    assert open_still.ended_at is None


@pytest.mark.parametrize(
    ("state", "left"),
    [("launched", 1), ("unknown", 1), ("unknowable", 1), ("refused", 3), ("unsent", 3), ("not_carried_out", 3)],
)
async def test_what_may_have_been_sent_is_not_sent_again(journal: Journal, state: State, left: int) -> None:
    run = await begun(journal, 4)
    await journal.runs.leave_out(run, "me", {3: "gone"})
    launch = await journal.begin(replace(LAUNCH, run_id=run, wave=1))
    await journal.add_tasks(launch, [("t0", 0), ("t1", 0)])
    assert len(await journal.runs.unsent(run, 1, 10)) == 3, "one that is being prepared was not sent"
    await journal.sent(launch, 2)
    assert [task.task_id for task in await journal.runs.unsent(run, 1, 10)] == ["t2"]
    await journal.ended(launch, state)
    assert await journal.runs.count_unsent(run, 1) == left
    # A launch of the same tasks beside the run does not count as the run's.
    other = await journal.begin(LAUNCH)
    await journal.add_tasks(other, [("t2", 0)])
    await journal.ended(other, "launched")
    assert await journal.runs.count_unsent(run, 1) == left


async def test_the_rest_is_cut_anew(journal: Journal) -> None:
    run = await begun(journal, 1, 2, 5)
    await journal.runs.wave(run, "me", 1, "sending")
    await journal.runs.change(run, "me", [3, 3, 1], retries=2, gate=0.2)
    assert [(wave.wave, wave.tasks) for wave in await journal.runs.waves(run)] == [(1, 1), (2, 3), (3, 3), (4, 1)]
    assert [task.task_id for task in await journal.runs.unsent(run, 2, 10)] == ["t1", "t2", "t3"]
    changed = await journal.runs.run(run)
    assert changed is not None
    assert (changed.retries, changed.gate) == (2, 0.2)


async def test_a_wish_is_heard_once_and_only_where_somebody_drives(journal: Journal) -> None:
    run = await begun(journal, 1)
    assert await journal.runs.wish(run, "skip")
    assert await journal.runs.renew(run, "me") == "skip"
    assert await journal.runs.renew(run, "me") == ""
    await journal.runs.leave(run, "me")
    assert not await journal.runs.wish(run, "skip")


async def test_an_undo_of_a_run_counts_for_each_of_its_launches(journal: Journal) -> None:
    run = await begun(journal, 1, 1)
    launches = []
    for wave, task in ((1, "t0"), (2, "t1")):
        launches.append(await journal.begin(replace(LAUNCH, run_id=run, wave=wave)))
        await journal.add_tasks(launches[-1], [(task, 0)])
        await journal.sent(launches[-1], 1)
        await journal.ended(launches[-1], "launched", batch_id=f"b{wave}")
    assert set(await journal.earlier("e", ["t0", "t1"])) == {"t0", "t1"}
    undo = await journal.begin(replace(LAUNCH, retries=0, undoes_run=run))
    await journal.add_tasks(undo, [("t1", 1)])
    await journal.sent(undo, 1)
    await journal.ended(undo, "launched", batch_id="b3")
    assert set(await journal.earlier("e", ["t0", "t1"])) == {"t0"}
    assert set(await journal.undone("e", ["t0", "t1"])) == {"t1"}
    assert [await journal.set_back(one) for one in launches] == [{"t1"}, {"t1"}]


async def test_steps_are_kept_in_their_order(journal: Journal) -> None:
    run = await begun(journal, 1)
    await journal.runs.wave(run, "me", 1, "sending")
    await journal.runs.state(run, "me", "held", "failed-again", "too many")
    steps = [(step.wave, step.what) for step in await journal.runs.steps(run)]
    assert steps == [(None, "begin"), (1, "sending"), (None, "held")]
