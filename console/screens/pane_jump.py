"""Numbers on the panes: press one, and the keys go there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region
from textual.screen import ModalScreen

from retriage.console.widgets.line import Line


class PaneJump(ModalScreen["int | None"]):
    """Answers which pane was meant, or nothing.

    Args:
        regions: where the panes are.
    """

    DEFAULT_CSS = """
    PaneJump { background: transparent; }
    PaneJump .number { position: absolute; width: 5; height: 1; background: $ink-accent; color: $background; }
    PaneJump #keys { dock: bottom; background: $line-ground; }
    """
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, regions: Sequence[Region]) -> None:
        super().__init__()
        self._regions = regions

    def compose(self) -> ComposeResult:
        """A number on each pane."""
        for number, region in enumerate(self._regions, 1):
            line = Line(classes="number")
            line.styles.offset = (region.right - 8, region.y)
            line.show([(f"  {number}  ", "chip")])
            yield line
        keys = Line(id="keys")
        keys.show([(f" 1-{len(self._regions)}", "accent"), (" to that pane", "muted"), ("  esc", "accent"),
                   (" stay", "muted")])  # fmt: skip
        yield keys

    def on_key(self, event: events.Key) -> None:
        """A number leads there, any other key back."""
        event.stop()
        at = int(event.key) - 1 if event.key.isdigit() else -1
        self.dismiss(at if 0 <= at < len(self._regions) else None)
