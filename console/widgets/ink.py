"""Widgets that write with inks."""

from rich.style import Style
from textual.widget import Widget

from console.text.ink import INKS, Ink


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
