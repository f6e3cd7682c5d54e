"""A run as a file: where it is taken over it is known what was sent; a broken file changes nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from retriage.store.database.clock import now
from retriage.store.journal import FrozenTask, Journal, NewLaunch, NewRun, NoRunFile, RunCause, runs
from retriage.store.journal.run_drivers import LEASE

NEW = NewRun("e", "http://e", "ann", "all", "why", 1, 0.05, False, 60.0, now())
CAUSES = [RunCause("charge", "HTTP 503 from <*>", 3)]


async def half_way(journal: Journal) -> int:
    """A run of two waves, the first of which was sent and has failed again."""
    waves = [(1, [FrozenTask("a", 0, "f"), FrozenTask("b", None)]), (2, [FrozenTask("c", 0)])]
    run = await journal.runs.begin(NEW, "me", waves, CAUSES)
    launch = await journal.begin(NewLaunch("e", "http://e", "ann", 1, "{}", 2, run_id=run, wave=1))
    await journal.add_tasks(launch, [("a", 0), ("b", None)])
    await journal.sent(launch, 2, run=(run, "me"))
    await journal.ended(launch, "launched", batch_id="b1", jobs=2)
    await journal.runs.wave(run, "me", 1, "watching", began_at=now())
    await journal.runs.note(run, "me", 1, {"again": 2}, 12.5, {0: "again", 1: "again"})
    await journal.runs.state(run, "me", "held", "failed-again", "2 of 2")
    await journal.runs.leave(run, "me")
    return run


async def written(journal: Journal, run: int, name: str = "n1") -> list[str]:
    return [line async for line in journal.runs.lines_of(run, name)]


async def test_it_goes_on_where_it_stood_and_what_was_sent_is_not_sent_again(tmp_path: Path) -> None:
    here, there = await Journal.open(tmp_path / "a.db"), await Journal.open(tmp_path / "b.db")
    await there.runs.begin(NEW, "other", [(1, [FrozenTask("x", 0)])])
    number = await half_way(here)
    taken = await there.runs.take_over(await written(here, number), "their-name")
    assert taken == 2
    run = await there.runs.run(taken)
    assert run is not None
    assert (run.engine, run.state, run.cause, run.listed, run.driver) == ("their-name", "held", "take-over", 3, "")
    assert [(wave.state, wave.tasks, wave.counts, wave.watched) for wave in await there.runs.waves(taken)] == [
        ("watching", 2, {"again": 2}, 12.5), ("planned", 1, {}, 0.0),
    ]  # fmt: skip
    assert await there.runs.unsent(taken, 1, 10) == []
    assert [task.task_id for task in await there.runs.unsent(taken, 2, 10)] == ["c"]
    (launch,) = await there.runs.launches(taken)
    assert (launch.batch_id, launch.wave, launch.engine) == ("b1", 1, "their-name")
    assert {task.task_id: task.retries for task in await there.tasks(launch.id)} == {"a": 0, "b": None}
    assert await there.runs.causes(taken) == CAUSES
    assert [
        found.id for found, _ in await there.runs.over_causes("their-name", [("charge", "HTTP 503 from <*>")], 5)
    ] == [taken]
    for journal in (here, there):
        await journal.close()


async def test_a_part_of_a_run_is_handed_over_without_the_number_of_the_other(tmp_path: Path) -> None:
    here, there = await Journal.open(tmp_path / "a.db"), await Journal.open(tmp_path / "b.db")
    waves = [(1, [FrozenTask("a", 0)])]
    first = await here.runs.begin(replace(NEW, part=1), "me", waves)
    await here.runs.begin(replace(NEW, part=2, other_part=first), "me", waves)
    run = await there.runs.run(await there.runs.take_over(await written(here, first)))
    assert run is not None
    assert (run.part, run.other_part) == (1, None)
    for journal in (here, there):
        await journal.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [], "not the file of a run"),
        (lambda lines: ["[]"], "not the file of a run"),
        (lambda lines: [json.dumps({"format": "retriage run", "version": 3, "name": "n"})], "another version"),
        (lambda lines: lines[:1], "does not begin with a run"),
        (lambda lines: [*lines[:3], lines[3][:-4]], "broken at line 4"),
        (lambda lines: [*lines, '{"table": "sqlite_master", "row": {}}'], "broken at line"),
        (lambda lines: [*lines, lines[1]], "more than one run"),
        (lambda lines: [line for line in lines if '"launch"' not in line], "a launch that it does not hold"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: lines[:3], "cut off"),
        (lambda lines: [line for line in lines if '"launch' not in line], "cut off"),
        (lambda lines: ["[" * 100_000], "not the file of a run"),
        (lambda lines: [*lines[:2], "[" * 100_000, *lines[2:]], "broken at line 3"),
        (lambda lines: [line.replace('"request": "{}"', f'"request": "{"[" * 100_000}"') for line in lines], "broken"),
        (lambda lines: [line.replace('"{}"', f'"{{\\"a\\": {"[" * 300}{"]" * 300}}}"') for line in lines], "broken"),
        (lambda lines: [line.replace('"request": "{}"', '"request": "7"') for line in lines], "broken"),
        (lambda lines: [lines[0].replace('"version": 2', '"version": 1'), *lines[1:4]], "cut off"),
    ],
)  # fmt: skip
async def test_a_file_that_is_none_changes_nothing(tmp_path: Path, change: object, said: str) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    lines = await written(journal, await half_way(journal))
    with pytest.raises(NoRunFile, match=said):
        await journal.runs.take_over(change(lines))  # type: ignore[operator]
    assert len(await journal.runs.runs()) == 1
    await journal.close()


async def test_a_file_of_the_format_before_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    first, *rows, _ = await written(journal, await half_way(journal))
    taken = await journal.runs.take_over([first.replace('"version": 2', '"version": 1'), *rows])
    assert [task.task_id for task in await journal.runs.unsent(taken, 2, 10)] == ["c"]
    await journal.close()


async def test_the_same_file_is_taken_over_once(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    lines = await written(journal, await half_way(journal))
    await journal.runs.take_over(lines)
    with pytest.raises(NoRunFile, match="already"):
        await journal.runs.take_over(lines)
    assert len(await journal.runs.runs()) == 2
    await journal.close()


async def test_a_driver_that_writes_a_large_run_down_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing may take longer than its time: each piece says that the driver is still there."""
    journal = await Journal.open(tmp_path / "journal.db")
    moments = iter([now() + at * LEASE for at in range(100)])
    monkeypatch.setattr(runs, "now", lambda: next(moments))
    monkeypatch.setattr(runs, "PIECE", 1)
    run = await journal.runs.begin(NEW, "me", [(1, [FrozenTask(str(at), 0) for at in range(5)])])
    found = await journal.runs.run(run)
    assert found is not None
    assert found.driven_until is not None
    assert found.driven_until > found.began_at + 5 * LEASE
    await journal.close()
