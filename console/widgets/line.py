"""Lines of one cell height that are repainted only where they differ."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from retriage.console.text.cells import cut
from retriage.console.text.ink import Ink
from retriage.console.widgets.frugal import strip_of
from retriage.console.widgets.ink import Inked

Span = tuple[str, Ink]
"""An inert text and its ink."""


def width_of(spans: Sequence[Span]) -> int:
    """Cells that the spans take."""
    return sum(cell_len(text) for text, _ in spans)


def fitted(spans: Sequence[Span], width: int) -> list[Span]:
    """The spans in exactly ``width`` cells: padded at the end, or cut there."""
    shown: list[Span] = []
    left = width
    for text, ink in spans:
        if left <= 0:
            break
        length = cell_len(text)
        shown.append((text if length <= left else cut(text, left), ink))
        left -= min(length, left)
    if left > 0:
        shown.append((" " * left, ""))
    return shown


class Line(Inked):
    """One line: spans from the left and spans that keep to the right. The left part is cut, never the right one, and a
    blank stays between the two."""

    DEFAULT_CSS = """
    Line { height: 1; width: 100%; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: list[Span] = []
        self._right: list[Span] = []

    @property
    def text(self) -> str:
        """What stands on the line."""
        return "".join(text for text, _ in self._spans(self.size.width or 400)).rstrip()

    def show(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """Put these spans on the line; only the part that differs is repainted."""
        if list(left) == self._left and list(right) == self._right:
            return
        width = self.size.width
        before = _cells(self._spans(width))
        self._left, self._right = list(left), list(right)
        after = _cells(self._spans(width))
        if len(before) != len(after) or not width:
            self.refresh()
            return
        differing = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        if differing:
            self.refresh(Region(differing[0], 0, differing[-1] - differing[0] + 1, 1))

    def _spans(self, width: int) -> list[Span]:
        right = fitted(self._right, min(width_of(self._right), width)) if self._right else []
        room = width - width_of(right)
        glued = bool(right) and not right[0][0].startswith(" ") and 0 < room <= width_of(self._left)
        gap: list[Span] = [(" ", "")] if glued else []
        return [*fitted(self._left, room - len(gap)), *gap, *right]

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        return strip_of([Segment(text, self.ink(ink)) for text, ink in self._spans(width)], width)


def _cells(spans: Sequence[Span]) -> list[Span]:
    """One entry per cell; a wide character takes two."""
    return [
        (character if part == 0 else "", ink)
        for text, ink in spans
        for character in text
        for part in range(cell_len(character))
    ]
