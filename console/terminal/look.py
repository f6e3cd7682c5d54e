"""How a cell looks, and the shortest way from one look to another.

The codes are those of ECMA-48, "Select graphic rendition".
"""

from functools import lru_cache
from itertools import product
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.style import Style

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""Codes of the attributes, in the order of the bits of a Rich style."""
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
        "21": "24", "51": "54", "52": "54", "53": "55"}  # fmt: skip
_CUBE = (0, 95, 135, 175, 215, 255)
_NUMBERED: dict[tuple[int, int, int], int] = {
    **{(8 + 10 * step, 8 + 10 * step, 8 + 10 * step): 232 + step for step in range(24)},
    **{(red, green, blue): 16 + at for at, (red, green, blue) in enumerate(product(_CUBE, repeat=3))},
}
"""Colours of xterm's cube and its greys: their numbers are half as long as their names."""
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})


class Look(NamedTuple):
    """Attributes and colours as codes; no code is the terminal's own colour."""

    attributes: frozenset[str] = frozenset()
    ink: str = ""
    ground: str = ""

    @property
    def seen_on_blanks(self) -> bool:
        """A blank shows more of it than the ground."""
        return bool(self.attributes & _SEEN_ON_BLANKS)


PLAIN = Look()


@lru_cache(maxsize=4096)
def on_blanks(look: Look) -> Look:
    """The part of a look that a blank shows."""
    return look if look.seen_on_blanks else Look(ground=look.ground)


@lru_cache(maxsize=4096)
def look_of(style: Style | None, system: ColorSystem, colours: bool) -> Look:
    """The look of a Rich style on a terminal with these colours.

    Args:
        style: none is the terminal's own.
        system: what the terminal can show.
        colours: without, only the attributes are kept.
    """
    if style is None:
        return PLAIN
    bits = style._attributes & style._set_attributes
    attributes = frozenset(code for bit, code in enumerate(_ON) if bits & (1 << bit))
    if not colours:
        return Look(attributes)
    return Look(attributes, _codes(style.color, system, True), _codes(style.bgcolor, system, False))


def _codes(colour: Color | None, system: ColorSystem, foreground: bool) -> str:
    if colour is None or colour.is_default:
        return ""
    colour = colour.downgrade(system)
    number = _NUMBERED.get(colour.triplet) if colour.triplet else None
    if number is not None:
        return f"{38 if foreground else 48};5;{number}"
    return ";".join(colour.get_ansi_codes(foreground))


@lru_cache(maxsize=4096)
def change(before: Look | None, after: Look) -> str:
    """The shortest sequence that makes the terminal write like ``after``; ``before`` is none if it is unknown."""
    if before == after:
        return ""
    whole = ";".join(code for code in (*sorted(after.attributes), after.ink, after.ground) if code)
    reset = f"\x1b[0;{whole}m" if whole else "\x1b[m"
    if before is None:
        return reset
    step = f"\x1b[{';'.join(_steps(before, after))}m"
    return min(step, reset, key=len)


def _steps(before: Look, after: Look) -> list[str]:
    off = {_OFF[code] for code in before.attributes - after.attributes}
    on = {code for code in after.attributes if code not in before.attributes or _OFF[code] in off}
    codes = [*sorted(off), *sorted(on)]
    if before.ink != after.ink:
        codes.append(after.ink or "39")
    if before.ground != after.ground:
        codes.append(after.ground or "49")
    return codes
