"""The batch detail's first question, are the retries set?, and what the doctor says about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.batches.batch_view import BatchView
from retriage.console.batches.diagnosis import NOT_NEEDED
from retriage.console.batches.progress import POLL
from retriage.console.screens.batches.progress import how_it_ended
from retriage.console.screens.batches.rows import PHASES, began, took
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import clock, count, percent, short, span
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.batches.diagnosis import Diagnosis
    from retriage.console.batches.launched_tasks import LaunchedTasks

LABEL = 10
SHORT_IDS, NARROW = 140, 100
"""Columns below which the id of the batch is cut, so that the reason for the launch is seen, and its start left out."""
LONG_LOOK = 2.0
"""Seconds from which a look tells when it ended too: its figures are of some moment in between."""
UNREMARKABLE = ("moving",)
"""Cases about which there is nothing to say that the numbers do not."""
STATE_INKS: dict[str, Ink] = {"waiting": "muted", "running": "accent", "done": "good", "held": "warning"}


def heading(
    view: BatchView,
    launched_tasks: LaunchedTasks | None,
    now: datetime,
    until: datetime | None = None,
    width: int = 0,
) -> list[Span]:
    """Which batch this is: what it sets, where it is, who began it, when, of which moment the page is, and why it was
    launched. Where it is narrow the id is cut, and when it began is left to the events."""
    sets = (
        f"set retries to {launched_tasks.retries}"
        if launched_tasks and launched_tasks.retries is not None
        else inert(view.type)
    )
    if launched_tasks is not None and launched_tasks.probable:
        sets = f"probably {sets}"
    spans: list[Span] = [
        (" BATCH ", "muted"),
        (inert(short(view.id) if width < SHORT_IDS else view.id), "strong"),
        (f"  {view.phase.upper()}", PHASES[view.phase][1]),
        (f"  {sets}", ""),
        (f"  {inert(view.user)}" if view.user else "", "muted"),
        (f"  {began(view, now)}" if width >= NARROW or view.at is None else "", "muted"),
    ]
    if view.at is not None:
        long = until is not None and (until - view.at).total_seconds() >= LONG_LOOK
        spans.append((f"  as of {clock(view.at)}{f' to {clock(until)}' if until and long else ''}", "muted"))
    if launched_tasks is not None and launched_tasks.reason:
        spans.append((f"  {inert(launched_tasks.reason)}", "accent"))
    return spans


def engine_lines(view: BatchView, diagnosis: Diagnosis | None, width: int, *, unread: bool = False) -> list[Item]:
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
        _line("runner", "waiting", *runner(diagnosis, unread=unread)),
    ]  # fmt: skip


def engine_brief(view: BatchView, diagnosis: Diagnosis | None, width: int, *, unread: bool = False) -> list[Item]:
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
               *runner(diagnosis, unread=unread))),
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
        return f"within {POLL} s of the last job"
    if view.suspended:
        return "suspended: the monitor job is not run"
    return f"within {POLL} s: all jobs are done"


def speed(view: BatchView) -> tuple[Span, ...]:
    """Jobs per minute and when it may be through; nothing that would be a guess."""
    if not view.per_second:
        return (("-", "muted"),)
    left = f"  ETA ~{span(view.seconds_left)}" if view.seconds_left is not None else ""
    return ((f"{view.per_second * 60:,.0f}/min", "strong"), (left, "muted"))


def runner(diagnosis: Diagnosis | None, *, unread: bool = False) -> tuple[Span, ...]:
    """What the job executor does for this batch."""
    if diagnosis is None and unread:
        return (("not read", "warning"),)
    if diagnosis is None:
        return (("looking …", "faint"),)
    return ((diagnosis.runner, "muted" if diagnosis.runner == NOT_NEEDED else diagnosis.ink),)


def doctor(view: BatchView, diagnosis: Diagnosis | None, unread: str = "", *, readonly: bool = False) -> list[Item]:
    """Why it does not move, in at most two lines, and that nothing can be done about it from here if so.

    Args:
        view: the batch.
        diagnosis: what was found out; ``None`` before the first look, and where its jobs could not be read.
        unread: why they could not be, in one sentence.
        readonly: nothing can be changed from here.
    """
    if unread:
        return [Prose(f"doctor  Its jobs could not be read now: {inert(unread)}", "warning", lines=2)]
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
