"""A thing in full: its facts beside a long text that scrolls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.session.session import Session
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.pane import Item, Pane
from retriage.console.widgets.text_view import TextView

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient


class ReadingScreen(ConsoleScreen):
    """Facts on one side, a text of the engine on the other.

    Args:
        session: the console's session.
        title: what the facts are of.
        copied: what ``y`` copies.
        ask: asks for the long text.
    """

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("reading.tcss")]
    AUTO_FOCUS = "TextView"
    HEADING: ClassVar[str] = ""
    """Title of the long text."""
    PLACES: ClassVar[tuple[str, ...]] = ("detail",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"detail"}))

    def __init__(
        self, session: Session, title: str, copied: str, ask: Callable[[EngineClient], Awaitable[str]]
    ) -> None:
        super().__init__(session)
        self._ask = ask
        self.add_class("reading")
        self._title = title
        self._copied = copied

    def body(self) -> Iterable[Widget]:
        """Facts and text."""
        with Horizontal(id="sides"):
            yield Pane(self._title, id="facts", classes="framed")
            yield TextView(id="text", classes="framed")

    def facts(self) -> list[Item]:
        """What is known already."""
        return []

    def on_mount(self) -> None:
        """Show what is known, ask for the rest."""
        self.query_one("#facts", Pane).show(self.facts())
        view = self.query_one(TextView)
        view.border_title = self.HEADING
        view.show("reading …")
        self._read()

    @work(group="reading.text", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        try:
            text = await self.session.connection.ask(self._ask)
        except EngineProblem as problem:
            text = problem.sentence
        self.query_one(TextView).show(text)

    def action_back(self) -> None:
        """To where we came from."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id."""
        self.hand_out(self._copied)
