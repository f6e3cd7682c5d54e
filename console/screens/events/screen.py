"""Everything that was said to the operator, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.session.news import Event, News
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert
from retriage.console.text.words import day, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Span
from retriage.console.widgets.text_view import TextView

MARGIN = 23
"""Cells of date and time before a sentence."""
_SIGNS = {"failed": "!", "warning": "!", "good": "+"}


class EventsScreen(ConsoleScreen):
    """The list of events."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("screen.tcss")]
    AUTO_FOCUS = "TextView"
    PLACES: ClassVar[tuple[str, ...]] = ("detail",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"detail"}))

    def body(self) -> Iterable[Widget]:
        """One long text."""
        yield TextView(id="said", classes="framed")

    def on_mount(self) -> None:
        """Show what has been said."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Wrap again."""
        self.call_after_refresh(self._show)

    def on_news(self, news: News) -> None:
        """One more."""
        if news == "event":
            self._show()

    def _show(self) -> None:
        view = self.query_one(TextView)
        events = self.session.news
        view.border_title = f"{things(len(events), 'event')}, the newest first"
        width = max(view.scrollable_content_region.width, 40)
        view.write(
            [line for event in events for line in _lines(event, width)] or [[("Nothing has been said yet.", "muted")]]
        )

    def action_copy(self) -> None:
        """Copy all of it."""
        text = "\n".join(f"{day(event.at)}  {inert(event.sentence)}" for event in self.session.news)
        self.hand_out(text, things(len(self.session.news), "event"))

    def action_back(self) -> None:
        """To where we came from."""
        self.dismiss()


def _lines(event: Event, width: int) -> Iterator[list[Span]]:
    first, *more = wrap(inert(event.sentence), width - MARGIN, 6) or [""]
    yield [(f"{day(event.at)} ", "muted"), (f"{_SIGNS.get(event.ink, ' ')} ", event.ink), (first, event.ink)]
    for line in more:
        yield [(" " * MARGIN, ""), (line, event.ink)]
