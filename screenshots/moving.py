"""A moving picture: what a terminal showed, moment by moment, as one SVG that moves by itself.

A line that stays the same from one moment to the next is written once, with the time it is seen: so the picture of a
minute takes about as much as two still ones. Who has asked for less motion sees the last moment.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

CELL, LINE, SIZE, BASE = 8, 17, 13.3, 13
"""Width of a cell, height of a line, size of the letters and where they stand on their line, in pixels."""
SHORT = 2
"""Cells up to which letters need not be spaced as the terminal does."""
MARGIN, HEAD = 10, 34
GROUND, FRAME, TITLE = "#0f1117", "#292929", "#c5c9d1"
FONT = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


class Run(NamedTuple):
    """Letters of one look: where they begin, and how they are written."""

    at: int
    text: str
    colour: str
    ground: str
    bold: bool
    underlined: bool


class Moment(NamedTuple):
    """What was seen for some seconds."""

    seconds: float
    lines: tuple[tuple[Run, ...], ...]


def moment(seconds: float, strips: Sequence[Strip], colour: str) -> Moment:
    """What stands on a terminal now, to be seen for so many seconds.

    Args:
        seconds: how long.
        strips: its lines.
        colour: of letters that have none.
    """
    return Moment(seconds, tuple(_runs(strip, colour) for strip in strips))


def _runs(strip: Strip, colour: str) -> tuple[Run, ...]:
    found: list[Run] = []
    at = 0
    for text, style, _ in strip:
        look = style or Style()
        letters, ground = _hex(look.color, colour), _hex(look.bgcolor, GROUND)
        if look.reverse:
            letters, ground = ground, letters
        run = Run(at, text, letters, ground, bool(look.bold), bool(look.underline))
        before = found[-1] if found else None
        if before is not None and before[2:] == run[2:]:
            found[-1] = before._replace(text=before.text + text)
        else:
            found.append(run)
        at += cell_len(text)
    return tuple(run for run in found if run.text.strip() or run.ground != GROUND or run.underlined)


def _hex(colour: Color | None, otherwise: str) -> str:
    return otherwise if colour is None or colour.is_default else colour.get_truecolor().hex


def moving_picture(moments: Sequence[Moment], title: str) -> str:
    """The moments one after the other, again and again, as the text of an SVG file."""
    columns = max(run.at + cell_len(run.text) for one in moments for line in one.lines for run in line)
    height = max(len(one.lines) for one in moments)
    whole = sum(one.seconds for one in moments)
    begins = [sum(one.seconds for one in moments[:number]) for number in range(len(moments) + 1)]
    looks: dict[str, str] = {}
    spans: dict[tuple[int, int], str] = {}
    body = [
        f'<g class="{name}" transform="translate(0,{y * LINE})">{_drawn(line, looks)}</g>'
        for y in range(height)
        for first, end, line in _stays(moments, y)
        for name in [spans.setdefault((first, end), f"s{len(spans)}")]
        if line
    ]
    rules = [_rule(name, *span, begins, whole, len(moments)) for span, name in spans.items()]
    letters = [f".{name}{{fill:{look}}}" for look, name in looks.items()]
    width, tall = columns * CELL + 2 * MARGIN, height * LINE + HEAD + MARGIN
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>",
        f"text{{font:{SIZE}px {FONT};white-space:pre}}g{{visibility:inherit}}",
        *letters,
        *rules,
        "@media(prefers-reduced-motion:reduce){g{animation:none!important}}",
        "</style>",
        f'<rect width="{width}" height="{tall}" rx="8" fill="{FRAME}"/>',
        f'<rect x="4" y="{HEAD - 4}" width="{width - 8}" height="{tall - HEAD}" rx="5" fill="{GROUND}"/>',
        *(f'<circle cx="{18 + 18 * number}" cy="15" r="6" fill="{fill}"/>'
          for number, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))),
        f'<text x="{width / 2}" y="20" text-anchor="middle" fill="{TITLE}" font-weight="bold">{escape(title)}</text>',
        f'<g transform="translate({MARGIN},{HEAD})">',
        *body,
        "</g></svg>\n",
    ))  # fmt: skip


def _stays(moments: Sequence[Moment], y: int) -> list[tuple[int, int, tuple[Run, ...]]]:
    """What stands on a line, with the numbers of the first moment that shows it and of the one that does no more."""
    found: list[tuple[int, int, tuple[Run, ...]]] = []
    for number, one in enumerate(moments):
        line = one.lines[y] if y < len(one.lines) else ()
        if found and found[-1][2] == line:
            found[-1] = (found[-1][0], number + 1, line)
        else:
            found.append((number, number + 1, line))
    return found


def _rule(name: str, first: int, end: int, begins: Sequence[float], whole: float, number: int) -> str:
    """When the lines of this name are seen; at rest those of the last moment are."""
    if (first, end) == (0, number):
        return f".{name}{{visibility:visible}}"
    steps = [(begins[first], "visible"), (begins[end], "hidden")]
    if first:
        steps.insert(0, (0.0, "hidden"))
    keys = "".join(f"{100 * at / whole:.2f}%{{visibility:{seen}}}" for at, seen in steps)
    rest = "visible" if end == number else "hidden"
    return f"@keyframes {name}{{{keys}}}.{name}{{visibility:{rest};animation:{name} {whole:g}s step-end infinite}}"


def _drawn(line: Sequence[Run], looks: dict[str, str]) -> str:
    """A line at the top: grounds that lie side by side as one, then the letters."""
    drawn: list[str] = []
    for first, end, ground in _grounds(line):
        drawn.append(
            f'<rect x="{first * CELL}" width="{(end - first) * CELL}" height="{LINE}" {_look(ground, looks)}/>'
        )
    for run in line:
        kept = run.text.rstrip()
        letters = kept.lstrip()
        if not letters:
            continue
        at = run.at + cell_len(kept) - cell_len(letters)
        wide = f' textLength="{cell_len(letters) * CELL}"' if cell_len(letters) > SHORT else ""
        style = f"{run.colour}{';font-weight:bold' if run.bold else ''}"
        if run.underlined:
            style += ";text-decoration:underline"
        drawn.append(f'<text x="{at * CELL}" y="{BASE}" {_look(style, looks)}{wide}>{escape(letters)}</text>')
    return "".join(drawn)


def _grounds(line: Sequence[Run]) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for run in line:
        end = run.at + cell_len(run.text)
        if run.ground == GROUND:
            continue
        if found and found[-1][1:] == (run.at, run.ground):
            found[-1] = (found[-1][0], end, run.ground)
        else:
            found.append((run.at, end, run.ground))
    return found


def _look(fill: str, looks: dict[str, str]) -> str:
    return f'class="{looks.setdefault(fill, f"c{len(looks)}")}"'
