"""The batch detail's first question, are the retries set?, and what the doctor says about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.batches.batch_view import BatchView
from console.batches.diagnosis import NOT_NEEDED
from console.batches.progress import POLL
from console.screens.batches.progress import how_it_ended
from console.screens.batches.rows import PHASES, began, took
from console.text.inert import inert
from console.text.ink import Ink
from console.text.words import clock, count, percent, short, span, things
from console.widgets.line import Span
from console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from console.batches.diagnosis import Diagnosis
    from console.batches.launched_tasks import LaunchedTasks

LABEL = 10
UNREMARKABLE = ("moving",)
"""Cases about which there is nothing to say that the numbers do not."""
STATE_INKS: dict[str, Ink] = {"waiting": "muted", "running": "accent", "done": "good", "held": "warning"}


def heading(
    view: BatchView, launched_tasks: LaunchedTasks | None, now: datetime, *, narrow: bool = False
) -> list[Span]:
    """Which batch this is: what it sets, where it is, who began it, when and why; the id is cut where it is narrow."""
    sets = (
        f"set retries to {launched_tasks.retries}"
        if launched_tasks and launched_tasks.retries is not None
        else inert(view.type)
    )
    if launched_tasks is not None and launched_tasks.probable:
        sets = f"probably {sets}"
    spans: list[Span] = [
        (" BATCH ", "muted"),
        (inert(short(view.id) if narrow else view.id), "strong"),
        (f"  {view.phase.upper()}", PHASES[view.phase][1]),
        (f"  {sets}", ""),
        (f"  {inert(view.user)}" if view.user else "", "muted"),
        (f"  {began(view, now)}", "muted"),
    ]
    if launched_tasks is not None and launched_tasks.reason:
        spans.append((f"  {inert(launched_tasks.reason)}", "accent"))
    return spans


def engine_lines(view: BatchView, diagnosis: Diagnosis | None, width: int) -> list[Item]:
    """Seed, execute, close, speed and the job executor, a line each and one more for the numbers."""
    if view.ended:
        return _ended(view, width)
    seed, execute, close = view.progress.steps()
    cells = max(width - LABEL - 2, 10)
    return [
        _line("1 seed", seed.state, (f"jobs made {count(seed.done)}/{count(seed.total)}", "strong"),
              (f"  {seed.state}", STATE_INKS[seed.state])),
        _line("2 execute", execute.state, *bar_of(view, cells)),
        _line("", "waiting", *numbers(view)),
        _line("3 close", close.state, (_close(view), STATE_INKS[close.state] if close.state != "waiting" else "muted")),
        _line("speed", "waiting", *speed(view)),
        _line("runner", "waiting", *runner(diagnosis)),
    ]  # fmt: skip


def engine_brief(view: BatchView, diagnosis: Diagnosis | None, width: int) -> list[Item]:
    """The same in two lines, for a narrow screen."""
    if view.ended:
        return _ended(view, width)[:2]
    seen = view.progress
    made = f"seed {count(seen.created)}/{count(seen.total)}"
    tail = numbers(view)
    room = width - len(made) - 2 - len("execute ") - 2 - sum(len(text) for text, _ in tail)
    return [
        Spans(((f"{made}  ", "muted"), ("execute ", "muted"), *bar_of(view, max(min(room, 30), 4)), ("  ", ""), *tail)),
        Spans((("close ", "muted"), (f"{_close(view)}  ", "muted"), *speed(view), ("  runner ", "muted"),
               *runner(diagnosis))),
    ]  # fmt: skip


def _ended(view: BatchView, width: int) -> list[Item]:
    sentence, ink = how_it_ended(view)
    head: list[Span] = [(f"{view.phase} ", ink)]
    if view.counted:
        head += [*bar_of(view, max(min(width - 30, 40), 6)), (f" {percent(view.completed, view.total)} ", "strong")]
    items: list[Item] = [Spans(tuple(head)), Prose(sentence, ink, lines=2)]
    if view.deleted:
        items.append(Prose("What was set stays set; the other tasks keep the retries they had.", "muted", lines=2))
    if view.end is not None:
        took_it = f"{clock(view.start)} to {clock(view.end)}, {took(view, view.end)}"
        items.append(Spans((("ran       ", "muted"), (took_it, ""))))
    return items


def _line(label: str, state: str, *spans: Span) -> Item:
    return Spans(((f"{label:<{LABEL}}", "muted" if state == "waiting" else STATE_INKS[state]), *spans))


def bar_of(view: BatchView, cells: int) -> tuple[Span, ...]:
    """A bar of so many cells: what is done, what has failed as ``!``, what is left."""
    total = max(view.total, 1)
    full = int(cells * min(view.completed / total, 1.0)) if view.total else cells
    bad = min(max(round(cells * view.failed / total), 1), cells - full) if view.failed else 0
    left = cells - full - bad
    return (("━" * full, PHASES[view.phase][1]), ("!" * bad, "failed"), ("─" * left, "faint"))


def numbers(view: BatchView) -> tuple[Span, ...]:
    """Done, left and failed."""
    failed = f"  {count(view.failed)} failed" if view.failed else ""
    return ((f"{count(view.completed)} done  {count(view.progress.waiting)} left", ""), (failed, "failed"))


def _close(view: BatchView) -> str:
    if view.remaining:
        return f"waits for {things(view.remaining, 'job')}, then <={POLL} s"
    if view.suspended:
        return "suspended: the monitor job is not run"
    return f"all done: <={POLL} s until the monitor job"


def speed(view: BatchView) -> tuple[Span, ...]:
    """Jobs per minute and when it may be through; nothing that would be a guess."""
    if not view.per_second:
        return (("-", "muted"),)
    left = f"  ETA ~{span(view.seconds_left)}" if view.seconds_left is not None else ""
    return ((f"{view.per_second * 60:,.0f}/min", "strong"), (left, "muted"))


def runner(diagnosis: Diagnosis | None) -> tuple[Span, ...]:
    """What the job executor does for this batch."""
    if diagnosis is None:
        return (("looking …", "faint"),)
    return ((diagnosis.runner, "muted" if diagnosis.runner == NOT_NEEDED else diagnosis.ink),)


def doctor(view: BatchView, diagnosis: Diagnosis | None, *, readonly: bool = False) -> list[Item]:
    """Why it does not move, in at most two lines, and that nothing can be done about it from here if so."""
    if view.ended or (diagnosis is not None and diagnosis.name in UNREMARKABLE):
        return []
    if diagnosis is None:
        return [Prose("doctor  looking …", "faint", lines=1)]
    help_ = "Not from here, read-only: " if readonly and diagnosis.runner == NOT_NEEDED else ""
    return [Prose(f"doctor  {help_}{inert(diagnosis.sentence)}", diagnosis.ink or "muted", lines=2)]


def moment(at: datetime, now: datetime) -> str:
    """When something happened: the time of day, or with the day when that is another one."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%m-%d %H:%M}"
