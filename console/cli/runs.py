"""The commands about runs: begin one, watch it, resume or stop it, undo it, list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retriage.console.cli.connection_options import ConnectionOptions, FailureRate, Rehearse, with_connection
from retriage.console.cli.exit_codes import EPILOG, ExitCode
from retriage.console.cli.headless import carry_out
from retriage.console.cli.program import app, fail
from retriage.console.runs.change import RestChange
from retriage.console.runs.gate import Gate
from retriage.console.runs.rules_text import RuleMistake, pace_of, seconds_of, share_of
from retriage.console.runs.waves import WaveMistake, waves_of

if TYPE_CHECKING:
    from retriage.console.operations.preview import Kind
    from retriage.console.runs.waves import Waves

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Detach = Annotated[
    bool, typer.Option("--detach", help="Go on in the background: a closed terminal does not hold the run.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Change the engine without asking first.")]
RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run, see `retriage runs`.")]
DOES = ("retry", "retry-jobs", "suspend", "activate", "cancel", "skip", "repeat", "set")
"""Names of the operations, without what they import."""
INCLUDED = ("never-failed", "unchanged", "lowered")
SKIPPED = ("listeners", "mappings", "called")
"""What an engine skips when it cancels."""
AT_ACTIVITY = ("skip", "repeat")
"""What is done to an activity of instances."""


@app.command("run", epilog=EPILOG)
@with_connection
def run_command(
    connection: ConnectionOptions,
    do: Annotated[str, typer.Option("--do", help=f"What is done: {', '.join(DOES)}.")] = "retry",
    retries: Annotated[int | None, typer.Option(min=0, help="Retries to set, for retry and retry-jobs.")] = None,
    query: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Which tasks, in the filter language (--do suspend: their instances)."),
    ] = None,
    instances: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Which instances, for what is done to instances.")
    ] = None,
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Which failed jobs, in the filter language of the jobs view; means --do retry-jobs."
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="File of ids of tasks, instances or jobs, one a line; - is stdin."),
    ] = None,
    waves: Annotated[str | None, typer.Option(help="Sizes of the waves: 10,100,rest or 1%,10%,rest.")] = None,
    gate: Annotated[str | None, typer.Option(help="Share of a wave that may fail again.", show_default="5%")] = None,
    gate_new_cause: Annotated[
        bool, typer.Option("--gate-new-cause", help="Hold too when a task fails with a new error.")
    ] = False,
    watch: Annotated[str, typer.Option(help="How long a wave is watched: 60s, 5m.")] = "60s",
    pace: Annotated[str | None, typer.Option(help="At most this many tasks in a given time: 200/min.")] = None,
    include: Annotated[str, typer.Option(help=f"Include these too: {', '.join(INCLUDED)}, separated by commas.")] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=TEXT",
            help="For --do set, and for --do retry before it: NAME=TEXT, NAME:=JSON or NAME:TYPE=TEXT; repeatable.",
        ),
    ] = None,
    set_file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="File of the same, one a line, which no process list shows.")
    ] = None,
    only_if: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Set only where this is so; the same forms.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="A name may be one that no instance has.")] = False,
    local: Annotated[
        bool,
        typer.Option("--local", help="Set variables of tasks too that hide the new value: with a request each."),
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many, the oldest first.")] = None,
    activity: Annotated[
        str | None, typer.Option(metavar="ID", help="Which activity, for --do skip and --do repeat.")
    ] = None,
    all_tokens: Annotated[
        bool,
        typer.Option(
            "--all-tokens", help="Skip or repeat it too where an instance is there several times: all of them."
        ),
    ] = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Skip or repeat it too where a worker holds the task: its work is lost.")
    ] = False,
    skip: Annotated[
        str,
        typer.Option(
            help=f"What the engine skips, for --do cancel: {', '.join(SKIPPED)}, or several. The first two also for "
            "--do skip and repeat."
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="The reason; required in production. Cancelled instances keep it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    yes: Yes = False,
    count: Annotated[
        int | None,
        typer.Option(
            help="Begin only if exactly this many match; takes the safety off in production. Cancel, skip and "
            "repeat always need it."
        ),
    ] = None,
    rehearse: Rehearse = None,
    failure_rate: FailureRate = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Markdown file to write when it has ended or is held; must not exist yet."),
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Retry tasks in waves: each is watched, and the next one goes only if few enough fail again. With --set, variables
    of their instances are set first, and only tasks of those that show it get retries. With --jobs, failed jobs are
    retried, which the job executor runs; tasks and jobs of a cause take two commands, with --query and with --jobs. Or
    suspend, activate or cancel process instances, skip or repeat an activity of them, or set their variables: the next
    wave goes when all of one are, or show it."""
    from retriage.console.cli.headless_runs import begin_run, run_order  # 884 ms

    of_set = {"--set": set_ or None, "--set-file": set_file, "--only-if": only_if or None, "--new": new or None,
              "--local": local or None}  # fmt: skip
    of_activity = {"--activity": activity, "--all-tokens": all_tokens or None, "--locked": locked or None}
    do = "retry-jobs" if do == "retry" and jobs is not None else do
    if do == "retry-jobs":
        _check_jobs(retries, {
            "--query": query, "--instances": instances, "--include": include or None, "--skip": skip or None, **of_set,
            **of_activity,
        })  # fmt: skip
    else:
        _check_operation(do, retries, {"--instances": instances}, {
            "--gate": gate, "--gate-new-cause": gate_new_cause or None, "--include": include or None, "--jobs": jobs,
        }, of_set, of_activity)  # fmt: skip
    if do in AT_ACTIVITY and not (activity or "").strip():
        raise fail(f"give --activity: the id of what instances {do}.")
    if do == "set" and not set_ and set_file is None:
        raise fail("give --set or --set-file: what is set.")
    if ids == set_file == "-":
        raise fail("--ids and --set-file cannot both be stdin.")
    if [query, ids, instances, jobs].count(None) != 3:
        what, options = {"retry": ("tasks", "--query"), "retry-jobs": ("jobs", "--jobs")}.get(
            do, ("instances", "--query, --instances")
        )
        raise fail(f"name the {what}: give either {options} or --ids.")
    texts = {"--query": query, "--instances": instances, "--jobs": jobs, "--ids": ids, "--reason": reason,
             "--activity": activity}  # fmt: skip
    for option, text in texts.items():
        _check_text(option, text or "")
    if report is not None and detach:
        raise fail("--report does not go with --detach: `retriage report RUN FILE` writes it when the run has ended.")
    if report is not None and report.exists():
        raise fail(f"{report} exists already; nothing is overwritten.")
    kinds = frozenset(word.strip() for word in include.split(",") if word.strip())
    if unknown := kinds - set(INCLUDED):
        raise fail(f"--include takes {', '.join(INCLUDED)}, not {', '.join(sorted(unknown))}.")
    title = next((text for text in (query, instances, jobs) if text is not None), f"the ids of {ids}")
    order = run_order(
        do,
        retries,
        title,
        _waves(waves) if waves is not None else None,
        Gate(_read("--gate", share_of, gate or "5%"), gate_new_cause),
        _read("--watch", seconds_of, watch),
        _read("--pace", pace_of, pace) if pace is not None else None,
        reason.strip(),
        skip,
        (set_ or [], set_file, only_if or [], new, local),
        ((activity or "").strip(), all_tokens, locked),
    )
    included: frozenset[Kind] = frozenset(word.replace("-", "_") for word in kinds)  # type: ignore[misc]
    engine = connection.connection(rehearse, failure_rate)
    carry_out(
        lambda: begin_run(
            engine, order, (query, ids, instances, jobs), included, limit, count, yes, dry_run, json, report, detach
        ),
        ExitCode.INTERRUPTED,
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
    detach: Detach = False,
    background: Annotated[bool, typer.Option("--background", hidden=True)] = False,
    json: Json = False,
) -> None:
    """Follow a run; or resume it, skip its watch, change its rest, or stop it."""
    from retriage.console.cli.headless_runs import watch_run  # 884 ms

    if batch not in ("goes-on", "suspend", "delete"):
        raise fail("--batch takes goes-on, suspend or delete.")
    if stop and (resume or skip_watch):
        raise fail("--stop does not go with --resume or --skip-watch.")
    if stop and detach:
        raise fail("--stop does not go with --detach: nothing goes on.")
    resume = resume or (detach and not skip_watch)
    wish = f"stop:{batch}" if stop else "skip" if skip_watch else "release" if resume else ""
    change = RestChange(
        _waves(waves) if waves is not None else None,
        _read("--gate", share_of, gate) if gate is not None else None,
        retries,
    )
    if change and not resume:
        raise fail("--waves, --gate and --retries change the rest of a run that is resumed: give --resume.")
    how = [word for option, given in (("--waves", waves), ("--gate", gate), ("--retries", retries))
           for word in (option, str(given)) if given is not None]  # fmt: skip
    words = ("--skip-watch" if skip_watch else "--resume", *how) if detach else None
    carry_out(lambda: watch_run(connection, run, wish, change, yes, json, words, background), ExitCode.INTERRUPTED)


@app.command("undo", epilog=EPILOG)
@with_connection
def undo_command(connection: ConnectionOptions, run: RunNumber, yes: Yes = False, json: Json = False) -> None:
    """End a held run, and restore the retries that its tasks had and what it had set in their instances, where nobody
    has touched them since."""
    from retriage.console.cli.headless_undo import undo_run  # 884 ms

    carry_out(lambda: undo_run(connection, run, yes, json), ExitCode.INTERRUPTED)


@app.command("runs", epilog=EPILOG)
def runs_command(
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 50, json: Json = False
) -> None:
    """List the runs, and how they stand."""
    from retriage.console.cli.headless_runs import list_runs  # 884 ms

    carry_out(lambda: list_runs(limit, json))


def _check_operation(
    do: str,
    retries: int | None,
    of_instances: Mapping[str, object],
    of_retries: Mapping[str, object],
    of_set: Mapping[str, object],
    of_activity: Mapping[str, object],
) -> None:
    """Refuse options that mean nothing to what is done."""
    if do not in DOES:
        raise fail(f"--do takes {', '.join(DOES)}, not {do}.")
    if do == "retry" and retries is None:
        raise fail("give --retries: how many each task gets.")
    if do != "retry":
        of_instances = {**of_retries, "--retries": retries}
    sets = of_set["--set"] is not None or of_set["--set-file"] is not None
    if do != "set" and not (do == "retry" and sets):
        of_instances = {**of_instances, **of_set}
    if do not in AT_ACTIVITY:
        of_instances = {**of_instances, **of_activity}
    for option, given in of_instances.items():
        if given is not None:
            raise fail(f"{option} does not go with --do {do}.")


def _check_jobs(retries: int | None, of_tasks: Mapping[str, object]) -> None:
    """Refuse options that mean nothing to jobs."""
    for option, given in of_tasks.items():
        if given is not None:
            raise fail(f"{option} does not go with --do retry-jobs, which --jobs means.")
    if not retries:
        raise fail("give --retries 1 or more: the job executor leaves jobs without retries alone.")


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
