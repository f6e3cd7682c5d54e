"""Colours that can be read: contrast as WCAG 2.2 counts it, in every theme, on every ground that text stands on."""

import pytest
from rich.color import Color, ColorSystem
from textual.theme import Theme

from retriage.console.widgets.themes import DARK, LIGHT, TERMINAL, THEMES

TEXT, MARK = 4.5, 3.0
INKS = (
    "ink-strong", "ink-muted", "ink-faint", "ink-accent", "ink-failed", "ink-warning", "ink-good", "ink-locked",
    "ink-suspended",
)  # fmt: skip
GROUNDS = ("row-cursor", "row-cursor-blurred", "row-marked", "line-ground")
XTERM = {
    "black": "#000000", "green": "#00cd00", "yellow": "#cdcd00", "cyan": "#00cdcd", "bright_black": "#7f7f7f",
    "bright_red": "#ff0000", "bright_blue": "#5c5cff", "bright_magenta": "#ff00ff", "bright_cyan": "#00ffff",
}  # fmt: skip
"""What xterm shows for the sixteen colours, unless it is told otherwise (its charproc.c)."""
DEFAULT = ("#e5e5e5", "#000000")
"""Ink and ground of a dark xterm."""


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def shown(colour: str, *, ground: bool = False) -> str:
    """A colour as a terminal shows it."""
    if not colour.startswith("ansi_"):
        return colour
    name = colour.removeprefix("ansi_")
    return DEFAULT[ground] if name == "default" else XTERM[name]


def grounds(theme: Theme) -> dict[str, str]:
    named = {name: theme.variables[name] for name in GROUNDS}
    return {**named, "background": str(theme.background), "surface": str(theme.surface), "panel": str(theme.panel)}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_ground_also_under_the_cursor(theme: Theme) -> None:
    inks = {name: theme.variables[name] for name in INKS} | {"foreground": str(theme.foreground)}
    weak = {
        f"{ink} on {ground}": round(ratio, 2)
        for ink, colour in inks.items()
        for ground, behind in grounds(theme).items()
        # Where the cursor turns a row around, ink and ground change places: the ratio stays.
        if (ratio := contrast(shown(colour), shown(behind, ground=True))) < TEXT
    }
    assert not weak
    assert contrast(shown(theme.variables["ink-chip-text"]), shown(theme.variables["ink-chip"])) >= TEXT


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_marks_stand_out(theme: Theme) -> None:
    """What has the focus is told by its frame, what must not be missed by its chip."""
    ground = shown(str(theme.background), ground=True)
    for mark in ("frame-focus", "ink-chip", "input-cursor-background"):
        assert contrast(shown(theme.variables[mark]), ground) >= MARK, mark


@pytest.mark.parametrize("theme", [DARK, LIGHT, TERMINAL], ids=lambda theme: theme.name)
def test_production_keeps_its_colour_where_there_are_sixteen(theme: Theme) -> None:
    def sixteen(colour: str) -> int | None:
        return Color.parse(colour.removeprefix("ansi_")).downgrade(ColorSystem.STANDARD).number

    assert sixteen(theme.variables["ink-chip"]) in (3, 11)  # yellow
    assert sixteen(theme.variables["ink-chip-text"]) in (0, 15)  # black or white
