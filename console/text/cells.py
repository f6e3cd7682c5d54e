"""Text in terminal cells: exactly as wide as it should be."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, get_character_cell_size, set_cell_size

Align = Literal["left", "right"]

TIME_BASED_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A UUID of version 1, as Camunda makes them: those of one engine end alike."""


@lru_cache(maxsize=8192)
def cut(text: str, width: int, align: Align = "left") -> str:
    """The text in exactly ``width`` cells: padded with blanks, or cut with ``…`` at the end."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    blanks = " " * (width - length)
    return blanks + text if align == "right" else text + blanks


def cut_id(text: str, width: int) -> str:
    """An id in exactly ``width`` cells: padded with blanks, or cut where it does not differ from its neighbours.

    That is the end of a time-based UUID, as Camunda makes them (all of one engine end alike), and the beginning of any
    other id (those made one after another begin alike).
    """
    return cut(text, width) if TIME_BASED_ID.fullmatch(text) else cut_start(text, width)


def cut_start(text: str, width: int) -> str:
    """The text in exactly ``width`` cells: padded with blanks, or with its beginning cut to ``…``."""
    if cell_len(text) <= width or width <= 0:
        return cut(text, width)
    start = len(text)
    room = width - 1
    while start > 0 and (room := room - cell_len(text[start - 1])) >= 0:
        start -= 1
    return cut("…" + text[start:], width)


def wrap(text: str, width: int, limit: int) -> list[str]:
    """The text in lines of at most ``width`` cells, broken at blanks where possible; at most ``limit`` lines.

    What does not fit ends in ``…``.
    """
    if width <= 0 or limit <= 0:
        return []
    lines: list[str] = []
    text = text.strip()
    for first, end in _breaks(text, width):
        if len(lines) == limit - 1 and end < len(text):
            # What is cut off is as long as it is; of it only what could fit is looked at.
            lines.append(cut(text[first : first + 2 * width + 2], width).rstrip())
            return lines
        lines.append(text[first:end].rstrip())
    return lines


def flow(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most ``width`` cells, as ``wrap`` breaks them, one after the other."""
    text = text.strip()
    for first, end in _breaks(text, max(width, 1)):
        yield text[first:end].rstrip()


def _breaks(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where the lines of the text begin and end."""
    first = 0
    while first < len(text):
        end = _fitting(text, first, width)
        if end < len(text):
            blank = text.rfind(" ", first, end + 1)
            end = blank if blank - first > width // 3 else end
        yield first, end
        while end < len(text) and text[end] == " ":
            end += 1
        first = end


def _fitting(text: str, first: int, width: int) -> int:
    """Up to which character the text from ``first`` on fits into so many cells; one always does."""
    end = min(first + width, len(text))
    if text[first:end].isascii():
        return end
    used = 0
    end = first
    while end < len(text) and (used := used + get_character_cell_size(text[end])) <= width:
        end += 1
    return max(end, first + 1)
