"""The commands about runs: begin one, watch it, resume or stop it, undo it, list them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.connection_options import ConnectionOptions, FailureRate, Rehearse, with_connection
from console.cli.exit_codes import EPILOG, ExitCode
from console.cli.headless import carry_out
from console.cli.program import app, fail
from console.runs.change import RestChange
from console.runs.gate import Gate
from console.runs.rules_text import RuleMistake, pace_of, seconds_of, share_of
from console.runs.waves import WaveMistake, waves_of

if TYPE_CHECKING:
    from console.launch.preview import Kind
    from console.runs.waves import Waves

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", help="Change the engine without asking first.")]
RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run, see `retriage runs`.")]
INCLUDED = ("never-failed", "unchanged", "lowered")


@app.command("run", epilog=EPILOG)
@with_connection
def run_command(
    connection: ConnectionOptions,
    retries: Annotated[int, typer.Option(min=0, help="Retries to set.")],
    query: Annotated[str | None, typer.Option(metavar="TEXT", help="Which tasks, in the filter language.")] = None,
    ids: Annotated[str | None, typer.Option(metavar="FILE|-", help="File of task ids, one a line; - is stdin.")] = None,
    waves: Annotated[str | None, typer.Option(help="Sizes of the waves: 10,100,rest or 1%,10%,rest.")] = None,
    gate: Annotated[str, typer.Option(help="Share of a wave that may fail again.")] = "5%",
    gate_new_cause: Annotated[
        bool, typer.Option("--gate-new-cause", help="Hold too when a task fails with a new error.")
    ] = False,
    watch: Annotated[str, typer.Option(help="How long a wave is watched: 60s, 5m.")] = "60s",
    pace: Annotated[str | None, typer.Option(help="At most this many tasks in a given time: 200/min.")] = None,
    include: Annotated[str, typer.Option(help=f"Include these too: {', '.join(INCLUDED)}, separated by commas.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many, the oldest first.")] = None,
    reason: Annotated[str, typer.Option(help="The reason; required in production.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    yes: Yes = False,
    count: Annotated[
        int | None,
        typer.Option(help="Begin only if exactly this many tasks match; in production this takes the safety off."),
    ] = None,
    rehearse: Rehearse = None,
    failure_rate: FailureRate = None,
    json: Json = False,
) -> None:
    """Retry tasks in waves: each is watched, and the next one goes only if few enough fail again."""
    from console.cli.headless_runs import NamedTasks, begin_run  # 884 ms
    from console.runs.run import RunOrder  # 637 ms

    if (query is None) == (ids is None):
        raise fail("name the tasks: give either --query or --ids.")
    for option, text in (("--query", query), ("--ids", ids), ("--reason", reason)):
        _check_text(option, text or "")
    kinds = frozenset(word.strip() for word in include.split(",") if word.strip())
    if unknown := kinds - set(INCLUDED):
        raise fail(f"--include takes {', '.join(INCLUDED)}, not {', '.join(sorted(unknown))}.")
    order = RunOrder(
        query if query is not None else f"the ids of {ids}",
        retries,
        _waves(waves) if waves is not None else None,
        Gate(_read("--gate", share_of, gate), gate_new_cause),
        _read("--watch", seconds_of, watch),
        _read("--pace", pace_of, pace) if pace is not None else None,
        reason.strip(),
    )
    included: frozenset[Kind] = frozenset(word.replace("-", "_") for word in kinds)  # type: ignore[misc]
    wanted = NamedTasks(query, ids)
    engine = connection.connection(rehearse, failure_rate)
    carry_out(
        lambda: begin_run(engine, order, wanted, included, limit, count, yes, dry_run, json), ExitCode.INTERRUPTED
    )


@app.command("watch", epilog=EPILOG)
@with_connection
def watch_command(
    connection: ConnectionOptions,
    run: RunNumber,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after an interruption, and release the gate.")
    ] = False,
    yes: Yes = False,
    skip_watch: Annotated[bool, typer.Option("--skip-watch", help="Stop watching the wave that is at work.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Drop what was not sent.")] = False,
    batch: Annotated[
        str, typer.Option(help="With --stop, what to do with the batch at work: goes-on, suspend or delete.")
    ] = "goes-on",
    waves: Annotated[str | None, typer.Option(help="With --resume, new waves for what has not begun.")] = None,
    gate: Annotated[str | None, typer.Option(help="With --resume, new share of a wave that may fail again.")] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, help="With --resume, new retries for what has not begun.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow a run; or resume it, skip its watch, change its rest, or stop it."""
    from console.cli.headless_runs import watch_run  # 884 ms

    if batch not in ("goes-on", "suspend", "delete"):
        raise fail("--batch takes goes-on, suspend or delete.")
    if stop and (resume or skip_watch):
        raise fail("--stop does not go with --resume or --skip-watch.")
    wish = f"stop:{batch}" if stop else "skip" if skip_watch else "release" if resume else ""
    change = RestChange(
        _waves(waves) if waves is not None else None,
        _read("--gate", share_of, gate) if gate is not None else None,
        retries,
    )
    if change and not resume:
        raise fail("--waves, --gate and --retries change the rest of a run that is resumed: give --resume.")
    carry_out(lambda: watch_run(connection, run, wish, change, yes, json), ExitCode.INTERRUPTED)


@app.command("undo", epilog=EPILOG)
@with_connection
def undo_command(connection: ConnectionOptions, run: RunNumber, yes: Yes = False, json: Json = False) -> None:
    """Restore the retries that the tasks of a run had, where nobody has touched them since."""
    from console.cli.headless_runs import undo_run  # 884 ms

    carry_out(lambda: undo_run(connection, run, yes, json), ExitCode.INTERRUPTED)


@app.command("runs", epilog=EPILOG)
def runs_command(
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 50, json: Json = False
) -> None:
    """List the runs, and how they stand."""
    from console.cli.headless_runs import list_runs  # 884 ms

    carry_out(lambda: list_runs(limit, json))


def _waves(text: str) -> Waves:
    """A list of waves."""
    try:
        return waves_of(text)
    except WaveMistake as mistake:
        raise fail(f"--waves: {mistake.sentence}") from None


def _check_text(option: str, text: str) -> None:
    """What is written into the journal has to be text: bytes that are none come as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise fail(f"{option} is not UTF-8: the terminal sends letters in another encoding.") from None


def _read(option: str, read: Callable[[str], float], text: str) -> float:
    """A rule as it was typed."""
    try:
        return read(text)
    except RuleMistake as mistake:
        raise fail(f"{option}: {mistake.sentence}") from None
