"""What the command that undoes a run does, without a screen."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import confirmed, opened_journal, opened_session
from retriage.console.cli.headless_runs import connection_of, found_run, service_of
from retriage.console.cli.output import print_json, print_table, write
from retriage.console.cli.program import say
from retriage.console.launch.launch_events import GivenBack, LaunchEvent, sentence_of
from retriage.console.launch.send import Sent, send_launch, send_launches, wait_until_set
from retriage.console.launch.undo import RUN_ENDS, undo_of_run

if TYPE_CHECKING:
    from retriage.console.cli.connection_options import ConnectionOptions
    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.session.session import Session

TOLD_EVERY = 1000
"""Instances between two progress messages of single requests."""


async def undo_run(options: ConnectionOptions, number: int, yes: bool, json: bool) -> int:
    async with opened_journal() as journal:
        view = await found_run(journal, number)
        if view.driven:
            say(f"retriage: run {number} is at work: stop it first, or let it end.")
            return ExitCode.REFUSED
        connection = connection_of(options, view.run)
        async with opened_session(connection, journal) as session:
            undo = await undo_of_run(session, view.run)
            back = Counter[str]()
            for one, some in undo.parts:
                back[one.name if one.retries is None else str(one.retries)] += len(some)
            if json:
                plan = {"event": "plan", "run": number, "undo": True, "tasks": undo.count, "back": back}
                print_json({**plan, "leftAlone": dict(undo.left_alone), "oneByOne": len(undo.was)})
            else:
                rows = [(f"{number:,}", one.gets_back) for one, number in undo.ways]
                rows += [
                    (f"{count:,}", f"left alone: {undo.operation.left_alone[why]}")
                    for why, count in undo.left_alone.items()
                ]
                units = "units" if undo.operation.fix is not None else f"{undo.operation.unit}s"
                print_table((units, "what becomes of them"), rows, widest=None)
                if undo.was:
                    say(undo.done_by)
            if undo.why_not:
                say(f"retriage: {undo.why_not}")
                return ExitCode.NOTHING
            if session.connection.safety.readonly:
                say(f"retriage: {session.connection.safety.why_not()}")
                return ExitCode.REFUSED
            ends = f" {RUN_ENDS}" if undo.ends else ""
            if not confirmed(f"Undo {undo.name}: restore {undo.units}?{ends}", yes):
                return ExitCode.REFUSED
            if undo.ends and (why := await service_of(session, json).end(number, view.run.title)):
                say(f"retriage: {why}")
                return ExitCode.REFUSED
            # What was confirmed covers all parts of the undo.
            with session.connection.safety.consented():
                all_sent = await send_launches(session, undo.launches(), partial(_send_undo, session))
            whole = len(all_sent) >= len(undo.parts)
            for sent in all_sent:
                if isinstance(end := sent.events[-1] if sent.events else None, GivenBack):
                    if json:
                        record = {
                            "event": "oneByOne",
                            "run": number,
                            f"{end.unit}s": end.number,
                            "came": dict(end.came),
                        }
                        print_json({**record, "stopped": end.stopped})
                    else:
                        write(f"{end.sentence}\n")
                    if (code := code_of(end)) == ExitCode.UNANSWERED:
                        return code
                    whole = whole and code == ExitCode.DONE
                    continue
                if sent.launched is None:
                    say(sentence_of(sent.events[-1])[0])
                    return ExitCode.UNANSWERED if sent.unanswered else ExitCode.ENGINE
                batch, did = sent.launched.batch, sent.launched.operation
                done = await wait_until_set(session, batch.id)
                whole = whole and done
                if json:
                    record = {"event": "batch", "run": number, "batch": batch.id, "retries": did.retries}
                    print_json({**record, "tasks": batch.total_jobs, "done": done})
                else:
                    sets = "" if done else " does not move: these were to be"
                    write(f"batch {batch.id} {sets} {did.units(batch.total_jobs)} {did.back_aim}\n")
            return ExitCode.DONE if whole else ExitCode.ENGINE


def code_of(end: GivenBack) -> ExitCode:
    """How single requests ended, for scripts: done too where what is left is not ours any more."""
    if end.came["unknown"]:
        return ExitCode.UNANSWERED
    return ExitCode.ENGINE if end.stopped or end.came["refused"] else ExitCode.DONE


async def _send_undo(session: Session, order: DecidedLaunch) -> Sent:
    events: list[LaunchEvent] = []

    def tell(event: LaunchEvent) -> None:
        events.append(event)
        if isinstance(event, GivenBack) and (
            event.stopped or (not event.over and event.came.total() % TOLD_EVERY == 0)
        ):
            say(event.sentence)

    return Sent(order, await send_launch(session, order, tell), events)
