"""Fewer changes of style: each one costs some forty bytes on the way to the terminal."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


def strip_of(segments: Iterable[Segment], width: int) -> Strip:
    """A strip of these segments: blanks are written like what stands before them, where the ground is the same."""
    kept: list[Segment] = []
    for segment in segments:
        if not segment.text:
            continue
        if kept and (segment.style == kept[-1].style or _blank_after(segment, kept[-1].style)):
            kept[-1] = Segment(kept[-1].text + segment.text, kept[-1].style)
        elif kept and _blank_after(kept[-1], segment.style):
            kept[-1] = Segment(kept[-1].text + segment.text, segment.style)
        else:
            kept.append(segment)
    return Strip(kept, width)


def _blank_after(segment: Segment, style: Style | None) -> bool:
    """The segment shows nothing of its own style, and would look the same in the other one."""
    if segment.text.strip(" ") or segment.style is None or style is None:
        return False
    same_ground = segment.style.bgcolor == style.bgcolor and bool(segment.style.reverse) == bool(style.reverse)
    return same_ground and not style.underline and not style.reverse
