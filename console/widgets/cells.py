"""Text in terminal cells: exactly as wide as it should be."""

from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size

Align = Literal["left", "right"]


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
    for end, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            break
    blank = text.rfind(" ", 0, end + 1)
    if blank > width // 3:
        return text[:blank].rstrip(), text[blank + 1 :].lstrip()
    end = max(end, 1)
    return text[:end], text[end:]
