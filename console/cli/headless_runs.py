"""What the commands about runs do, without a screen: begin a run, follow it, answer its gate, undo it, list them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from retriage.console.cli.background import check_stays, go_on_in_background, stay
from retriage.console.cli.connection_options import ConnectionOptions
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import confirmed, opened_journal, opened_session
from retriage.console.cli.named_units import NamedUnits, typed_variables
from retriage.console.cli.output import NotWritten, print_json, print_table, write
from retriage.console.cli.program import fail, ring, say
from retriage.console.cli.run_files import write_report
from retriage.console.engine.history_level import what_is_lost
from retriage.console.folders import settings_file
from retriage.console.operations.fix_and_retry import FixAndRetry
from retriage.console.operations.known import operation_named
from retriage.console.operations.modification import Modification
from retriage.console.operations.operation import FreezeRules
from retriage.console.operations.retry import SetRetries
from retriage.console.operations.set_variables import SetVariables, one_by_one_said
from retriage.console.operations.variable_values import VariableMistake
from retriage.console.runs.change import RestChange
from retriage.console.runs.command_text import engine_words
from retriage.console.runs.driver import GATE_CAUSES, RunDriven
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.earlier_runs import record_of, runs_over
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld, RunPlanned, WaveOutcome, moment, moments, numbers
from retriage.console.runs.followed_runs import following
from retriage.console.runs.hold import NOT_SET, OTHER_BATCHES, UNANSWERED
from retriage.console.runs.next_step import at_work
from retriage.console.runs.notify import notify
from retriage.console.runs.rules_text import RuleMistake, skips_of
from retriage.console.runs.run import RunOrder
from retriage.console.runs.run_view import NOTHING_SENT, read_run
from retriage.console.runs.service import DrivenRun, RunService
from retriage.console.runs.waves import WaveMistake, proposed
from retriage.console.settings import read_settings
from retriage.console.text.words import day, things

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retriage.console.connections import NamedEngine
    from retriage.console.operations.preview import Kind
    from retriage.console.runs.driver import Wish
    from retriage.console.runs.events import RunEvent
    from retriage.console.runs.gate import Gate
    from retriage.console.runs.run_view import RunView
    from retriage.console.runs.waves import Waves
    from retriage.console.session.session import Session
    from retriage.store.journal import Journal, Run

FOLLOWED_EVERY = 1.0
"""Seconds between two looks at a run that another console drives."""


# -- run --------------------------------------------------------------------------------------------------------------


def run_order(
    do: str,
    retries: int | None,
    title: str,
    waves: Waves | None,
    gate: Gate,
    watch: float,
    pace: float | None,
    reason: str,
    skip: str,
    variables: tuple[list[str], str | None, list[str], bool, bool],
    at: tuple[str, bool, bool] = ("", False, False),
) -> RunOrder:
    """What is ordered: ``do`` is the name of an operation, ``skip`` what the engine skips, as it was typed,
    ``variables`` what :func:`typed_variables` reads, and ``at`` an activity, whether all of its tokens are meant, and
    whether those that a worker holds are."""
    operation = operation_named(do, retries)
    if isinstance(operation, SetVariables):
        operation = replace(operation, **typed_variables(*variables))
    elif isinstance(operation, Modification):
        operation = replace(operation, activity=at[0], all_tokens=at[1], locked=at[2])
    elif isinstance(operation, SetRetries) and (given := typed_variables(*variables))["given"]:
        operation = FixAndRetry(operation.retries, SetVariables(**given))
    try:
        operation = operation.because(reason, skips_of(skip, operation.skips))
    except RuleMistake as mistake:
        raise fail(f"--skip with --do {do}: {mistake.sentence}") from None
    return RunOrder(title, operation, waves, gate, watch, pace, reason)


async def begin_run(
    connection: NamedEngine,
    order: RunOrder,
    named: tuple[str | None, str | None, str | None, str | None],
    included: frozenset[Kind],
    limit: int | None,
    count: int | None,
    yes: bool,
    dry_run: bool,
    json: bool,
    report: Path | None = None,
    detach: bool = False,
) -> int:
    if detach and not dry_run:
        check_stays(connection)
    selected = NamedUnits(order.operation, *named)
    async with opened_journal(connection) as journal, opened_session(connection, journal) as session:
        if why := await selected.why_not(session):
            say(f"retriage: {why}")
            return ExitCode.REFUSED
        operation, service = order.operation, service_of(session, json)
        selection, wanted = await selected.selection(session), await selected.wanted(session)
        try:
            frozen = await service.freeze(selection, operation, FreezeRules(included, wanted, limit))
        except VariableMistake as mistake:
            new = " Say --new if a new one is meant." if mistake.unknown_name else ""
            raise fail(f"--set: {mistake.sentence}{new}") from None
        order = replace(order, operation=frozen.operation or operation)
        for sentence in frozen.told:
            say(sentence)
        if (hidden := frozen.left_out["local"] + frozen.also["hidden"]) and not frozen.also["local"]:
            say(f"--local sets the local variables too that hide the new value: {hidden:,} left alone without.")
        if not frozen.tasks:
            left = "; ".join(f"{number:,} {operation.left_out_said(kind)}" for kind, number in frozen.left_out.items())
            say(f"retriage: nothing to {operation.word}{f', left out: {left}' if left else ''}.")
            return ExitCode.NOTHING
        if limit is not None and "create_time" in session.connection.capabilities.absent(operation.meant_for):
            kept = "those that were taken need not be the oldest"
            say(f"This engine does not tell when {operation.meant_for} were created: {kept}.")
        if frozen.also["local"] and (why := await _why_no_variables(session)):
            say(f"retriage: {why}")
            return ExitCode.REFUSED
        lost = await _say_what_is_lost(session, operation.unit, frozen.one_by_one)
        earlier = await runs_over(session, frozen.causes)
        for one in earlier:
            say(one.said(datetime.now(UTC)))
        if order.waves is None:
            order = replace(order, waves=proposed(len(frozen.tasks), record_of(earlier)))
        try:
            plan = replace(order.plan(frozen), lost=lost)
        except WaveMistake as mistake:
            raise fail(f"--waves: {mistake.sentence}") from None
        if dry_run:
            _tell(plan, json)
            return ExitCode.DONE
        number = len(frozen.tasks)
        if why := _why_not(session, order, selected.all_of_them(selection), number, count):
            say(f"retriage: {why}")
            return ExitCode.REFUSED
        if not yes:
            _tell(plan, json)
            if not confirmed(f"{operation.verb} {operation.units(number)} in {things(len(plan.waves), 'wave')}?", yes):
                return ExitCode.REFUSED
        run = await service.write_down(order, frozen)
        planned = replace(plan, run=run.run_id)
        assert run.run_id is not None, "it is written down"
        if not detach:
            try:
                return await _drive(session, service, run, json, planned=planned)
            finally:
                if report is not None:
                    await write_report(journal, run.run_id, report)
        _tell(planned, json)
        await journal.runs.leave(run.run_id, run.name)
        engine = engine_words(session.connection.identity, session.connection.login)
    async with opened_journal() as journal:
        return await go_on_in_background(journal, run.run_id, engine, ("--resume",), json)


async def _why_no_variables(session: Session) -> str:
    """One sentence if this user may not change variables by a request of their own."""
    await session.connection.learn_rights()
    return session.connection.rights.why_no_variables()


async def _say_what_is_lost(session: Session, unit: str, one_by_one: int = 0) -> str:
    """Say, and return, what cannot be known of the outcome of tasks, instances or jobs on this engine.

    Args:
        session: over it.
        unit: what is meant: ``task``, ``instance`` or ``job``.
        one_by_one: process instances that an undo would need a request each for, reported too.
    """
    await session.connection.learn_rights()
    if one_by_one:
        say(one_by_one_said(one_by_one, not session.connection.rights.why_no_variables()))
    lost = what_is_lost(session.connection.history_level, session.connection.rights, unit)
    if lost:
        say(lost)
    return lost


def _why_not(session: Session, order: RunOrder, every: str, number: int, count: int | None) -> str:
    """One sentence if the run must not begin; empty if it may."""
    safety, units = session.connection.safety, order.operation.units(number)
    if safety.readonly:
        return safety.why_not()
    if count is not None and count != number:
        return f"--count says {count:,}, but {units} match{'es' if number == 1 else ''}: nothing was changed."
    if safety.guarded and count is None:
        return f"this is {safety.environment}: give --count {number} to mean {units}."
    if safety.guarded and not order.reason:
        return f"give a --reason: it is required on {safety.environment}."
    if order.operation.no_way_back and count is None:
        return f"{order.operation.no_way_back} Give --count {number} to mean {units}."
    if every and count is None:
        return f"this is {every} of the engine: give --count {number} to mean that."
    return ""


def service_of(session: Session, json: bool, figures: bool = True) -> RunService:
    return RunService(
        session, lambda event: None if isinstance(event, WaveOutcome) and not figures else _tell(event, json)
    )


async def _drive(
    session: Session,
    service: RunService,
    run: DrivenRun,
    json: bool,
    *,
    planned: RunPlanned | None = None,
    release: bool = False,
    skip: bool = False,
) -> int:
    """Drive a run; returns the exit code."""
    number = run.run_id
    assert number is not None, "it is written down"
    try:
        if planned is not None:
            _tell(planned, json)
        async with following(session):
            ended = await service.drive(run, release=release, skip=skip)
    except RunDriven as problem:
        say(f"retriage: {problem}")
        return ExitCode.REFUSED
    except NotWritten:
        # A run whose console is gone sends nothing.
        say(_said_interrupted(session, number))
        raise
    except asyncio.CancelledError:
        await _tell_interrupted(session, number, json)
        raise
    await _notify(session, ended)
    return _code(ended)


async def _notify(session: Session, event: RunHeld | RunEnded) -> None:
    """Ring the bell of the terminal for a held run, which does not go on by itself, and do what the settings say. A
    rehearsal calls nobody."""
    if session.connection.identity.snapshot_of:
        return
    if isinstance(event, RunHeld):
        ring()
    settings = read_settings(settings_file())
    for problem in (*settings.problems, *await notify(session, event, settings.notify)):
        say(problem)


async def _tell_interrupted(session: Session, run: int, json: bool) -> None:
    assert session.memory.journal is not None, "the run is written there"
    said, view = _said_interrupted(session, run), await read_run(session.memory.journal.runs, run)
    here = at_work(view) if view is not None else None
    held = RunHeld(run, None, "interrupted", said)
    if here is not None:
        held = replace(held, wave=here.wave, counts=here.counts, at=here.counted_at)
    _tell(held, json)


def _said_interrupted(session: Session, run: int) -> str:
    if session.connection.identity.snapshot_of:
        return "The rehearsal was interrupted, and is gone."
    return f"Held after an interruption. `retriage watch {run} --resume` goes on."


def _code(ended: RunHeld | RunEnded) -> int:
    if isinstance(ended, RunEnded):
        if ended.state == "finished":
            return ExitCode.NOTHING if ended.cause == NOTHING_SENT else ExitCode.RELEASED
        return ExitCode.DONE if ended.state == "passed" else ExitCode.HELD
    if ended.cause in GATE_CAUSES:
        return ExitCode.HELD
    codes = {
        UNANSWERED: ExitCode.UNANSWERED,
        OTHER_BATCHES: ExitCode.HELD,
        NOT_SET: ExitCode.HELD,
        "safety": ExitCode.REFUSED,
        "interrupted": ExitCode.INTERRUPTED,
    }
    return codes.get(ended.cause, ExitCode.ENGINE)


# -- watch ------------------------------------------------------------------------------------------------------------


async def watch_run(
    options: ConnectionOptions,
    number: int,
    wish: str,
    change: RestChange,
    yes: bool,
    json: bool,
    detach: Sequence[str] | None = None,
    background: bool = False,
) -> int:
    """Follow a run, or go on with it.

    Args:
        options: what was typed of its engine.
        number: the run.
        wish: what is to be done; empty follows it.
        change: of its rest.
        yes: nothing is asked.
        json: events are lines of JSON.
        detach: the options that say how a process in the background is to go on; none goes on here.
        background: this is that process.
    """
    if background:
        stay()
    async with opened_journal() as journal:
        view = await found_run(journal, number)
        if not wish:
            return await _follow(journal, number, json)
        if meaningless := _why_no_change(view, change):
            raise fail(meaningless)
        if view.driven:
            return await _ask_driver(journal, view, wish, yes, json)
        if view.run.over or view.word == "void":
            return _tell_end(view, json)
        if wish == "skip" and view.run.cause in GATE_CAUSES:
            say(f"retriage: run {number} is held by its gate, not watched: --resume goes on with it.")
            return ExitCode.REFUSED
        connection = connection_of(options, view.run)
        if not confirmed(_question(view, wish), yes):
            return ExitCode.REFUSED
        if detach is not None:
            engine = engine_words(connection.identity(), options.user or "") if options.named else []
            return await go_on_in_background(journal, number, engine, detach, json)
        async with opened_session(connection, journal) as session:
            if why := session.connection.safety.readonly and session.connection.safety.why_not():
                say(f"retriage: {why}")
                return ExitCode.REFUSED
            await _say_what_is_lost(session, view.operation.unit)
            service = service_of(session, json, figures=not background)
            run = DrivenRun(view.run.title, number, name=driver_name(background))
            try:
                if wish.startswith("stop"):
                    await service.drive(run, wish=cast("Wish", wish))
                    return ExitCode.DONE
                if change:
                    await service.change(number, change)
            except WaveMistake as mistake:
                raise fail(f"--waves: {mistake.sentence}") from None
            except RunDriven as problem:
                say(f"retriage: {problem}")
                return ExitCode.REFUSED
            return await _drive(session, service, run, json, release=wish == "release", skip=wish == "skip")


def _why_no_change(view: RunView, change: RestChange) -> str:
    """One sentence where something is to be changed that means nothing to what the run does."""
    what = f"to run {view.run.id}, which {view.operation.word}s {view.operation.unit}s"
    if change.retries is not None and view.run.retries is None:
        return f"--retries means nothing {what}."
    return f"--gate means nothing {what}." if change.gate is not None and not view.operation.gated else ""


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


async def _follow(journal: Journal, number: int, json: bool) -> int:
    """Tell of a run that somebody else drives until it does not go on; answers the exit code."""
    told: dict[int, Any] = {}
    while True:
        view = await found_run(journal, number)
        for wave in view.waves:
            if wave.counts.total and told.get(wave.wave) != wave.counts:
                told[wave.wave] = wave.counts
                _tell(WaveOutcome(number, wave.wave, wave.counts, wave.counted_at), json)
        if view.run.over:
            return _tell_end(view, json)
        if not view.driven:
            here = at_work(view)
            of = here or view
            number_of_wave = here.wave if here is not None else None
            held = RunHeld(number, number_of_wave, view.run.cause or view.word, view.said, of.counts, of.counted_at)
            _tell(held, json)
            return _code(held)
        await asyncio.sleep(FOLLOWED_EVERY)


def _tell_end(view: RunView, json: bool) -> int:
    ended = RunEnded(view.run.id, view.word, view.said, view.counts, view.run.cause, view.counted_at, view.older)
    _tell(ended, json)
    return _code(ended)


async def found_run(journal: Journal, number: int) -> RunView:
    view = await read_run(journal.runs, number)
    if view is None:
        raise fail(f"there is no run {number}; `retriage runs` lists them.")
    return view


def connection_of(options: ConnectionOptions, run: Run) -> NamedEngine:
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


# -- runs --------------------------------------------------------------------------------------------------------------


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
                         "at": moment(one.counted_at), **numbers(one.counts)}
                        for one in view.waves
                    ],
                    "at": moment(view.counted_at), "olderWaves": moments(view.older), **numbers(counts),
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
