"""Text in terminal cells: exactly as wide as it should be."""

import re
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size

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
    rest = text.strip()
    while rest and len(lines) < limit:
        if cell_len(rest) <= width:
            lines.append(rest)
            return lines
        if len(lines) == limit - 1:
            lines.append(cut(rest, width).rstrip())
            return lines
        head, rest = _break(rest, width)
        lines.append(head)
    return lines


def _break(text: str, width: int) -> tuple[str, str]:
    used = 0
    end = 0
    while end < len(text) - 1 and (used := used + cell_len(text[end])) <= width:
        end += 1
    blank = text.rfind(" ", 0, end + 1)
    if blank > width // 3:
        return text[:blank].rstrip(), text[blank + 1 :].lstrip()
    end = max(end, 1)
    return text[:end], text[end:]
