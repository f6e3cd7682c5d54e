"""A bordered pane of facts, prose and lines of spans, cut to what fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip

from retriage.console.text.cells import wrap
from retriage.console.text.ink import Ink
from retriage.console.widgets.frugal import strip_of
from retriage.console.widgets.ink import Inked
from retriage.console.widgets.line import Span, fitted

LABEL = 10
"""Cells of the label of a fact."""


@dataclass(frozen=True)
class Fact:
    """A label and what is so; long texts go on below it, over at most ``lines`` lines.

    ``least`` lines are kept for it in any case, so that what follows stands at the same place for every row: the eye
    finds it there, and little has to be sent when the next row is shown.
    """

    label: str
    text: str
    ink: Ink = ""
    lines: int = 2
    least: int = 1


@dataclass(frozen=True)
class Prose:
    """A text over as many lines as it needs, at most ``lines``."""

    text: str
    ink: Ink = ""
    lines: int = 40


@dataclass(frozen=True)
class Spans:
    """One line of spans."""

    spans: tuple[Span, ...] = ()


Item = Fact | Prose | Spans


def laid_out(items: Sequence[Item], width: int) -> list[list[Span]]:
    """The lines of the items, each exactly ``width`` cells."""
    lines: list[list[Span]] = []
    for item in items:
        lines.extend(fitted(line, width) for line in _lines(item, width))
    return lines


def _lines(item: Item, width: int) -> list[list[Span]]:
    if isinstance(item, Spans):
        return [list(item.spans)]
    if isinstance(item, Prose):
        return [[(line, item.ink)] for line in wrap(item.text, width, item.lines)]
    texts = wrap(item.text, width - LABEL, item.lines) or [""]
    texts += [""] * (item.least - len(texts))
    labels = [item.label.ljust(LABEL)[: LABEL - 1] + " "] + [" " * LABEL] * (len(texts) - 1)
    return [[(label, "muted"), (text, item.ink)] for label, text in zip(labels, texts, strict=True)]


class Pane(Inked):
    """Shows items. What does not fit is left out at the bottom."""

    DEFAULT_CSS = """
    Pane { height: 1fr; }
    """

    def __init__(self, title: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._items: tuple[Item, ...] = ()
        self._items_for: Callable[[int, int], Sequence[Item]] | None = None
        self._lines: list[list[Span]] = []
        self._title = ""
        if title:
            self.entitle(title)

    def entitle(self, title: str) -> None:
        """Set the title in the border; any text may be given, it is never read as markup."""
        if title != self._title:
            self._title = title
            self.border_title = Content(title) if title else None

    @property
    def text(self) -> str:
        """What is shown, line by line."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    def show(self, items: Sequence[Item]) -> None:
        """Show these items instead; only lines that differ are repainted."""
        self._items_for = None
        self._items = tuple(items)
        self._lay_out()

    def show_fitted(self, items_for: Callable[[int, int], Sequence[Item]]) -> None:
        """Show items that are made for the size of the pane instead.

        Args:
            items_for: makes them for so many cells and lines; it is asked again whenever the size is another one.
        """
        self._items_for = items_for
        self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap again. All of it is painted anew: what was painted before this came was wrapped for another width."""
        self._lines = []
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        width, height = self.size
        if not width:
            return
        if self._items_for is not None:
            self._items = tuple(self._items_for(width, height))
        before, self._lines = self._lines, laid_out(self._items, width)
        for y in range(height):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """A line of the items, blank below them."""
        width = self.size.width
        blank: list[Span] = [(" " * width, "")]
        spans = self._lines[y] if y < len(self._lines) else blank
        return strip_of([Segment(text, self.ink(ink)) for text, ink in spans], width)


class FocusPane(Pane, can_focus=True):
    """A pane that can have the focus, so that keys may mean what it shows."""
