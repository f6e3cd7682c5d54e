"""Batches as rows of a table and as lines of a pane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.batches.batch_view import BatchView
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import bar, clock, count, percent, short, span, things
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Prose, Spans
from retriage.console.widgets.rows import Cell

if TYPE_CHECKING:
    from retriage.console.batches.task_state import State

COLUMNS: Sequence[Column] = (
    Column("phase", 9, keep=9),
    Column("batch", 13, share=1, most=36, keep=8, tail=True),
    Column("progress", 16, keep=7),
    Column("done", 5, keep=9, align="right"),
    Column("jobs", 9, keep=6, align="right"),
    Column("failed", 6, keep=8, align="right"),
    Column("again", 6, keep=7, align="right"),
    Column("started", 9, keep=4, align="right"),
    Column("took", 6, keep=5, align="right"),
    Column("by", 8, share=1, most=16, keep=2),
    Column("type", 14, share=1, most=28, keep=1),
)

PHASES: dict[str, tuple[str, Ink]] = {
    "seed": ("jobs are being made", "accent"),
    "execute": ("jobs are being run", "accent"),
    "close": ("all jobs are done; the engine looks every 30 s and then ends the batch", "good"),
    "failed": ("only failed jobs are left: they keep the batch open until they are retried or deleted", "failed"),
    "suspended": ("no job runs until it is resumed", "suspended"),
    "ended": ("in the history", "muted"),
    "deleted": ("deleted; what was set stays set", "warning"),
    "gone": ("neither running nor in the history: deleted with its history, or none is kept", "warning"),
}
"""Phases: what they mean, and their ink."""

BAR = 40


def cells(view: BatchView, now: datetime) -> tuple[Cell, ...]:
    """One cell per column."""
    ink = PHASES[view.phase][1]
    again = view.work.of("again") if view.work is not None else 0
    return (
        Cell(view.phase, ink),
        Cell(inert(view.id), "strong"),
        Cell(bar(view.share, 16) if view.counted else "", "muted" if view.ended else ink),
        Cell(percent(view.completed, view.total) if view.counted else "?", "strong" if view.counted else "faint"),
        Cell(count(view.total)),
        Cell(count(view.failed) if view.failed else "-", "failed" if view.failed else "faint"),
        Cell(count(again) if again else "-" if view.work is not None else "", "failed" if again else "faint"),
        Cell(began(view, now), "muted"),
        Cell(took(view, now), "muted"),
        Cell(inert(view.user or "-"), "muted"),
        Cell(inert(view.type), "faint"),
    )


def began(view: BatchView, now: datetime) -> str:
    """When it was started: the time of day, or the day when that is another one."""
    same = view.start.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(view.start) if same else f"{view.start.astimezone(UTC):%m-%d %H:%M}"


def took(view: BatchView, now: datetime) -> str:
    """How long it ran, or runs."""
    if view.end is not None:
        return span((view.end - view.start).total_seconds())
    if view.ended:
        return "-"
    running = (now - view.start).total_seconds()
    return "<1m" if running < 60 else span(running)


NONE = "no batches: R retries the marked tasks as a batch"
"""What stands in the pane of the start screen where there is none."""


def live(views: Sequence[BatchView], width: int, lines: int, now: datetime, none: str = NONE) -> list[Item]:
    """Batches for the pane of the start screen, at most ``lines`` lines, up to three for each where there is room.

    The last line says how many do not fit; ``none`` is what stands there without any.
    """
    if not views:
        return [Prose(none, "faint", lines=max(lines, 1))]
    each = 1 if lines < 4 or width < 44 else 3 if lines // 3 >= len(views) else 2
    fit = max(lines // each, 1)
    more = len(views) > fit
    if more and lines == 1:
        return [Spans(((f"(+{len(views) - 1}) ", "strong"), *_one_line(views[0], width)))]
    if more and fit * each == lines:
        fit -= 1
    items: list[Item] = []
    behind = max((sum(len(text) for text, _ in _behind_bar(view)) for view in views[:fit]), default=0)
    for view in views[:fit]:
        items.extend([Spans(_one_line(view, width))] if each == 1 else _lines(view, width - behind, now, each))
    return [*items, _more(views[fit:])] if more else items


def _more(rest: Sequence[BatchView]) -> Item:
    """How many are not shown, and how many of them run."""
    runs = sum(not view.ended for view in rest)
    failed = sum(view.failed for view in rest if not view.ended)
    spans: list[Span] = [(f"+{len(rest)} more", "strong"), (f", {runs} running" if runs else ", all ended", "muted")]
    if failed:
        spans.append((f"  !{count(failed)}", "failed"))
    return Spans((*spans, ("   4 shows all", "faint")))


def _one_line(view: BatchView, width: int) -> tuple[Span, ...]:
    ink = PHASES[view.phase][1]
    cells = max(min(width - 60, 30), 8)
    spans: list[Span] = [(f"{short(view.id, 9)} ", "strong"), *_how_far(view, cells)]
    if view.failed:
        spans.append((f"!{count(view.failed)} ", "failed"))
    spans.append((f"{view.phase}", ink))
    if view.work is not None and view.work.of("again"):
        spans.append((f"  again {count(view.work.of('again'))}", "failed"))
    if view.seconds_left is not None:
        spans.append((f"  ETA ~{span(view.seconds_left)}", "muted"))
    return tuple(spans)


def _how_far(view: BatchView, cells: int) -> list[Span]:
    if not view.counted:
        return [(f"{things(view.total, 'job')} ", "")]
    return [
        (bar(view.share, cells), "muted" if view.ended else PHASES[view.phase][1]),
        (f" {percent(view.completed, view.total):>4} ", "strong"),
        (f"{count(view.completed)}/{count(view.total)} ", ""),
    ]


def _behind_bar(view: BatchView) -> list[Span]:
    failed = f" !{count(view.failed)} failed" if view.failed else ""
    left = f"  ETA ~{span(view.seconds_left)}" if view.seconds_left is not None else ""
    return [(failed, "failed"), (left, "muted")]


def _lines(view: BatchView, width: int, now: datetime, most: int) -> list[Item]:
    """A batch in two or three lines; ``width`` is without what stands behind the bar of any batch, so that all bars are
    equally long."""
    ink = PHASES[view.phase][1]
    head: list[Span] = [
        (f"{short(view.id, 13):<14}", "strong"),
        (f"{view.phase:<10}", ink),
        (f"{things(view.total, 'job'):<11}", ""),
        (f" {began(view, now)}", "muted"),
        (f"   {inert(view.user)}" if view.user else "", "muted"),
    ]
    cells = max(min(width - 22, BAR), 8)
    under: list[Span] = [*_how_far(view, cells), *_behind_bar(view)]
    items: list[Item] = [Spans(tuple(head)), Spans(tuple(under))]
    if view.work is not None and most > 2:
        items.append(Spans((("work: ", "muted"), *work_spans(view))))
    return items


def work_spans(view: BatchView) -> tuple[Span, ...]:
    """What became of the tasks, in one line; states without tasks are left out. Figures of another moment than those of
    the jobs bear it."""
    work, shown = view.work, list[Span]()
    if work is None:
        return ()
    for state, ink in WORK_INKS.items():
        number = work.of(state)
        if number or state == "again" or (state == "done" and not work.of("unkept")):
            shown += [(f"{WORDS.get(state, state)} ", "muted"), (f"{count(number)}  ", ink if number else "faint")]
    if work.new:
        shown.append((f"{count(work.new)} NEW", "failed"))
    if view.work_at is not None:
        shown.append((f"{'' if not work.new else '  '}as of {clock(view.work_at)}", "muted"))
    return tuple(shown)


WORK_INKS: dict[State, Ink] = {
    "done": "good",
    "waiting": "",
    "locked": "locked",
    "delayed": "warning",
    "again": "failed",
    "changed": "warning",
    "gone": "muted",
    "unkept": "muted",
    "undone": "muted",
    "unset": "muted",
    "unknown": "muted",
}
"""States of tasks in the order in which they are shown, with their inks."""

WORDS: dict[State, str] = {"unset": "not set yet", "delayed": "retry time", "unkept": "not kept"}
"""What states are called where that is not their name."""
