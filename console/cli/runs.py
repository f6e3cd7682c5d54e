"""The commands about runs: begin one, watch it, resume or stop it, undo it, list them."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.connection_options import ConnectionOptions, with_connection
from console.cli.exit_codes import EPILOG, ExitCode
from console.cli.headless import carry_out, confirmed, opened_journal, opened_session, say
from console.cli.output import print_json, print_table
from console.cli.program import app, fail

if TYPE_CHECKING:
    from console.connections import Connection
    from console.launch.preview import Kind
    from console.reading.selection import Selection
    from console.runs.events import RunEnded, RunEvent, RunHeld
    from console.runs.run import RunOrder
    from console.runs.run_view import RunView
    from console.session.session import Session
    from store.journal import Journal, Run

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", help="Change the engine without asking back.")]
RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run, see `retriage runs`.")]
INCLUDED = ("never-failed", "unchanged", "lowered")
FOLLOWED_EVERY = 1.0
"""Seconds between two looks at a run that another console drives."""


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
    pace: Annotated[str | None, typer.Option(help="Most tasks in a time: 200/min.")] = None,
    include: Annotated[str, typer.Option(help=f"Take these in too: {', '.join(INCLUDED)}, separated by commas.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Take so many at most, the oldest.")] = None,
    reason: Annotated[str, typer.Option(help="Why; production demands it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    yes: Yes = False,
    count: Annotated[
        int | None, typer.Option(help="Begin only if exactly so many tasks match; stands for arming in production.")
    ] = None,
    json: Json = False,
) -> None:
    """Retry tasks in waves: each is watched, and the next one goes only if few enough fail again."""
    from console.runs.gate import Gate
    from console.runs.run import RunOrder
    from console.runs.waves import WaveMistake, waves_of

    if (query is None) == (ids is None):
        raise fail("say which tasks: either --query or --ids.")
    kinds = frozenset(word.strip() for word in include.split(",") if word.strip())
    if unknown := kinds - set(INCLUDED):
        raise fail(f"--include knows {', '.join(INCLUDED)}, not {', '.join(sorted(unknown))}.")
    try:
        cut = waves_of(waves) if waves is not None else None
    except WaveMistake as mistake:
        raise fail(f"--waves: {mistake.sentence}") from None
    order = RunOrder(
        query if query is not None else f"the ids of {ids}",
        retries,
        cut,
        Gate(_share(gate), gate_new_cause),
        _seconds(watch),
        _pace(pace) if pace is not None else None,
        reason.strip(),
    )
    included: frozenset[Kind] = frozenset(word.replace("-", "_") for word in kinds)  # type: ignore[misc]
    wanted = _Selected(query, ids)
    carry_out(lambda: _run(connection.connection(), order, wanted, included, limit, count, yes, dry_run, json))


@app.command("watch", epilog=EPILOG)
@with_connection
def watch_command(
    connection: ConnectionOptions,
    run: RunNumber,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after an interruption, and release the gate.")
    ] = False,
    yes: Yes = False,
    skip_watch: Annotated[bool, typer.Option("--skip-watch", help="Do not watch the wave at work any longer.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Drop what was not sent.")] = False,
    batch: Annotated[str, typer.Option(help="With --stop, the batch at work: goes-on, suspend or delete.")] = "goes-on",
    json: Json = False,
) -> None:
    """Follow a run; or resume it, skip its watch, stop it."""
    if batch not in ("goes-on", "suspend", "delete"):
        raise fail("--batch knows goes-on, suspend and delete.")
    if stop and (resume or skip_watch):
        raise fail("--stop does not go with --resume or --skip-watch.")
    wish = f"stop:{batch}" if stop else "skip" if skip_watch else "release" if resume else ""
    carry_out(lambda: _watch(connection, run, wish, yes, json))


@app.command("undo", epilog=EPILOG)
@with_connection
def undo_command(connection: ConnectionOptions, run: RunNumber, yes: Yes = False, json: Json = False) -> None:
    """Set the tasks of a run back to what they had, as far as nobody took them since."""
    carry_out(lambda: _undo(connection, run, yes, json))


@app.command("runs", epilog=EPILOG)
def runs_command(
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the newest.")] = 50, json: Json = False
) -> None:
    """Say which runs there were, and how they stand."""
    carry_out(lambda: _runs(limit, json))


# -- run --------------------------------------------------------------------------------------------------------------


class _Selected:
    """Which tasks were named: a query, or ids."""

    def __init__(self, query: str | None, ids: str | None) -> None:
        from console.language import parse
        from console.reading.selection import Everything, Marked

        self.conditions: Any = ()
        if query is not None:
            parsed = parse(query, "tasks")
            if parsed.mistakes:
                raise fail(f"--query: {parsed.mistakes[0].sentence}")
            self.conditions = parsed.conditions
            self.selection: Selection = Everything(parsed.query, said=query)
            self.every_task = not parsed.conditions and self.selection.every_task
            return
        assert ids is not None
        try:
            text = sys.stdin.read() if ids == "-" else Path(ids).read_text()
        except (OSError, UnicodeDecodeError) as problem:
            raise fail(f"--ids: {ids} cannot be read: {getattr(problem, 'strerror', None) or problem}.") from None
        self.selection = Marked(frozenset(text.split()))
        self.every_task = False

    async def wanted(self, session: Session) -> Any:
        """What the console itself looks for in the tasks."""
        from console.language import matcher, remembers
        from console.session import saved_filters

        if not self.conditions:
            return lambda task: True
        retried: frozenset[str] = frozenset()
        if remembers(self.conditions, "tasks"):
            from console.reading.selected_tasks import read_selected_tasks

            roll = await session.ask(lambda client: read_selected_tasks(client, self.selection))
            assert roll is not None
            retried = frozenset(await saved_filters.retried(session, list(roll.retries)))
        return matcher(self.conditions, "tasks", datetime.now(UTC), retried)


async def _run(
    connection: Connection,
    order: RunOrder,
    selected: _Selected,
    included: frozenset[Kind],
    limit: int | None,
    count: int | None,
    yes: bool,
    dry_run: bool,
    json: bool,
) -> int:
    from console.runs.driver_name import driver_name
    from console.runs.frozen_tasks import freeze
    from console.runs.run import write_down
    from console.runs.waves import WaveMistake

    async with opened_journal() as journal, opened_session(connection, journal) as session:
        client = await session.opened()
        wanted = await selected.wanted(session)
        frozen = await session.ask(
            lambda client: freeze(
                client, selected.selection, order.retries, client.engine_now(),
                included=included, wanted=wanted, limit=limit,
            )
        )  # fmt: skip
        if not frozen.tasks:
            left = sum(frozen.left_out.values())
            say(f"retriage: nothing to retry{f': {left:,} tasks match and are left out' if left else ''}.")
            return ExitCode.NOTHING
        try:
            plan = order.plan(frozen)
        except WaveMistake as mistake:
            raise fail(f"--waves: {mistake.sentence}") from None
        if dry_run:
            _tell(plan, json)
            return ExitCode.DONE
        number = len(frozen.tasks)
        if why := _why_not(session, order, selected, number, count):
            say(f"retriage: {why}")
            return ExitCode.REFUSED
        if not yes:
            _tell(plan, json)
            if not confirmed(f"Retry {number:,} tasks in {len(plan.waves)} waves?", yes):
                return ExitCode.REFUSED
        name = driver_name()
        del client
        run = await write_down(session, order, frozen, name)
        _tell(order.plan(frozen, run), json)
        return await _drive(session, run, json, driver=name)


def _why_not(session: Session, order: RunOrder, selected: _Selected, number: int, count: int | None) -> str:
    """One sentence if the run must not begin; empty if it may."""
    safety = session.safety
    if safety.readonly:
        return safety.why_not()
    if count is not None and count != number:
        return f"--count says {count:,}, and {number:,} tasks match: nothing was changed."
    if safety.guarded and count is None:
        return f"this is {safety.environment}: say --count {number} to mean these {number:,} tasks."
    if safety.guarded and not order.reason:
        return f"say why by --reason: it is required on {safety.environment}."
    if selected.every_task and count is None:
        return f"this is every external task of the engine: say --count {number} to mean that."
    return ""


async def _drive(
    session: Session, run: int, json: bool, *, driver: str = "", release: bool = False, skip: bool = False
) -> int:
    """Drive a run, and answer the exit code."""
    from console.runs.driver import RunDriven, RunDriver

    # What was typed covers the whole run, however long it takes.
    one = RunDriver(session, run, lambda event: _tell(event, json), driver=driver, before_sending=session.safety.arm)
    try:
        ended = await one.drive(release=release, skip=skip)
    except RunDriven as problem:
        say(f"retriage: {problem}")
        return ExitCode.REFUSED
    except asyncio.CancelledError:
        _tell_interrupted(run, json)
        raise
    return _code(ended)


def _tell_interrupted(run: int, json: bool) -> None:
    from console.runs.events import RunHeld

    said = f"Held by an interruption. `retriage watch {run} --resume` goes on."
    _tell(RunHeld(run, None, "interrupted", said), json)


def _code(ended: RunHeld | RunEnded) -> int:
    from console.runs.driver import GATE_CAUSES, UNANSWERED
    from console.runs.events import RunEnded

    if isinstance(ended, RunEnded):
        return ExitCode.DONE if ended.state == "passed" else ExitCode.HELD
    if ended.cause in GATE_CAUSES:
        return ExitCode.HELD
    codes = {UNANSWERED: ExitCode.UNANSWERED, "safety": ExitCode.REFUSED, "interrupted": ExitCode.INTERRUPTED}
    return codes.get(ended.cause, ExitCode.ENGINE)


# -- watch ------------------------------------------------------------------------------------------------------------


async def _watch(options: ConnectionOptions, number: int, wish: str, yes: bool, json: bool) -> int:
    async with opened_journal() as journal:
        view = await _found(journal, number)
        if not wish:
            return await _follow(journal, number, json)
        if view.driven:
            return await _ask_driver(journal, view, wish, yes, json)
        if view.run.over or view.word == "void":
            _tell_end(view, json)
            return ExitCode.DONE if view.run.state == "passed" else ExitCode.HELD
        connection = _connection_of(options, view.run)
        if not confirmed(_question(view, wish), yes):
            return ExitCode.REFUSED
        async with opened_session(connection, journal) as session:
            if why := session.safety.readonly and session.safety.why_not():
                say(f"retriage: {why}")
                return ExitCode.REFUSED
            if wish.startswith("stop"):
                return await _stop(session, number, wish, json)
            return await _drive(session, number, json, release=wish == "release", skip=wish == "skip")


async def _ask_driver(journal: Journal, view: RunView, wish: str, yes: bool, json: bool) -> int:
    """Somebody drives it: they are asked, but a second one does not drive."""
    number = view.run.id
    if wish == "release":
        say(f"retriage: run {number} is driven by another console now; only one drives.")
        return ExitCode.REFUSED
    if not confirmed(_question(view, wish), yes):
        return ExitCode.REFUSED
    if not await journal.runs.wish(number, wish):
        say(f"retriage: run {number} was left meanwhile; try again.")
        return ExitCode.REFUSED
    code = await _follow(journal, number, json)
    return ExitCode.DONE if wish.startswith("stop") and code == ExitCode.HELD else code


async def _stop(session: Session, number: int, wish: str, json: bool) -> int:
    from console.runs.driver import RunDriver

    driver = RunDriver(session, number, lambda event: _tell(event, json), before_sending=session.safety.arm)
    driver.wish(wish)  # type: ignore[arg-type]
    await driver.drive()
    return ExitCode.DONE


async def _follow(journal: Journal, number: int, json: bool) -> int:
    """Tell of a run that somebody else drives until it does not go on; answers the exit code."""
    from console.runs.events import RunEnded, RunHeld, WaveOutcome

    told: dict[int, Any] = {}
    while True:
        view = await _found(journal, number)
        for wave in view.waves:
            if wave.counts.total and told.get(wave.wave) != wave.counts:
                told[wave.wave] = wave.counts
                _tell(WaveOutcome(number, wave.wave, wave.counts), json)
        if view.run.over:
            _tell_end(view, json)
            return _code(RunEnded(number, view.run.state, view.said))
        if not view.driven:
            held = RunHeld(number, None, view.run.cause or view.word, view.said, view.counts)
            _tell(held, json)
            return _code(held)
        await asyncio.sleep(FOLLOWED_EVERY)


def _tell_end(view: RunView, json: bool) -> None:
    from console.runs.events import RunEnded

    _tell(RunEnded(view.run.id, view.word, view.said, view.counts), json)


async def _found(journal: Journal, number: int) -> RunView:
    from console.runs.run_view import read_run

    view = await read_run(journal.runs, number)
    if view is None:
        raise fail(f"there is no run {number}; `retriage runs` tells which there are.")
    return view


def _connection_of(options: ConnectionOptions, run: Run) -> Connection:
    """The engine that was named, or the one that the run is of; the run's own in any case."""
    if not options.named:
        if run.engine.startswith(("http://", "https://")):
            options = replace(options, engine=run.engine)
        elif run.url:
            options = replace(options, profile=run.engine)
        else:
            options = replace(options, store=run.engine)
    connection = options.connection()
    if connection.name != run.engine:
        raise fail(f"run {run.id} is of {run.engine}, not of {connection.name}.")
    return connection


def _question(view: RunView, wish: str) -> str:
    if wish.startswith("stop"):
        return f"Stop run {view.run.id}?"
    what = "Do not watch the wave at work any longer, and go on" if wish == "skip" else "Go on"
    return f"{view.said} {what} with run {view.run.id}?".strip()


# -- undo and runs ----------------------------------------------------------------------------------------------------


async def _undo(options: ConnectionOptions, number: int, yes: bool, json: bool) -> int:
    from console.launch.launch_events import LaunchEvent, NoAnswer, NotFound, sentence_of
    from console.runs.undo import REASONS, carry_out_undo, look_at_undo, wait_until_set

    async with opened_journal() as journal:
        view = await _found(journal, number)
        if view.driven:
            say(f"retriage: run {number} is at work: stop it first, or let it end.")
            return ExitCode.REFUSED
        connection = _connection_of(options, view.run)
        async with opened_session(connection, journal) as session:
            undo = await look_at_undo(session, view.run)
            back = {str(former): len(some) for former, some in sorted(undo.back.items())}
            if json:
                plan = {"event": "plan", "run": number, "undo": True, "tasks": undo.count, "back": back}
                print_json({**plan, "leftAlone": dict(undo.left_alone)})
            else:
                rows = [(f"{count:,}", f"get back {former} retries") for former, count in back.items()]
                rows += [(f"{count:,}", f"left alone: {REASONS[why]}") for why, count in undo.left_alone.items()]
                print_table(("tasks", "what becomes of them"), rows)
            if undo.why_not:
                say(f"retriage: {undo.why_not}")
                return ExitCode.NOTHING if not undo.count and view.run.state != "running" else ExitCode.REFUSED
            if session.safety.readonly:
                say(f"retriage: {session.safety.why_not()}")
                return ExitCode.REFUSED
            if not confirmed(f"Set {undo.count:,} tasks back?", yes):
                return ExitCode.REFUSED
            told: list[LaunchEvent] = []
            made = await carry_out_undo(session, undo, told.append, session.safety.arm)
            whole = True
            for one in made:
                done = await wait_until_set(session, one.batch.id)
                whole = whole and done
                if json:
                    record = {"event": "batch", "run": number, "batch": one.batch.id, "retries": one.retries}
                    print_json({**record, "tasks": one.batch.total_jobs, "done": done})
                else:
                    sets = "has set" if done else "does not get on, and was to set"
                    typer.echo(f"batch {one.batch.id} {sets} {one.batch.total_jobs:,} tasks back to {one.retries}")
            if len(made) == len(undo.back):
                return ExitCode.DONE if whole else ExitCode.ENGINE
            say(sentence_of(told[-1])[0])
            unanswered = any(isinstance(event, NoAnswer | NotFound) for event in told)
            return ExitCode.UNANSWERED if unanswered else ExitCode.ENGINE


async def _runs(limit: int, json: bool) -> int:
    from console.runs.events import numbers
    from console.runs.run_view import read_run
    from console.text.words import day

    async with opened_journal() as journal:
        views = [await read_run(journal.runs, run.id) for run in await journal.runs.runs(limit=limit)]
    rows: list[tuple[str, ...]] = []
    for view in views:
        if view is None:
            continue
        run, counts = view.run, view.counts
        if json:
            print_json(
                {
                    "run": run.id, "state": view.word, "cause": run.cause, "said": view.said, "engine": run.engine,
                    "title": run.title, "reason": run.reason, "user": run.user, "retries": run.retries,
                    "tasks": run.listed, "began": run.began_at.isoformat(), "driven": view.driven,
                    "waves": [
                        {"wave": one.wave, "state": one.state, "tasks": one.tasks, "leftOut": dict(one.left_out),
                         **numbers(one.counts)}
                        for one in view.waves
                    ],
                    **numbers(counts),
                }
            )  # fmt: skip
            continue
        through = sum(one.state in ("passed", "released", "skipped") for one in view.waves)
        rows.append((
            str(run.id), view.word, f"{through}/{len(view.waves)}", f"{run.listed or 0:,}", f"{counts.done:,}",
            f"{counts.again:,}", day(run.began_at), run.title, view.said,
        ))  # fmt: skip
    if not json:
        print_table(("run", "state", "waves", "tasks", "done", "again", "began", "tasks of", "why"), rows)
    return ExitCode.DONE


# -- words ------------------------------------------------------------------------------------------------------------


def _tell(event: RunEvent, json: bool) -> None:
    """An event on stdout."""
    if json:
        print_json(event.record())
        return
    from console.runs.event_text import text_of

    typer.echo(text_of(event))


def _share(text: str) -> float:
    """``20%`` or ``0.2`` as a share."""
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise fail(f"--gate: {text} is no share; write it like 5% or 0.05.")
    return share


def _seconds(text: str) -> float:
    """``60s``, ``5m``, ``1h`` or ``90`` as seconds."""
    units = {"s": 1, "m": 60, "h": 3600}
    word = text.strip().lower()
    number, unit = (word[:-1], units[word[-1]]) if word[-1:] in units else (word, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 8 * 86400:
        raise fail(f"--watch: {text} is no time to watch; write it like 60s, 5m or 1h.")
    return seconds


def _pace(text: str) -> float:
    """``200/min``, ``5/s``, ``1000/h`` or ``200`` as tasks a minute."""
    number, _, unit = text.strip().lower().partition("/")
    units = {"": 1.0, "min": 1.0, "m": 1.0, "s": 60.0, "h": 1 / 60}
    try:
        pace = float(number) * units[unit.strip()]
    except (ValueError, KeyError):
        pace = 0.0
    if not 0 < pace < 1e9:
        raise fail(f"--pace: {text} is no pace; write it like 200/min.")
    return pace
