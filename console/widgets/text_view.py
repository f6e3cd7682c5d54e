"""A long text of somebody else, inert, wrapped to the width, scrolled by lines."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from retriage.console.actions import at
from retriage.console.text.cells import cut, flow
from retriage.console.text.inert import inert_lines
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.ink import Inked
from retriage.console.widgets.line import Span, fitted

MOST = 8_000_000
"""Characters that are shown; a longer text is cut, and says so."""
AT_ONCE = 1000
"""Screen lines that are wrapped before keys are looked at again."""


class TextView(Inked, ScrollView, can_focus=True):
    """Shows a text from its beginning."""

    PLACES: ClassVar[tuple[str, ...]] = ("text",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"text"}))
    DEFAULT_CSS = """
    TextView { overflow: hidden hidden; scrollbar-size: 0 0; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = ""
        self._lines: list[str] = []
        self._written: Sequence[Sequence[Span]] | None = None
        self._flow: Iterator[str] = iter(())

    @property
    def text(self) -> str:
        """The lines as they are shown."""
        return "\n".join(self._lines)

    def write(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show lines of the console's own, which are cut and not wrapped."""
        self._written = lines
        self._flow = iter(())
        self._lines = ["".join(text for text, _ in line) for line in lines]
        self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
        self.refresh()

    def show(self, text: str) -> None:
        """Show another text, from its beginning."""
        cut_off = f"\n… cut here: {len(text) - MOST:,} more characters" if len(text) > MOST else ""
        self._text = text[:MOST] + cut_off
        self._written = None
        self.scroll_to(y=0, animate=False, force=True)
        self._wrap()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap again."""
        if self._written is None:
            self._wrap()

    def _wrap(self) -> None:
        self._lines = []
        self._flow = _flowing(self._text, self.scrollable_content_region.width)
        self._wrap_on()
        self.refresh()

    def _wrap_on(self) -> None:
        """Wrap some more lines; a text of a megabyte takes a while."""
        self._lines.extend(islice(self._flow, AT_ONCE))
        more = next(self._flow, None)
        if more is not None:
            self._lines.append(more)
            self.set_timer(0.001, self._wrap_on)
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        """A line of the text."""
        width = self.scrollable_content_region.width
        at_ = round(self.scroll_y) + y
        if self._written is not None:
            spans = fitted(self._written[at_] if at_ < len(self._written) else (), width)
            return Strip([Segment(text, self.ink(ink)) for text, ink in spans], width)
        text = self._lines[at_] if at_ < len(self._lines) else ""
        return Strip([Segment(cut(text, width), self.ink(""))], width)

    def _to(self, y: int) -> None:
        self.scroll_to(y=max(y, 0), animate=False, force=True)

    def action_down(self) -> None:
        """One line down."""
        self._to(round(self.scroll_y) + 1)

    def action_up(self) -> None:
        """One line up."""
        self._to(round(self.scroll_y) - 1)

    def action_first(self) -> None:
        """To the top."""
        self._to(0)

    def action_last(self) -> None:
        """To the end."""
        self._to(len(self._lines))

    def action_page_down(self) -> None:
        """One screen down."""
        self._to(round(self.scroll_y) + max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """One screen up."""
        self._to(round(self.scroll_y) - max(self.size.height - 1, 1))


def _flowing(text: str, width: int) -> Iterator[str]:
    """The lines of a text, inert and wrapped; what is indented stays so."""
    for line in inert_lines(text):
        margin = " " * min(len(line) - len(line.lstrip(" ")), width // 3)
        empty = True
        for part in flow(line, width - len(margin)):
            empty = False
            yield margin + part
        if empty:
            yield ""
