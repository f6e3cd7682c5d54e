"""The line of news above the hint line, and one more above it where a sentence needs it."""

from datetime import UTC, datetime

from rich.cells import cell_len

from retriage.console.session.news import Event, EventLog
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert
from retriage.console.widgets.line import Line, Span

MARGIN = 12
"""Cells of the time before a sentence."""


def told(events: list[Event], width: int, *, wrapped: bool) -> list[list[Span]]:
    """At most two lines of news.

    Args:
        events: at most two, the newest one last. One of weight that needs both lines takes
            them: the one before it was seen already.
        width: cells of a line.
        wrapped: a sentence that is too long goes on below; else it is cut.
    """
    if len(events) > 1:
        newest = events[-1]
        if wrapped and newest.weight and cell_len(inert(newest.sentence)) > width - MARGIN:
            events = [newest]
        else:
            return [_first(event, inert(event.sentence)) for event in events[-2:]]
    lines: list[list[Span]] = []
    for event in events:
        first, *more = wrap(inert(event.sentence), max(width - MARGIN, 20), 2 if wrapped else 1) or [""]
        lines.append(_first(event, first))
        lines += [[(" " * MARGIN, ""), (line, event.ink)] for line in more]
    return lines


def _first(event: Event, sentence: str) -> list[Span]:
    return [(f" {event.clock}  ", "muted"), (sentence, event.ink)]


class EventLine(Line):
    """What was said last, for a while; then what the signs of the screen mean."""

    def tell(self, events: EventLog, above: Line, legend: str = "") -> None:
        """Show what is to be seen now.

        Args:
            events: all that was said.
            above: the line above this one, shown only when it is needed; it covers what is below it.
            legend: what to say when there is no news.
        """
        # On a low screen the line above is the one with the running batch: only the frame over it may be covered.
        wrapped = self.screen.has_class("-tall")
        lines = told(events.shown(datetime.now(UTC)), self.size.width or 80, wrapped=wrapped)
        above.set_class(len(lines) > 1, "-said")
        above.show(lines[0] if len(lines) > 1 else [])
        self.show(lines[-1] if lines else [(f" {legend}", "muted")] if legend else [])
