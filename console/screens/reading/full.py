"""A long text of the engine on the whole screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.session.session import Session

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient


class FullText(ReadingScreen):
    """Shows what the engine answers.

    Args:
        session: the console's session.
        view: the view that it belongs to.
        heading: what the text is; inert.
        copied: what ``y`` copies.
        ask: asks for the text.
    """

    CSS_PATH = [*ReadingScreen.CSS_PATH, Path(__file__).with_name("full.tcss")]

    def __init__(
        self, session: Session, view: str, heading: str, copied: str, ask: Callable[[EngineClient], Awaitable[str]]
    ) -> None:
        super().__init__(session, "", copied, ask)
        self.add_class("full")
        self.VIEW = view  # type: ignore[misc]
        self.HEADING = heading  # type: ignore[misc]
