"""What the commands about runs do, without a screen: begin a run, follow it, answer its gate, undo it, list them."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from console.cli.connection_options import ConnectionOptions
from console.cli.exit_codes import ExitCode
from console.cli.headless import confirmed, opened_journal, opened_session, say
from console.cli.output import NotWritten, print_json, print_table, write
from console.cli.program import fail
from console.folders import settings_file
from console.language import TASKS, matcher, parse, remembers, subject_on
from console.launch.launch_events import LaunchEvent, NoAnswer, NotFound, sentence_of
from console.launch.query_check import why_not_heeded
from console.reading.selected_tasks import read_selected_tasks
from console.reading.selection import Everything, Marked
from console.runs.change import RestChange, change_rest
from console.runs.driver import GATE_CAUSES, UNANSWERED, RunDriven, RunDriver
from console.runs.driver_name import driver_name, is_dead
from console.runs.earlier_runs import record_of, runs_over
from console.runs.event_text import text_of
from console.runs.events import RunEnded, RunHeld, RunPlanned, WaveOutcome, numbers
from console.runs.frozen_tasks import FREEZE_EVERY, freeze
from console.runs.next_step import at_work
from console.runs.operator_call import call_operator, facts_of
from console.runs.page_limit import PageLimit
from console.runs.run import write_down
from console.runs.run_view import read_run
from console.runs.undo import REASONS, carry_out_undo, look_at_undo, wait_until_set
from console.runs.waves import WaveMistake, proposed
from console.session import journal_answers
from console.settings import read_settings
from console.text.words import day, things
from store.contract.orders import SetExternalTaskRetries
from store.journal import NotYours

if TYPE_CHECKING:
    from console.connections import Connection
    from console.launch.preview import Kind
    from console.reading.selection import Selection
    from console.runs.events import RunEvent
    from console.runs.run import RunOrder
    from console.runs.run_view import RunView
    from console.session.session import Session
    from store.journal import Journal, Run

FOLLOWED_EVERY = 1.0
"""Seconds between two looks at a run that another console drives."""


# -- run --------------------------------------------------------------------------------------------------------------


class NamedTasks:
    """Which tasks were named: a query, or ids."""

    def __init__(self, query: str | None, ids: str | None) -> None:
        self._query = query
        self._table: Any = TASKS
        self.conditions: Any = ()
        self.selection: Selection
        if query is not None:
            self._parse(query)
            return
        assert ids is not None
        try:
            text = sys.stdin.read() if ids == "-" else Path(ids).read_text()
        except (OSError, UnicodeDecodeError) as problem:
            raise fail(f"--ids: {ids} cannot be read: {getattr(problem, 'strerror', None) or problem}.") from None
        self.selection = Marked(frozenset(text.split()))
        self.every_task = False

    def _parse(self, query: str) -> None:
        parsed = parse(query, self._table)
        if parsed.mistakes:
            raise fail(f"--query: {parsed.mistakes[0].sentence}")
        self.conditions = parsed.conditions
        everything = Everything(parsed.query, said=query)
        self.selection = everything
        self.every_task = not parsed.conditions and everything.every_task

    async def why_not(self, session: Session) -> str:
        """One sentence where this engine does not heed the query. What it is known to ignore is looked for here."""
        if self._query is None:
            return ""
        self._table = subject_on("tasks", session.capabilities)
        self._parse(self._query)
        assert isinstance(self.selection, Everything), "a query was given"
        return await why_not_heeded(session, SetExternalTaskRetries(external_task_query=self.selection.query))

    async def wanted(self, session: Session) -> Any:
        """What the console itself looks for in the tasks."""
        if not self.conditions:
            return lambda task: True
        retried: frozenset[str] = frozenset()
        if remembers(self.conditions, self._table):
            selected_tasks = await session.ask(lambda client: read_selected_tasks(client, self.selection))
            assert selected_tasks is not None
            retried = frozenset(await journal_answers.retried(session, list(selected_tasks.retries)))
        return matcher(self.conditions, self._table, datetime.now(UTC), retried)


async def begin_run(
    connection: Connection,
    order: RunOrder,
    selected: NamedTasks,
    included: frozenset[Kind],
    limit: int | None,
    count: int | None,
    yes: bool,
    dry_run: bool,
    json: bool,
) -> int:
    async with opened_journal(connection) as journal, opened_session(connection, journal) as session:
        if why := await selected.why_not(session):
            say(f"retriage: {why}")
            return ExitCode.REFUSED
        wanted = await selected.wanted(session)
        frozen = await session.ask(
            lambda client: freeze(
                client, selected.selection, order.retries, client.engine_now(),
                included=included, wanted=wanted, limit=limit, limit_pages=PageLimit(every=FREEZE_EVERY),
            )
        )  # fmt: skip
        if not frozen.tasks:
            left = "; ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in frozen.left_out.items())
            say(f"retriage: nothing to retry{f', left out: {left}' if left else ''}.")
            return ExitCode.NOTHING
        if limit is not None and "create_time" in session.capabilities.absent("tasks"):
            say("This engine does not tell when tasks were created: those that were taken need not be the oldest.")
        earlier = await runs_over(session, frozen.causes)
        for one in earlier:
            say(one.said(datetime.now(UTC)))
        if order.waves is None:
            order = replace(order, waves=proposed(len(frozen.tasks), record_of(earlier)))
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
            if not confirmed(f"Retry {things(number, 'task')} in {things(len(plan.waves), 'wave')}?", yes):
                return ExitCode.REFUSED
        name = driver_name()
        run = await write_down(session, order, frozen, name)
        return await _drive(session, run, json, driver=name, planned=order.plan(frozen, run))


def _why_not(session: Session, order: RunOrder, selected: NamedTasks, number: int, count: int | None) -> str:
    """One sentence if the run must not begin; empty if it may."""
    safety = session.safety
    if safety.readonly:
        return safety.why_not()
    if count is not None and count != number:
        return f"--count says {count:,}, but {things(number, 'task matches', 'tasks match')}: nothing was changed."
    if safety.guarded and count is None:
        return f"this is {safety.environment}: give --count {number} to mean {things(number, 'task')}."
    if safety.guarded and not order.reason:
        return f"give a --reason: it is required on {safety.environment}."
    if selected.every_task and count is None:
        return f"this is every external task of the engine: give --count {number} to mean that."
    return ""


async def _drive(
    session: Session,
    run: int,
    json: bool,
    *,
    driver: str = "",
    planned: RunPlanned | None = None,
    release: bool = False,
    skip: bool = False,
) -> int:
    """Drive a run, and answer the exit code."""
    # What was typed covers the whole run, however long it takes.
    one = RunDriver(session, run, lambda event: _tell(event, json), driver=driver, before_sending=session.safety.arm)
    try:
        if planned is not None:
            _tell(planned, json)
        ended = await one.drive(release=release, skip=skip)
    except RunDriven as problem:
        say(f"retriage: {problem}")
        return ExitCode.REFUSED
    except NotWritten:
        # A run whose console is gone sends nothing.
        say(_said_interrupted(session, run))
        raise
    except asyncio.CancelledError:
        _tell_interrupted(session, run, json)
        raise
    if isinstance(ended, RunHeld):
        await _call_operator(session, ended)
    return _code(ended)


async def _call_operator(session: Session, held: RunHeld) -> None:
    """A run does not go on by itself: the bell of the terminal, and the command of the settings. Nobody is called for a
    rehearsal."""
    if session.identity.snapshot_of:
        return
    if sys.stderr.isatty():
        typer.echo("\a", nl=False, err=True)
    settings = read_settings(settings_file())
    for problem in settings.problems:
        say(problem)
    if settings.call and (problem := await call_operator(settings.call, facts_of(session, held))):
        say(problem)


def _tell_interrupted(session: Session, run: int, json: bool) -> None:
    _tell(RunHeld(run, None, "interrupted", _said_interrupted(session, run)), json)


def _said_interrupted(session: Session, run: int) -> str:
    if session.identity.snapshot_of:
        return "The rehearsal was interrupted, and is gone."
    return f"Held after an interruption. `retriage watch {run} --resume` goes on."


def _code(ended: RunHeld | RunEnded) -> int:
    if isinstance(ended, RunEnded):
        return ExitCode.DONE if ended.state == "passed" else ExitCode.HELD
    if ended.cause in GATE_CAUSES:
        return ExitCode.HELD
    codes = {UNANSWERED: ExitCode.UNANSWERED, "safety": ExitCode.REFUSED, "interrupted": ExitCode.INTERRUPTED}
    return codes.get(ended.cause, ExitCode.ENGINE)


# -- watch ------------------------------------------------------------------------------------------------------------


async def _change(journal: Journal, view: RunView, driver: str, change: RestChange) -> int:
    """Change the rest of a run that nobody drives; answers the exit code where it cannot be, or 0."""
    number, before = view.run.id, view.run.driver
    try:
        await journal.runs.take(number, driver, before if is_dead(before) else "")
        await change_rest(journal.runs, number, driver, change)
    except WaveMistake as mistake:
        await journal.runs.leave(number, driver)
        raise fail(f"--waves: {mistake.sentence}") from None
    except NotYours:
        say(f"retriage: run {number} is driven by another console now.")
        return ExitCode.REFUSED
    return ExitCode.DONE


async def watch_run(
    options: ConnectionOptions, number: int, wish: str, change: RestChange, yes: bool, json: bool
) -> int:
    async with opened_journal() as journal:
        view = await _found(journal, number)
        if not wish:
            return await _follow(journal, number, json)
        if view.driven:
            return await _ask_driver(journal, view, wish, yes, json)
        if view.run.over or view.word == "void":
            _tell_end(view, json)
            return ExitCode.DONE if view.run.state == "passed" else ExitCode.HELD
        if wish == "skip" and view.run.cause in GATE_CAUSES:
            say(f"retriage: run {number} is held by its gate, not watched: --resume goes on with it.")
            return ExitCode.REFUSED
        connection = _connection_of(options, view.run)
        if not confirmed(_question(view, wish), yes):
            return ExitCode.REFUSED
        async with opened_session(connection, journal) as session:
            if why := session.safety.readonly and session.safety.why_not():
                say(f"retriage: {why}")
                return ExitCode.REFUSED
            if wish.startswith("stop"):
                return await _stop(session, number, wish, json)
            name = driver_name()
            if change and (code := await _change(journal, view, name, change)):
                return code
            return await _drive(session, number, json, driver=name, release=wish == "release", skip=wish == "skip")


async def _ask_driver(journal: Journal, view: RunView, wish: str, yes: bool, json: bool) -> int:
    """Somebody drives it: they are asked, but a second one does not drive."""
    number = view.run.id
    if wish == "release":
        say(f"retriage: run {number} is driven by another console now; only one drives.")
        return ExitCode.REFUSED
    if not confirmed(_question(view, wish), yes):
        return ExitCode.REFUSED
    if not await journal.runs.wish(number, wish):
        say(f"retriage: run {number} is no longer driven; try again.")
        return ExitCode.REFUSED
    code = await _follow(journal, number, json)
    return ExitCode.DONE if wish.startswith("stop") and code == ExitCode.HELD else code


async def _stop(session: Session, number: int, wish: str, json: bool) -> int:
    driver = RunDriver(session, number, lambda event: _tell(event, json), before_sending=session.safety.arm)
    driver.wish(wish)  # type: ignore[arg-type]
    await driver.drive()
    return ExitCode.DONE


async def _follow(journal: Journal, number: int, json: bool) -> int:
    """Tell of a run that somebody else drives until it does not go on; answers the exit code."""
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
            here = at_work(view)
            held = RunHeld(
                number, here.wave if here is not None else None, view.run.cause or view.word, view.said, view.counts
            )
            _tell(held, json)
            return _code(held)
        await asyncio.sleep(FOLLOWED_EVERY)


def _tell_end(view: RunView, json: bool) -> None:
    _tell(RunEnded(view.run.id, view.word, view.said, view.counts), json)


async def _found(journal: Journal, number: int) -> RunView:
    view = await read_run(journal.runs, number)
    if view is None:
        raise fail(f"there is no run {number}; `retriage runs` lists them.")
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
        raise fail(f"run {run.id} belongs to {run.engine}, not to {connection.name}.")
    return connection


def _question(view: RunView, wish: str) -> str:
    if wish.startswith("stop"):
        return f"Stop run {view.run.id}?"
    what = "Stop watching the wave that is at work, and go on" if wish == "skip" else "Go on"
    return f"{view.said} {what} with run {view.run.id}?".strip()


# -- undo and runs ----------------------------------------------------------------------------------------------------


async def undo_run(options: ConnectionOptions, number: int, yes: bool, json: bool) -> int:
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
                rows = [
                    (f"{count:,}", f"get back {former} {'retry' if former == '1' else 'retries'}")
                    for former, count in back.items()
                ]
                rows += [(f"{count:,}", f"left alone: {REASONS[why]}") for why, count in undo.left_alone.items()]
                print_table(("tasks", "what becomes of them"), rows, widest=None)
            if undo.why_not:
                say(f"retriage: {undo.why_not}")
                return ExitCode.NOTHING if not undo.count and view.run.state != "running" else ExitCode.REFUSED
            if session.safety.readonly:
                say(f"retriage: {session.safety.why_not()}")
                return ExitCode.REFUSED
            if not confirmed(f"Restore the retries of {things(undo.count, 'task')}?", yes):
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
                    sets = "has set" if done else "does not move, and was to set"
                    write(f"batch {one.batch.id} {sets} {things(one.batch.total_jobs, 'task')} back to {one.retries}\n")
            if len(made) == len(undo.back):
                return ExitCode.DONE if whole else ExitCode.ENGINE
            say(sentence_of(told[-1])[0])
            unanswered = any(isinstance(event, NoAnswer | NotFound) for event in told)
            return ExitCode.UNANSWERED if unanswered else ExitCode.ENGINE


async def list_runs(limit: int, json: bool) -> int:
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
    write(text_of(event) + "\n")
