"""Widgets that write with inks."""

from functools import lru_cache
from typing import Self

from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.widget import Widget

from retriage.console.text.ink import Ink

_BOLD = {"strong", "accent"}


@lru_cache(maxsize=256)
def _added(color: str, ground: str, manner: str) -> Style:
    """A Rich style of a theme's words: two colours and what else, such as ``bold reverse``; empty words add nothing."""
    colors = Style(
        color=Color.parse(color).rich_color,
        bgcolor=Color.parse(ground).rich_color if ground else None,
    )
    return colors + Style.parse(manner) if manner else colors


class Inked(Widget):
    """A widget that writes with inks.

    Inks are read from the theme itself and are no component classes: Textual makes and styles a node for each of those
    whenever anything about their widget changes, and with ten inks that was a third of the work of opening a screen.
    """

    _on_ground: dict[Ink, Style] | None = None
    """The inks on the widget's own ground, as long as neither has changed."""

    def ink(self, ink: Ink) -> Style:
        """The Rich style of an ink on this widget's own ground; empty for plain text."""
        if self._on_ground is None:
            self._on_ground = {}
        if (known := self._on_ground.get(ink)) is None:
            known = self._on_ground[ink] = self.rich_style + self.ink_alone(ink)
        return known

    def ink_alone(self, ink: Ink) -> Style:
        """What an ink adds to any ground; nothing for plain text."""
        if not ink:
            return Style.null()
        theme = self.app.theme_variables
        if ink == "chip":
            return _added(theme["ink-chip-text"], theme["ink-chip"], theme["ink-chip-style"])
        return _added(theme[f"ink-{ink}"], "", "bold" if ink in _BOLD else "")

    def notify_style_update(self) -> None:
        """Textual says that styles changed: the ground may be another one."""
        self._on_ground = None
        super().notify_style_update()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """All or a part is drawn again, perhaps since the ground of an ancestor changed."""
        if repaint:
            self._on_ground = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
