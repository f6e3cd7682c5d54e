"""The first frame: what is known before anything else is imported. Importing it brings in Textual and little else."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from retriage.console.screens.chrome import OPENING_ENGINE, HintLine, IdentityLine, TabLine
from retriage.console.session.safety import safety_of
from retriage.console.widgets.line import Line

if TYPE_CHECKING:
    from retriage.console.session.connection_identity import ConnectionIdentity


class FirstFrame(Screen[None]):
    """Which engine this is and the views, until the first list can be shown.

    Args:
        identity: what is known of the engine.
        view: name of the list that will be shown.
        places: where the actions are found whose keys are told: keys that are pressed now wait for the list.
    """

    DEFAULT_CSS = """
    FirstFrame {
        background: $background;

        #identity { background: $line-ground; }
        #opening { offset: 4 4; }
        #hints { dock: bottom; background: $line-ground; }

        &.-narrow #opening { offset: 3 4; }
    }
    """
    PLACES: ClassVar[tuple[str, ...]] = ()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(self, identity: ConnectionIdentity, view: str, places: Collection[str]) -> None:
        super().__init__()
        self._identity = identity
        self._view = view
        self._places = places

    def compose(self) -> ComposeResult:
        """The chrome around a sentence, which stands where the list will say it."""
        yield IdentityLine(id="identity")
        yield TabLine(id="tabs")
        yield Line(id="opening")
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        """Say what is known."""
        self._tell()

    def on_resize(self) -> None:
        """Other things fit now."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        self.query_one(IdentityLine).introduce(self._identity, safety_of(self._identity))
        self.query_one(TabLine).show_views(self._view)
        self.query_one("#opening", Line).show([(OPENING_ENGINE, "muted")])
        self.query_one(HintLine).tell(self._places, {}, None)
