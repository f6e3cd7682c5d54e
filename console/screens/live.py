"""What ``p`` and ``r`` do on the page of one thing that goes on being read: a batch, its tasks, a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from retriage.console.screens.verbs import Verbs

if TYPE_CHECKING:
    from retriage.console.screens.base import ConsoleScreen


class LiveVerbs(Verbs["ConsoleScreen"]):
    """Pause and go on; read once, also while paused.

    Args:
        screen: a page that reads again and again.
        look: begins to read what it shows, once.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("live",)

    def __init__(self, screen: ConsoleScreen, look: Callable[[], object]) -> None:
        super().__init__(screen)
        self._look = look

    def action_pause(self) -> None:
        """Stop every reading that was not asked for, or go on."""
        self.session.watch.pause(not self.session.watch.paused)

    def action_refresh(self) -> None:
        """Read now, also while paused."""
        self._look()
