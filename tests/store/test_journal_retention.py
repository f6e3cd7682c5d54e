"""The journal forgets what is over and old, with its tasks; it keeps what is in doubt and what may still go on."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retriage.store.database.clock import now
from retriage.store.journal import FrozenTask, Journal, NewLaunch, NewRun, retention

NEW = NewRun("e", "http://e", "ann", "all", "why", 1, 0.05, False, 60.0, now())
LAUNCH = NewLaunch("e", "http://e", "ann", 1, "{}", 2)


async def test_what_is_over_and_old_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PIECE", 2)
    journal = await Journal.open(tmp_path / "journal.db")
    over = await journal.runs.begin(NEW, "me", [(1, [FrozenTask(str(at), 0) for at in range(5)])])
    await journal.begin(NewLaunch("e", "http://e", "ann", 1, "{}", 2, run_id=over, wave=1))
    await journal.runs.state(over, "me", "passed", at=now())
    held = await journal.runs.begin(NEW, "me", [(1, [FrozenTask("h", 0)])])
    await journal.runs.state(held, "me", "held")
    part = await journal.begin(NewLaunch("e", "http://e", "ann", 1, "{}", 2, run_id=held, wave=1))
    done, doubtful = await journal.begin(LAUNCH), await journal.begin(LAUNCH)
    await journal.add_tasks(done, [("a", 0), ("b", 0), ("c", 0)])
    await journal.ended(done, "launched", batch_id="b1")
    await journal.sent(doubtful, 0)
    old, young = now() + timedelta(days=1), now() - timedelta(days=1)
    assert await journal.forget_before(young) == 0
    assert await journal.forget_before(old) == 2
    assert [run.id for run in await journal.runs.runs()] == [held]
    assert {launch.id for launch in await journal.launches("e")} == {part, doubtful}
    await journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as file, file:
        left = {table: file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in (
            "launch_task", "run_task", "run_wave", "run_cause")}  # fmt: skip
    assert left == {"launch_task": 0, "run_task": 1, "run_wave": 1, "run_cause": 0}


@pytest.mark.parametrize("sets", [{"retries": None, "operation": "set"}, {"retries": 1, "operation": "retry"}])
async def test_former_values_of_variables_are_forgotten_by_themselves(tmp_path: Path, sets: dict[str, Any]) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    new = replace(NEW, **sets, arguments='{"values": []}')
    runs = []
    for state in ("passed", "held"):
        run = await journal.runs.begin(new, "me", [(1, [FrozenTask("a", None, was='{"secret": null}')])])
        await journal.runs.state(run, "me", state, at=now() if state == "passed" else None)  # type: ignore[arg-type]
        undo = NewLaunch("e", "http://e", "ann", None, '{"v": "secret"}', 1, undoes_run=run, operation="set")
        await journal.ended(await journal.begin(undo), "launched", batch_id=state)
        runs.append(run)
    await journal.forget_values_before(now() - timedelta(days=1))
    assert [await kept(journal, run) for run in runs] == [('{"secret": null}', '{"v": "secret"}')] * 2
    await journal.forget_values_before(now() + timedelta(days=1))
    assert [await kept(journal, run) for run in runs] == [("", "{}"), ('{"secret": null}', '{"v": "secret"}')]
    assert [run.id for run in await journal.runs.runs()] == runs[::-1]
    await journal.close()


async def kept(journal: Journal, run: int) -> tuple[str, str]:
    """What is written down of former values: with the task, and by the undo."""
    (tasks,) = [piece async for piece in journal.runs.tasks(run)]
    (undo,) = await journal.runs.undos(run)
    return tasks[0].was, undo.request


async def test_former_values_are_in_no_file_of_a_run(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    new = replace(NEW, retries=None, operation="set", arguments='{"values": [["a", "Integer", "70001"]]}')
    run = await journal.runs.begin(new, "me", [(1, [FrozenTask("a", None, was='{"a": "former"}')])])
    former = '{"v": "former"}'
    undo = NewLaunch("e", "u", "ann", None, former, 1, undoes_run=run, operation="set", arguments=former)
    await journal.begin(undo)
    lines = [line async for line in journal.runs.lines_of(run, "file")]
    assert "70001" in "".join(lines)
    assert "former" not in "".join(lines)
    there = await Journal.open(tmp_path / "there.db")
    taken = await there.runs.take_over(lines)
    assert await kept(there, taken) == ("", "{}")
    await there.close()
    await journal.close()
