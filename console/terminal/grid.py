"""Lines of a screen as cells."""

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.segment import Segment

from retriage.console.terminal.glyphs import Glyphs
from retriage.console.terminal.look import Look, look_of, on_blanks

Cell = tuple[str, Look]
"""What stands in a cell and how it looks; a wide character is followed by a cell with no text."""

OTHER_HALF = ""
_SAFE_BELOW = 0x300
_OWN_SIGNS = range(0x2500, 0x25FD)
"""Lines, blocks and shapes, which the console draws with."""
_SAFE = frozenset("…❯✓✗·–—’“”→←↑↓�") | frozenset(map(chr, range(0x2400, 0x2422)))


@lru_cache(maxsize=4096)
def risky(text: str) -> bool:
    """Terminals may disagree with us about how wide this is."""
    if text.isascii():
        return False
    return not all(ord(one) < _SAFE_BELOW or ord(one) in _OWN_SIGNS or one in _SAFE for one in text)


@lru_cache(maxsize=4096)
def _graphemes(text: str) -> tuple[tuple[str, int], ...]:
    spans, _ = split_graphemes(text)
    return tuple((text[start:end], width) for start, end, width in spans if width)


class Gridder:
    """Makes cells of segments.

    Args:
        system: colours that the terminal can show.
        colours: whether to use them.
        glyphs: how characters are written in the terminal's character set.
    """

    def __init__(self, system: ColorSystem, colours: bool, glyphs: Glyphs) -> None:
        self._system = system
        self._colours = colours
        self._glyphs = glyphs

    def cells(self, segments: Iterable[Segment]) -> list[Cell]:
        """The cells of a line, from its left."""
        cells: list[Cell] = []
        for text, style, control in segments:
            if control or not text:
                continue
            look = look_of(style, self._system, self._colours)
            text = self._glyphs.written(text)
            blank = on_blanks(look)
            if text.isascii():
                cells.extend([(one, blank if one == " " else look) for one in text])
                continue
            for sign, width in _graphemes(text):
                cells.append((sign, blank if sign == " " else look))
                if width == 2:
                    cells.append((OTHER_HALF, look))
        return cells
