"""What the builder says about a draft, as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retriage.console.launch.breakdown import AGES, OLDEST
from retriage.console.screens.builder.faces import filtered_here
from retriage.console.screens.launch.page import quiet_said, record_said
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import clock, count, things
from retriage.console.widgets.line import Span, width_of
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.launch.draft import Draft, Source
    from retriage.console.launch.draft_counts import DraftCounts, SourceCounts

MOST_VALUES = 6


def sources_line(draft: Draft, here: Source, known: DraftCounts | None) -> list[Span]:
    """The sources of a request with how much each one selects; the one in sight stands in brackets."""
    spans: list[Span] = [(" ", "")]
    for source in draft.sources:
        told = known.sources.get(source.field) if known is not None else None
        ends = ("[", "]") if source == here else (" ", " ")
        ink: Ink = "accent" if source == here else "" if source in draft.chosen else "muted"
        spans += [(ends[0], "accent"), (source.title, ink), (_selects(source, told), "strong"), (ends[1], "accent")]
        spans.append((" ", ""))
    if len(draft.chosen) > 1 and known is not None:
        spans.append((f"= {things(len(known.ids), 'task')}{'' if known.exact else ' so far'}", "accent"))
    return spans


def _selects(source: Source, told: SourceCounts | None) -> str:
    if told is None:
        return ""
    if source.subject and source.whole:
        return f" {count(told.matched or 0)}→{count(told.tasks)}{'' if told.ended else '…'}"
    number = told.matched if told.matched is not None and told.kept == told.looked else told.tasks
    return f" {count(number)}"


def count_lines(draft: Draft, known: DraftCounts | None, problem: str, width: int, rows: tuple[str, str]) -> list[Item]:
    """What the pane of counts says.

    Args:
        draft: the query.
        known: what was counted of it.
        problem: why it cannot be counted, in one sentence; may be empty.
        width: cells of the pane.
        rows: what one of its rows is and what several are, "external task" and "external tasks".
    """
    refusal = draft.refusal()
    if refusal:
        return [Prose(f"! {refusal}", "warning", lines=2)]
    if known is None:
        return [Prose(inert(problem), "failed") if problem else Prose("counting …", "muted")]
    items: list[Item] = [Spans(_head(draft, known, rows))]
    items += [Prose(text, "warning", lines=1) for text in _warnings(draft, known)]
    # What it means for a launch first: on a short screen the end is cut off.
    items += [Spans(((text, "muted"),)) for text in _notes(draft, known)]
    items += [Spans(line) for line in _breakdown(known, width)]
    return [*items, Prose(inert(problem), "failed", lines=1)] if problem else items


def _head(draft: Draft, known: DraftCounts, rows: tuple[str, str]) -> tuple[Span, ...]:
    first = known.sources.get(draft.chosen[0].field if draft.chosen else draft.sources[0].field)
    at: Span = (f"   {clock(known.at)}" if known.at else "", "muted")
    selected = len(known.ids)
    if len(draft.chosen) > 1:
        exact = "exact" if known.exact else "so far"
        return (*_number(selected, rows, f" in the union ({exact})"), at)
    if first is None:
        return (("counting …", "muted"),)
    if draft.chosen and draft.chosen[0].whole:
        exact = "exact" if known.exact else "so far"
        instances = things(first.matched if first.matched is not None else first.looked, "instance")
        return (*_number(selected, rows, f" ({exact}) of {instances}"), at)
    if first.matched is None:
        gone = first.looked - first.tasks
        missing: Span = (f"   {count(gone)} of the ids {'is' if gone == 1 else 'are'} gone" if gone else "", "warning")
        return (*_number(selected, rows, f" ({'exact' if first.ended else 'so far'})"), missing, at)
    if draft.plain:
        return (*_number(first.matched, rows, " (exact)"), at)
    reading = "exact" if first.ended else f"so far, {count(first.looked)} read"
    return (
        ("engine ", "muted"), (count(first.matched), ""), (" exact  →  here ", "muted"),
        (count(first.kept), "strong"), (f" {reading}", "" if first.ended else "warning"), at,
    )  # fmt: skip


def _number(number: int, rows: tuple[str, str], how: str) -> tuple[Span, Span]:
    """How many rows there are, and how far that is known."""
    return (count(number), "strong"), (f" {rows[number != 1]}{how}", "")


def _breakdown(known: DraftCounts, width: int) -> list[tuple[Span, ...]]:
    """One entry per trait, two on a line where there is room."""
    ages = [name for _, name in AGES] + [OLDEST, "?"]
    half = width // 2 - 1 if width >= 110 else width
    entries = [_entry(name, values, ages, half) for name, values in known.breakdown.items() if values]
    if half == width:
        return [tuple(entry) for entry in entries]
    lines = []
    for at in range(0, len(entries), 2):
        left, right = entries[at], entries[at + 1] if at + 1 < len(entries) else []
        lines.append((*left, (" " * max(half + 2 - width_of(left), 1), ""), *right))
    return lines


def _entry(name: str, values: Counter[str], ages: Sequence[str], room: int) -> list[Span]:
    parts = values.most_common(MOST_VALUES)
    if name == "age":
        parts = [(age, values[age]) for age in ages if values[age]]
    spans: list[Span] = [(f"by {name:<9}", "muted")]
    shown = 0
    for value, number in parts:
        more: list[Span] = [(cut(inert(value), 30).rstrip(), ""), (f" {count(number)}", "strong"), ("  ", "")]
        if shown and width_of(spans) + width_of(more) > room - 6:
            break
        spans += more
        shown += 1
    if shown < len(values):
        spans.append((f"+{len(values) - shown}", "muted"))
    return spans


def _warnings(draft: Draft, known: DraftCounts) -> list[str]:
    said = []
    if draft.request and known.healthy:
        which = "whole instances: " if any(source.whole for source in draft.chosen) else ""
        so_far = "" if known.exact else " so far"
        said.append(f"! {which}{things(known.healthy, 'healthy task')} too{so_far} (retries left, or never failed)")
    if known.record is not None and known.record.mostly_failed:
        said.append(f"! {record_said(known.record)}")
    if known.quiet:
        said.append(f"! no worker seen in 15 min on {quiet_said(known.quiet)}: is one up?")
    return said


def _notes(draft: Draft, known: DraftCounts) -> list[str]:
    said = []
    if known.record is not None and not known.record.mostly_failed:
        said.append(record_said(known.record))
    if not draft.plain:
        how = "launched as a list of ids: " if draft.request else ""
        said.append(f"{how}the engine cannot filter by {inert('  '.join(filtered_here(draft)))}")
    if known.cut:
        said.append(f"broken down by the first {count(sum(told.looked for told in known.sources.values()))} rows")
    return said
