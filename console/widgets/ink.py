"""Inks: the few names under which colours are known to the widgets.

A theme gives each of them a colour as the variable ``$ink-<name>``. State is never told by the ink alone.
"""

from typing import Literal

from rich.style import Style
from textual.widget import Widget

Ink = Literal["", "strong", "muted", "faint", "accent", "failed", "warning", "good", "locked", "suspended", "chip"]
INKS: tuple[Ink, ...] = (
    "strong", "muted", "faint", "accent", "failed", "warning", "good", "locked", "suspended", "chip",
)  # fmt: skip


class Inked(Widget):
    """A widget that writes with inks."""

    COMPONENT_CLASSES = {f"ink--{ink}" for ink in INKS}
    DEFAULT_CSS = """
    Inked {
        & > .ink--strong { color: $ink-strong; text-style: bold; }
        & > .ink--muted { color: $ink-muted; }
        & > .ink--faint { color: $ink-faint; }
        & > .ink--accent { color: $ink-accent; text-style: bold; }
        & > .ink--failed { color: $ink-failed; }
        & > .ink--warning { color: $ink-warning; }
        & > .ink--good { color: $ink-good; }
        & > .ink--locked { color: $ink-locked; }
        & > .ink--suspended { color: $ink-suspended; }
        & > .ink--chip { color: $ink-chip-text; background: $ink-chip; text-style: $ink-chip-style; }
    }
    """

    def ink(self, ink: Ink) -> Style:
        """The Rich style of an ink on this widget's own ground; empty for plain text."""
        if not ink:
            return self.rich_style
        return self.get_component_rich_style(f"ink--{ink}")
