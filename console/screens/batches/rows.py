"""Batches as rows of a table and as lines of a pane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.screens.batches.book import BatchView
from console.screens.words import bar, clock, count, percent, short, span, things
from console.widgets.columns import Column
from console.widgets.inert import inert
from console.widgets.ink import Ink
from console.widgets.line import Span
from console.widgets.pane import Item, Spans
from console.widgets.rows import Cell

COLUMNS: Sequence[Column] = (
    Column("phase", 9, keep=9),
    Column("batch", 13, share=1, most=36, keep=8, tail=True),
    Column("progress", 16, keep=7),
    Column("done", 5, keep=9, align="right"),
    Column("jobs", 9, keep=6, align="right"),
    Column("failed", 6, keep=8, align="right"),
    Column("started", 9, keep=4, align="right"),
    Column("took", 6, keep=5, align="right"),
    Column("by", 8, share=1, most=16, keep=2),
    Column("type", 14, share=1, most=28, keep=1),
)

PHASES: dict[str, tuple[str, Ink]] = {
    "seed": ("jobs are being made", "accent"),
    "execute": ("jobs are being done", "accent"),
    "close": ("all jobs are done; the engine looks every 30 s and then ends the batch", "good"),
    "failed": ("only failed jobs are left: they keep the batch open until they are retried or deleted", "failed"),
    "suspended": ("nothing is done until it is resumed", "suspended"),
    "ended": ("every job is done", "good"),
    "deleted": ("deleted here; what was set stays set", "warning"),
}
"""Phases: what they mean, and their ink."""

BAR = 40


def cells(view: BatchView, now: datetime) -> tuple[Cell, ...]:
    """One cell per column."""
    ink = PHASES[view.phase][1]
    return (
        Cell(view.phase, ink),
        Cell(inert(view.id), "strong"),
        Cell(bar(view.share, 16), "muted" if view.ended else ink),
        Cell(percent(view.completed, view.total), "strong"),
        Cell(count(view.total)),
        Cell(count(view.failed) if view.failed else "-", "failed" if view.failed else "faint"),
        Cell(clock(view.start), "muted"),
        Cell(took(view, now), "muted"),
        Cell(inert(view.user or "-"), "muted"),
        Cell(inert(view.type), "faint"),
    )


def took(view: BatchView, now: datetime) -> str:
    """How long it ran, or runs."""
    if view.end is not None:
        return span((view.end - view.start).total_seconds())
    running = (now - view.start).total_seconds()
    return "<1m" if running < 60 else span(running)


def live(views: Sequence[BatchView], width: int, lines: int, now: datetime) -> list[Item]:
    """Batches for the pane of the start screen, at most ``lines`` lines, two for each where there is room."""
    if not views:
        return [Spans((("no batches: R retries the marked tasks as one", "faint"),))]
    each = 2 if lines >= 4 and width >= 44 else 1
    items: list[Item] = []
    for view in views[: max(lines // each, 1)]:
        items.extend(_two_lines(view, width, now) if each == 2 else [_one_line(view, width)])
    return items


def _one_line(view: BatchView, width: int) -> Item:
    ink = PHASES[view.phase][1]
    cells = max(min(width - 52, 30), 8)
    spans: list[Span] = [
        (f"{short(view.id, 9)} ", "strong"),
        (bar(view.share, cells), ink),
        (f" {percent(view.completed, view.total):>4} ", "strong"),
        (f"{count(view.completed)}/{count(view.total)} ", ""),
    ]
    if view.failed:
        spans.append((f"!{count(view.failed)} ", "failed"))
    spans.append((f"{view.phase}", ink))
    return Spans(tuple(spans))


def _two_lines(view: BatchView, width: int, now: datetime) -> list[Item]:
    ink = PHASES[view.phase][1]
    head: list[Span] = [
        (f"{short(view.id, 13):<14}", "strong"),
        (f"{view.phase:<10}", ink),
        (f"{things(view.total, 'job')}", ""),
        (f"   {clock(view.start)}", "muted"),
        (f"   {inert(view.user)}" if view.user else "", "muted"),
    ]
    failed = f"  {things(view.failed, 'failed job')}" if view.failed else ""
    cells = max(min(width - 22 - len(failed), BAR), 8)
    under: list[Span] = [
        (bar(view.share, cells), ink if not view.ended else "muted"),
        (f" {percent(view.completed, view.total):>4}", "strong"),
        (f"  {count(view.completed)}/{count(view.total)}", ""),
        (failed, "failed"),
    ]
    return [Spans(tuple(head)), Spans(tuple(under))]
