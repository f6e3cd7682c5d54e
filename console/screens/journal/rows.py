"""Launches as rows of a table and as lines of a pane."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.launch.find_batch import LATE
from retriage.console.launch.launch_events import got_what
from retriage.console.operations.known import operation_of
from retriage.console.screens.batches.rows import PHASES
from retriage.console.text.inert import inert, inert_lines
from retriage.console.text.ink import Ink
from retriage.console.text.words import clock, count, day, percent, short, things
from retriage.console.widgets.columns import Column
from retriage.console.widgets.pane import Fact, Item, Prose, Spans
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.store.journal import Launch, WrittenHandWork

COLUMNS = (
    Column("when", 9, keep=9),
    Column("state", 12, keep=10),
    Column("tasks", 7, keep=8, align="right"),
    Column("to", 2, keep=7, align="right"),
    Column("again", 5, keep=7, align="right"),
    Column("reason", 12, share=3, keep=6),
    Column("what", 12, share=3, keep=5),
    Column("who", 6, share=1, most=14, keep=3),
    Column("batch", 13, keep=2, tail=True),
)

STATES: dict[str, tuple[str, str, Ink]] = {
    "preparing": ("not sent", "its tasks were being written down when the console ended; it was not sent", "warning"),
    "sent": ("no answer", "it was sent, and it is not known what became of it: look at the batches", "failed"),
    "launched": ("launched", "the engine made a batch", "good"),
    "refused": ("refused", "the engine refused it; nothing was changed", "failed"),
    "unsent": ("not sent", "the engine could not be reached; nothing was changed", "warning"),
    "unknown": ("unknown", "no answer proves what became of it; its batch is looked for", "failed"),
    "not_carried_out": ("not done", "it was not carried out; nothing was changed", "warning"),
    "unknowable": ("unknown", "the engine no longer keeps anything that shows what became of it", "failed"),
}
"""States of a launch without a batch in sight: word, meaning, ink."""


def row_of(launch: Launch, view: BatchView | None, now: datetime) -> Row:
    """A launch as a row."""
    word, ink = _state(launch, view)
    work = view.work if view is not None else None
    again = work.of("again") if work is not None else None
    return Row(
        str(launch.id),
        (
            Cell(when(launch.began_at, now), "muted"),
            Cell(word + _done(view), ink),
            Cell(count(launch.tasks), "strong"),
            Cell(operation_of(launch).mark, "warning" if launch.retries == 0 else ""),
            Cell("" if again is None else count(again) if again else "-", "failed" if again else "faint"),
            Cell(inert(launch.reason) or "-", "" if launch.reason else "faint"),
            Cell(f"undo of launch {launch.undoes}" if launch.undoes else inert(launch.title), "muted"),
            Cell(inert(launch.user), "muted"),
            Cell(inert(launch.batch_id or "-"), "warning" if launch.probable else "muted"),
        ),
        launch,
    )


OUTCOMES: dict[str, tuple[str, str, Ink]] = {
    "asked": ("no answer", "it was sent, or about to be, when the console ended: look at the task", "failed"),
    "done": ("by hand", "the engine did it", "good"),
    "refused": ("refused", "the engine refused it; the task is as it was", "failed"),
    "unknown": ("unknown", "no answer proves what came of it: look at the task", "failed"),
}
"""What came of work by hand: word, meaning, ink."""


def row_by_hand(work: WrittenHandWork, now: datetime) -> Row:
    """Work on one task by hand as a row."""
    word, _, ink = OUTCOMES.get(work.outcome, OUTCOMES["unknown"])
    return Row(
        f"by hand {work.id}",
        (
            Cell(when(work.began_at, now), "muted"),
            Cell(word, ink),
            Cell("1", "strong"),
            Cell(""),
            Cell("-", "faint"),
            Cell("-", "faint"),
            Cell(f"by hand: {inert(work.what)} of task {inert(work.task_id)}", "muted"),
            Cell(inert(work.user or work.worker), "muted"),
            Cell("-", "muted"),
        ),
        work,
    )


def facts_by_hand(work: WrittenHandWork) -> list[Item]:
    """Everything about work on one task by hand."""
    word, meaning, ink = OUTCOMES.get(work.outcome, OUTCOMES["unknown"])
    items: list[Item] = [
        Fact("by hand", f"{inert(work.what)}   {day(work.began_at)}", "strong", lines=2),
        Fact("state", f"{word}: {meaning}", ink, lines=3),
        Fact("task", inert(work.task_id), lines=2),
        Fact("topic", inert(work.topic) or "-"),
        Fact("sets", ", ".join(map(inert, work.variables)) or "-", lines=3),
        Fact("who", inert(work.user) or "-"),
        Fact("worker", inert(work.worker), "muted"),
        Fact("engine", inert(work.url or work.engine), "muted", lines=2),
    ]
    return [*items, Spans(), Prose(inert(work.said), ink, lines=4)] if work.said else items


def summary_by_hand(work: WrittenHandWork) -> list[Item]:
    """The same in two lines."""
    word, meaning, ink = OUTCOMES.get(work.outcome, OUTCOMES["unknown"])
    names = f", sets {', '.join(map(inert, work.variables))}" if work.variables else ""
    what = f"by hand: {inert(work.what)} of task {inert(work.task_id)}{names}"
    return [Spans(((f"{word}   ", ink), (what, "strong"))), Prose(inert(work.said) or meaning, "muted", lines=1)]


def _state(launch: Launch, view: BatchView | None) -> tuple[str, Ink]:
    if view is not None:
        return f"{view.phase}{'?' if launch.probable else ''}", PHASES[view.phase][1]
    if launch.state == "launched" and operation_of(launch).one_by_one:
        return ("one by one", "good") if launch.ended_at else ("begun", "warning")
    word, _, ink = STATES[launch.state]
    return word, ink


def _done(view: BatchView | None) -> str:
    """How far a running batch is."""
    return f" {percent(view.completed, view.total)}" if view is not None and not view.ended else ""


def when(moment: datetime, now: datetime) -> str:
    """The time of day, or the day when that is another one; the pane tells both."""
    same = moment.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(moment) if same else f"{moment.astimezone(UTC):%Y-%m-%d}"[2:]


def facts(launch: Launch, view: BatchView | None, room: int = 40) -> list[Item]:
    """Everything about a launch but its tasks."""
    word, ink = _state(launch, view)
    meaning = PHASES[view.phase][0] if view is not None else STATES[launch.state][1]
    did = operation_of(launch)
    if did.one_by_one and launch.state == "launched":
        got = got_what(gives_back=_gives_back(launch))
        done = f"{count(launch.jobs or 0)} {got}" if launch.ended_at else "at work, or interrupted"
        meaning = f"a request for each {did.unit}; {done}"
    former = "" if launch.retries is None else " with their former retries"
    known = f"{did.units(launch.listed)}{former}" if launch.listed is not None else "not known"
    batch = inert(launch.batch_id or "-") + (" (probably; nothing proves it yet)" if launch.probable else "")
    items: list[Item] = [
        Fact("launch", f"{launch.id}   {day(launch.began_at)}", "strong"),
        Fact("state", f"{word}: {meaning}", ink, lines=3),
        Fact("what", inert(launch.title), lines=2),
        Fact(f"{did.unit}s", f"{count(launch.tasks)} counted, {did.aim}", lines=2),
        Fact("reason", inert(launch.reason) or "-", lines=3),
        Fact("who", inert(launch.user) or "-"),
        Fact("engine", inert(launch.url or launch.engine), "muted", lines=2),
        Fact("batch", batch, "warning" if launch.probable else "muted", lines=3),
        Fact("written", known, "" if launch.listed is not None else "warning", lines=2),
    ]
    if launch.state in ("sent", "unknown"):
        items.append(Fact("looked", looked(launch), "warning", lines=3))
    if launch.undoes:
        items.append(Fact("undoes", f"launch {launch.undoes}", "warning"))
    if launch.said:
        items += [Spans(), Prose(inert(launch.said), "failed", lines=4)]
    return items[:room]


def looked(launch: Launch) -> str:
    """Whether the batch of a launch in doubt was looked for, and until when it will be."""
    until = clock((launch.sent_at or launch.began_at) + LATE)
    if launch.looked_at is None:
        return f"could not look yet; goes on until {until} at least"
    return f"not there at {clock(launch.looked_at)}; goes on until {until}"


def no_request(launch: Launch) -> str:
    """Why a launch of single requests has no request to be shown, as a sentence."""
    what = "what it had before" if _gives_back(launch) else "the new value"
    return f"Each {operation_of(launch).unit} had a request of its own, with {what}."


def _gives_back(launch: Launch) -> bool:
    return launch.undoes is not None or launch.undoes_run is not None


def request_lines(launch: Launch) -> list[Item]:
    """The request, its ids named by number."""
    if operation_of(launch).one_by_one:
        return [Prose(no_request(launch), "muted", lines=2)]
    body = json.loads(launch.request)
    by_ids = operation_of(launch).request([things(launch.listed or 0, "id")])
    if not body.keys() - by_ids.value.keys():
        body = by_ids.value
    items: list[Item] = [Spans((("POST ", "accent"), (f"/{by_ids.path}", "strong")))]
    return [
        *items,
        *(Spans(((line, "muted"),)) for line in inert_lines(json.dumps(body, indent=2, ensure_ascii=False))),
    ]


def summary(launch: Launch, view: BatchView | None) -> list[Item]:
    """The same in two lines."""
    word, ink = _state(launch, view)
    undone = f"undo of launch {launch.undoes}   " if launch.undoes else ""
    return [
        Spans(
            (
                (f"{word}   ", ink),
                (f"{undone}{inert(launch.title)}", "strong"),
                (f"   {operation_of(launch).brief_aim}", ""),
            )
        ),
        Prose(inert(launch.reason or launch.said) or f"batch {short(launch.batch_id)}", "muted", lines=1),
    ]
