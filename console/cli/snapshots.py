"""The command that writes a snapshot of an engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retriage.console.cli.connection_options import ConnectionOptions, with_connection
from retriage.console.cli.exit_codes import EPILOG, ExitCode
from retriage.console.cli.headless import carry_out, opened_journal, opened_session
from retriage.console.cli.output import print_json, write
from retriage.console.cli.program import app, fail, say, say_over
from retriage.console.snapshots.part import MASKED, SnapshotPart, names
from retriage.console.text.inert import inert
from retriage.console.text.words import count, day

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.store.snapshot_mark import SnapshotMark


@app.command("snapshot", epilog=EPILOG)
@with_connection
def snapshot_command(
    connection: ConnectionOptions,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write; must not exist yet.")],
    query: Annotated[
        str, typer.Option(metavar="TEXT", help="Which tasks, in the filter language, and only what belongs to them.")
    ] = "",
    variables: Annotated[
        str, typer.Option(metavar="NAME,...", help="Write these variables too, with * for any letters: 'order*'.")
    ] = "",
    mask: Annotated[
        str, typer.Option(metavar="NAME,...", help="Variables of these names are written without their values.")
    ] = ",".join(MASKED),
    details: Annotated[int, typer.Option(min=0, help="Error details of this many tasks of each cause.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write tasks, their errors, instances, incidents, batches and runs to a file that opens without the engine.

    An engine on the network is asked for one page of 500 rows a second at most, and for 20 single things.
    Error texts hold business data: the file is for its owner's eyes only. `retriage --store FILE` opens it.
    """
    part = SnapshotPart(query, names(variables), names(mask), details)
    chosen = connection.connection()
    if out.exists():
        raise fail(f"{out} exists already; nothing is overwritten.")
    carry_out(lambda: _take(chosen, part, out, json))


async def _take(connection: NamedEngine, part: SnapshotPart, out: Path, json: bool) -> int:
    from retriage.console.snapshots.take import NotAFilter, NothingMatches, take_snapshot  # 900 ms

    progress = _Progress()
    try:
        async with opened_journal(connection) as journal, opened_session(connection, journal) as session:
            mark = await take_snapshot(session, part, out, progress.tell)
    except NotAFilter as mistake:
        raise fail(f"--query: {mistake}") from None
    except NothingMatches:
        say("retriage: no external task matches; nothing was written.")
        return ExitCode.NOTHING
    except OSError as problem:
        raise fail(f"{out} cannot be written: {problem.strerror or problem}.") from None
    finally:
        progress.end()
    if json:
        print_json(_record(mark, out))
    else:
        for line in _lines(mark, out):
            write(inert(line) + "\n")
    return ExitCode.DONE


class _Progress:
    """How far it is, on stderr: on one line of a terminal, otherwise a line for each kind of thing."""

    def __init__(self) -> None:
        self._line = ""
        self._what = ""

    def tell(self, what: str, number: int) -> None:
        """So many are known."""
        if what != self._what:
            self.end()
        self._what, self._line = what, f"{count(number)} {what}"
        if sys.stderr.isatty():
            say_over(f"{self._line} ")

    def end(self) -> None:
        """This kind of thing is read."""
        if self._line:
            say("" if sys.stderr.isatty() else self._line)
        self._line = ""


def _record(mark: SnapshotMark, out: Path) -> dict[str, object]:
    return {
        "file": str(out),
        "engine": mark.engine,
        "kind": mark.kind,
        "takenAt": mark.taken_at.isoformat(),
        "takenBy": mark.taken_by,
        "query": mark.part,
        "numbers": mark.numbers,
        "leftOut": list(mark.left_out),
        "rates": [{"topic": one.topic, "done": one.done, "failed": one.failed, "source": one.source}
                  for one in mark.rates],
    }  # fmt: skip


def _lines(mark: SnapshotMark, out: Path) -> list[str]:
    told = [f"{out}: {mark.kind} ({mark.engine}) as of {day(mark.taken_at)}"]
    told += [f"{count(number):>9} {what}" for what, number in mark.numbers.items()]
    told += [f"not in it: {sentence}" for sentence in mark.left_out]
    return [*told, f"retriage --store {out} opens it, retriage --rehearse {out} tries a run on a copy of it."]
