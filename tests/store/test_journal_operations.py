"""What a run and a launch of the journal do: also of one that was written when all of them set retries."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from retriage.store.database.clock import now
from retriage.store.database.migrate import _config
from retriage.store.journal import FrozenTask, Journal, NewLaunch, NewRun, NoRunFile
from retriage.store.journal.journal import MIGRATIONS

NEW = NewRun("e", "http://e", "ann", "all", "why", 3, 0.05, False, 60.0, now())
SUSPENDS = replace(NEW, retries=None, operation="suspend")
ROWS = """
INSERT INTO run (id, engine, url, user, title, reason, retries, gate, new_cause, watch, frozen_at, listed, began_at,
                 state, cause, said, driver, wish)
     VALUES (4, 'e', 'http://e', 'ann', 'all', 'why', 2, 0.05, 0, 60.0, 1, 2, 1, 'held', 'failed-again', 'so', '', ''),
            (5, 'e', 'http://e', 'ann', 'all', 'why', 2, 0.05, 0, 60.0, 1, 2, 1, 'stopped', '', '', '', '');
INSERT INTO run_wave (run_id, wave, state, watched, counts)
     VALUES (4, 1, 'watching', 1.0, ''), (4, 2, 'planned', 0, '');
INSERT INTO run_task (run_id, ordinal, wave, task_id, retries, failure, left_out, outcome)
     VALUES (4, 0, 1, 'a', 0, '', '', ''), (4, 1, 2, 'b', 0, '', '', '');
INSERT INTO launch (id, engine, url, user, reason, title, retries, request, tasks, listed, began_at, state, batch_id,
                    said, probable, run_id, wave)
     VALUES (7, 'e', 'http://e', 'ann', 'why', 'one', 2, '{"retries":2}', 1, 1, 1, 'launched', 'b1', '', 0, 4, 1),
            (8, 'e', 'http://e', 'ann', 'why', 'one', 1, '{"retries":1}', 1, 1, 1, 'refused', null, '', 0, null, null);
INSERT INTO launch_task (launch_id, ordinal, task_id, retries, named) VALUES (7, 0, 'a', 0, 1);
DELETE FROM run WHERE id = 5;
DELETE FROM launch WHERE id = 8;
"""


def written_before(path: Path) -> None:
    """A journal as it was written before a run could do anything but set retries, with a run held in the middle."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = _config(MIGRATIONS)
        config.attributes |= {"connection": connection, "version_table": "journal_version"}
        command.upgrade(config, "0007")
    engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(ROWS)


async def test_a_run_of_before_is_a_retry_that_goes_on(tmp_path: Path) -> None:
    written_before(tmp_path / "journal.db")
    journal = await Journal.open(tmp_path / "journal.db")
    run = await journal.runs.run(4)
    (launch,) = await journal.runs.launches(4)
    assert run is not None
    assert (run.operation, run.arguments, run.retries, run.state) == ("retry", "{}", 2, "held")
    assert (launch.id, launch.operation, launch.retries, launch.batch_id) == (7, "retry", 2, "b1")
    assert await journal.runs.unsent(4, 1, 9) == []
    assert [task.task_id for task in await journal.runs.unsent(4, 2, 9)] == ["b"]
    # The numbers of rows that are gone are not given again: `undo 5` never means another run.
    assert await journal.runs.begin(NEW, "me", [(1, [FrozenTask("c", 0)])]) == 6
    assert await journal.begin(NewLaunch("e", "", "", 1, "{}", 1)) == 9
    await journal.close()


async def lines_of(journal: Journal, new: NewRun) -> list[str]:
    run = await journal.runs.begin(new, "me", [(1, [FrozenTask("a", 0 if new.retries is not None else None)])])
    return [line async for line in journal.runs.lines_of(run, f"of {new.operation}")]


async def test_a_file_of_before_is_a_retry(tmp_path: Path) -> None:
    here, there = await Journal.open(tmp_path / "a.db"), await Journal.open(tmp_path / "b.db")
    told = [json.loads(line) for line in await lines_of(here, NEW)]
    for line in told:
        if line.get("table") == "run":
            del line["row"]["operation"], line["row"]["arguments"]
    taken = await there.runs.run(await there.runs.take_over(map(json.dumps, told)))
    assert taken is not None
    assert (taken.operation, taken.retries) == ("retry", 3)
    for journal in (here, there):
        await journal.close()


async def test_a_file_keeps_what_its_run_does(tmp_path: Path) -> None:
    here, there = await Journal.open(tmp_path / "a.db"), await Journal.open(tmp_path / "b.db")
    taken = await there.runs.run(await there.runs.take_over(await lines_of(here, SUSPENDS)))
    assert taken is not None
    assert (taken.operation, taken.retries) == ("suspend", None)
    for journal in (here, there):
        await journal.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [('"operation": "retry"', '"operation": "explode"'), ('"retries": 3', '"retries": null'),
     ('"operation": "retry"', '"operation": "suspend"'), ('"arguments": "{}"', '"arguments": "[]"')],
)  # fmt: skip
async def test_a_file_of_what_no_run_does_is_broken(tmp_path: Path, before: str, after: str) -> None:
    journal = await Journal.open(tmp_path / "a.db")
    lines = [line.replace(before, after) for line in await lines_of(journal, NEW)]
    with pytest.raises(NoRunFile, match="broken at line 2"):
        await journal.runs.take_over(lines)
    assert len(await journal.runs.runs()) == 1
    await journal.close()
