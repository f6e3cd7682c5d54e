"""A run as a file, for a colleague's machine: lines of JSON, the first of which says what it is.

It holds the rows of the run, and of its launches with their tasks: whoever takes it over knows which tasks were sent.
The last line says how many rows there are: of a file that was cut off, tasks that were sent would seem not to be.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, get_args

from pydantic import ValidationError
from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.database.engine import Database
from retriage.store.journal.records import SET_RETRIES, OperationName
from retriage.store.journal.run_records import ENDED
from retriage.store.journal.tables import (
    LaunchRow,
    LaunchTaskRow,
    RunCauseRow,
    RunRow,
    RunStepRow,
    RunTaskRow,
    RunWaveRow,
)
from retriage.store.tables.types import col

FORMAT, VERSION = "retriage run", 2
WITHOUT_END = 1
"""The format before: its last line does not say how many rows there are."""
PIECE = 1000
"""Rows that one question reads, or one transaction writes."""
DEEPEST = 20
"""Levels of the JSON in a row at most: a request has six."""
TABLES: dict[str, Any] = {
    table.__tablename__: table
    for table in (RunRow, RunWaveRow, RunCauseRow, RunTaskRow, RunStepRow, LaunchRow, LaunchTaskRow)
}
"""The tables whose rows are in the file, in the order in which they are."""
TAKEN_OVER = "take-over"
"""The step of a run that came from a file; it names the file."""


class NoRunFile(ValueError):
    """The file cannot be taken over; the text is one sentence."""


async def lines_of(database: Database, run_id: int, name: str) -> AsyncIterator[str]:
    """The lines of a run's file.

    Args:
        database: the journal's.
        run_id: the run.
        name: a name that no other file has: by it the same file is not taken over twice.
    """
    yield json.dumps({"format": FORMAT, "version": VERSION, "name": name})
    launches = (col(LaunchRow.run_id) == run_id) | (col(LaunchRow.undoes_run) == run_id)
    wanted = {
        LaunchRow: launches,
        LaunchTaskRow: col(LaunchTaskRow.launch_id).in_(select(col(LaunchRow.id)).where(launches)),
        RunRow: col(RunRow.id) == run_id,
    }
    number = 0
    for word, table in TABLES.items():
        where = wanted.get(table)
        question = select(table.__table__).where(col(table.run_id) == run_id if where is None else where)
        async for row in _rows(database, question.order_by(*table.__table__.primary_key.columns)):
            number += 1
            _drop_local(table, row)
            yield json.dumps({"table": word, "row": row}, default=datetime.isoformat, ensure_ascii=False)
    yield json.dumps({"rows": number})


def _drop_local(table: Any, row: dict[str, Any]) -> None:
    """Drop what belongs to this machine: what variables had before, which an undo has sent once more, and the number
    of the other part."""
    if table is RunRow:
        row["other_part"] = None
    elif table is RunTaskRow:
        row.pop("was")
    elif table is LaunchRow and row["operation"] == "set" and row["undoes_run"] is not None:
        row |= {"request": "{}", "arguments": "{}"}


async def _rows(database: Database, question: "Select[Any]") -> AsyncIterator[dict[str, Any]]:
    first = 0
    while True:
        async with database.reading() as connection:
            page = [dict(row._mapping) for row in await connection.execute(question.offset(first).limit(PIECE))]
        for row in page:
            yield row
        if len(page) < PIECE:
            return
        first += PIECE


async def take_over(
    database: Database, lines: Iterable[str], engine: str | None = None, as_it_was: bool = False
) -> int:
    """Write the run of a file down; answers its number here. One that is not over is held.

    Args:
        database: the journal's.
        lines: of the file.
        engine: what the engine is called here; none keeps the name that it has in the file.
        as_it_was: it is only looked at here, and keeps its number and its state.

    Raises:
        NoRunFile: it is no such file, is broken or cut off, or was taken over already; nothing was written.
    """
    rest = iter(lines)
    version, name = _head(next(rest, ""))
    told = [_row(line, number) for number, line in enumerate(rest, 2)]
    run, *rows = [row for row in told if not isinstance(row, int)] or [None]
    if not isinstance(run, RunRow):
        raise NoRunFile("It does not begin with a run.")
    _check(rows)
    _check_whole(run, rows, None if version == WITHOUT_END else [row for row in told if isinstance(row, int)])
    # Until all of it is there it is a run that never began: nothing can be sent of it.
    listed, state = run.listed, run.state
    values = run.model_dump(exclude=set() if as_it_was else {"id"}) | {
        "state": "preparing", "listed": None, "driver": "", "driven_until": None, "wish": "",
        "engine": engine or run.engine,
    }  # fmt: skip
    async with database.writing() as connection:
        if await _known(connection, name):
            raise NoRunFile("This file was taken over already.")
        run_id = await _inserted(connection, RunRow, values)
    launches: dict[int | None, int] = {}
    left = iter(rows)
    while piece := list(islice(left, PIECE)):
        async with database.writing() as connection:
            for row in piece:
                await _write(connection, row, run_id, engine, launches)
    over = as_it_was or state in ENDED
    said = run.said if over else "Taken over from a file: it goes on when you say so."
    async with database.writing() as connection:
        await connection.execute(
            RunRow.__table__.update()  # type: ignore[attr-defined]
            .where(col(RunRow.id) == run_id)
            .values(listed=listed, state=state if over else "held", cause=run.cause if over else TAKEN_OVER, said=said)
        )
        await _inserted(connection, RunStepRow, {"run_id": run_id, "at": now(), "what": TAKEN_OVER, "said": name})
    return run_id


def _head(line: str) -> tuple[int, str]:
    """Format and name of a file."""
    try:
        head = json.loads(line)
        known = head["format"] == FORMAT
        version, name = head["version"], head["name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known or not isinstance(name, str):
        raise NoRunFile("It is not the file of a run.")
    if version not in (WITHOUT_END, VERSION):
        raise NoRunFile(f"It was written by another version of Retriage (format {version}, here {VERSION}).")
    return version, name


def _row(line: str, number: int) -> Any:
    """A row; of the last line, how many there are."""
    try:
        told = json.loads(line)
        if told.keys() == {"rows"}:
            return int(told["rows"])
        row = TABLES[told["table"]].model_validate(told["row"])
        _check_texts(row)
        return row
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError, RecursionError) as problem:
        raise NoRunFile(f"It is broken at line {number}.") from problem


def _check_texts(row: Any) -> None:
    """Raise ValueError where a text of the row is not the JSON object that every reader takes it for, or its operation
    is none."""
    texts: list[str] = []
    if isinstance(row, LaunchRow | RunRow):
        texts.append(row.arguments)
        if row.operation not in get_args(OperationName) or (row.operation in SET_RETRIES) != (row.retries is not None):
            raise ValueError
    if isinstance(row, LaunchRow):
        texts.append(row.request)
    elif isinstance(row, RunWaveRow):
        texts.append(row.counts or "{}")
    elif isinstance(row, RunStepRow) and row.what == "change":
        texts.append(row.said)
    for text in filter(None, texts):
        if not (isinstance(told := json.loads(text), dict) and _is_shallow(told, DEEPEST)):
            raise ValueError


def _is_shallow(value: Any, levels: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(part, levels - 1) for part in parts)


def _check(rows: Iterable[Any]) -> None:
    """Raise what would come to light too late."""
    launches: set[int | None] = set()
    for row in rows:
        if isinstance(row, RunRow):
            raise NoRunFile("It holds more than one run.")
        if isinstance(row, LaunchRow):
            launches.add(row.id)
        elif isinstance(row, LaunchTaskRow) and row.launch_id not in launches:
            raise NoRunFile("It holds tasks of a launch that it does not hold.")


def _check_whole(run: RunRow, rows: Sequence[Any], ends: list[int] | None) -> None:
    """Raise where rows are missing, as far as that can be told.

    Args:
        run: the run.
        rows: its rows.
        ends: how many there are, as its last line says; ``None`` where the format does not tell.
    """
    cut = "It was cut off: copy it again, or have it written anew."
    if ends is not None and ends != [1 + len(rows)]:
        raise NoRunFile(cut)
    if sum(isinstance(row, RunTaskRow) for row in rows) < (run.listed or 0):
        raise NoRunFile(cut)


async def _known(connection: AsyncConnection, name: str) -> bool:
    found = await connection.execute(
        select(col(RunStepRow.id)).where(col(RunStepRow.what) == TAKEN_OVER, col(RunStepRow.said) == name)
    )
    return found.first() is not None


async def _write(
    connection: AsyncConnection, row: Any, run_id: int, engine: str | None, launches: dict[int | None, int]
) -> None:
    values = row.model_dump()
    if isinstance(row, LaunchRow):
        undoes = values.pop("undoes_run") is not None
        mine = {"run_id": None if undoes else run_id, "undoes_run": run_id if undoes else None}
        number = values.pop("id")
        values["engine"] = engine or values["engine"]
        launches[number] = await _inserted(connection, LaunchRow, values | mine)
        return
    if isinstance(row, LaunchTaskRow):
        values["launch_id"] = launches[row.launch_id]
    else:
        values["run_id"] = run_id
    if isinstance(row, RunStepRow):
        values.pop("id")
    await connection.execute(insert(type(row)).values(**values))


async def _inserted(connection: AsyncConnection, table: Any, values: dict[str, Any]) -> int:
    made = await connection.execute(insert(table).values(**values))
    return int(made.inserted_primary_key[0])  # type: ignore[index]
