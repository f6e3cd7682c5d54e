"""The commands that write a run to a file: for a colleague's machine, or as a report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from retriage.console.cli.connection_options import ConnectionOptions, with_connection
from retriage.console.cli.exit_codes import EPILOG, ExitCode
from retriage.console.cli.headless import carry_out, opened_journal
from retriage.console.cli.output import write
from retriage.console.cli.program import app, fail, say
from retriage.console.runs.driver_name import driver_name, is_dead
from retriage.store.private_files import open_file

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView
    from retriage.store.journal import Journal

RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run, see `retriage runs`.")]
HANDED_OVER = "handed-over"


@app.command("hand-over", epilog=EPILOG)
def hand_over_command(
    run: RunNumber,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; must not exist yet.")],
) -> None:
    """Write a run to a file for a colleague's machine, where it goes on; here it ends."""
    carry_out(lambda: _hand_over(run, file))


@app.command("take-over", epilog=EPILOG)
@with_connection
def take_over_command(
    connection: ConnectionOptions,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `retriage hand-over` has written.")],
) -> None:
    """Take a run over from a file: it is held, and `retriage watch RUN --resume` continues it."""
    carry_out(lambda: _take_over(connection, file))


@app.command("report", epilog=EPILOG)
def report_command(
    run: RunNumber,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Markdown file to write; must not exist yet.")],
) -> None:
    """Write a report of a run for the ticket of the incident: what was chosen, sent, judged and undone."""
    carry_out(lambda: _report(run, file))


async def _report(number: int, file: Path) -> int:
    async with opened_journal() as journal:
        await write_report(journal, number, file)
    return ExitCode.DONE


async def write_report(journal: Journal, number: int, file: Path) -> None:
    """Write the report of a run to a new file.

    Raises:
        typer.Exit: there is no such run, or the file cannot be written; a sentence was said.
    """
    from retriage.console.runs import report, run_view  # 240 ms

    records = await run_view.read_records(journal.runs, number)
    if records is None:
        raise fail(f"there is no run {number}; `retriage runs` lists them.")
    try:
        with open_file(file, "x") as opened:
            opened.write(report.report(records, datetime.now(UTC)))
    except OSError as problem:
        raise fail(f"{file} cannot be written: {problem.strerror or problem}.") from None
    say(f"Run {number} is reported in {file}.")


async def _hand_over(number: int, file: Path) -> int:
    from retriage.console.runs.run_view import read_run  # 5 ms

    async with opened_journal() as journal:
        view = await read_run(journal.runs, number)
        if view is None:
            raise fail(f"there is no run {number}; `retriage runs` lists them.")
        if view.word == "void":
            raise fail(f"run {number} never began: there is nothing to hand over.")
        return await _written(journal, view, file)


async def _written(journal: Journal, view: RunView, file: Path) -> int:
    from retriage.store.journal import NotYours  # 661 ms

    runs, number, name = journal.runs, view.run.id, driver_name()
    try:
        if not view.run.over:
            await runs.take(number, name, view.run.driver if is_dead(view.run.driver) else "")
        with open_file(file, "x") as opened:
            async for line in runs.lines_of(number, uuid4().hex):
                opened.write(line + "\n")
        if not view.run.over:
            said = f"Handed over as {file.name}: it goes on where that file is taken over."
            await runs.state(number, name, "stopped", HANDED_OVER, said, at=datetime.now(UTC))
    except NotYours:
        say(f"retriage: run {number} is driven now: only a run that nobody drives is handed over.")
        return ExitCode.REFUSED
    except OSError as problem:
        raise fail(f"{file} cannot be written: {problem.strerror or problem}.") from None
    finally:
        await runs.leave(number, name)
    write(f"run {number} is written to {file}\n")
    return ExitCode.DONE


async def _take_over(options: ConnectionOptions, file: Path) -> int:
    engine = options.connection().name if options.named else None
    async with opened_journal() as journal:
        try:
            with file.open(encoding="utf-8") as opened:
                number = await journal.runs.take_over(opened, engine)
        except ValueError as problem:  # NoRunFile, or the file is not text
            said = "It is not text." if isinstance(problem, UnicodeDecodeError) else str(problem)
            raise fail(f"{file} cannot be taken over. {said}") from None
        except OSError as problem:
            raise fail(f"{file} cannot be read: {problem.strerror or problem}.") from None
    write(f"{file} is run {number} here, and is held: `retriage watch {number} --resume` continues it\n")
    return ExitCode.DONE
