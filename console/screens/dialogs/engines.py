"""Another engine: one of the profiles, or one by its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.engine.target import Remote
from retriage.console.text.inert import inert
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line import Line
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.profiles import ProfileLine

COLUMNS = (
    Column("profile", 16, share=1, most=28, keep=9),
    Column("env", 6, keep=8),
    Column("address", 20, share=3, keep=7),
)
BY_ADDRESS = "(address)"


@dataclass(frozen=True)
class ChosenEngine:
    """The engine that the console is to be opened on.

    Attributes:
        profile: name of a profile; empty where an address was typed.
        address: of its REST root; empty where a profile was chosen.
    """

    profile: str = ""
    address: str = ""


class EngineDialog(ModalScreen["ChosenEngine | None"]):
    """Answers the engine that was chosen, or nothing.

    Args:
        profiles: those that there are.
        now: what the engine in front is called; it is not offered.
        problem: why the profiles could not be read.
    """

    CSS_PATH = "engines.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("down,tab", "move(1)", show=False, priority=True),
        Binding("up,shift+tab", "move(-1)", show=False, priority=True),
        Binding("enter", "take", show=False, priority=True),
    ]

    def __init__(self, profiles: Sequence[ProfileLine], now: str, problem: str = "") -> None:
        super().__init__()
        self._profiles = [profile for profile in profiles if profile.name != now]
        self._problem = problem

    def compose(self) -> ComposeResult:
        """A field and a list."""
        with Vertical(classes="dialog"):
            yield Input(placeholder="a profile, or https://host/engine-rest", id="words", compact=True)
            yield LineTable(COLUMNS, markable=False, id="engines", empty="no profile has that name")
            yield Line(id="said")

    def on_mount(self) -> None:
        """All of them."""
        self.query_one(Input).cursor_blink = False
        frame = self.query_one(".dialog")
        frame.border_title, frame.border_subtitle = "Another engine", "enter opens it   esc closes"
        if self._problem:
            self._say(self._problem)
        self._list("")

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        self._say("")
        self._list(message.value.strip())

    def _say(self, sentence: str) -> None:
        self.query_one("#said", Line).show([(inert(sentence), "warning")] if sentence else [])

    def _list(self, text: str) -> None:
        table = self.query_one(LineTable)
        found = [_row(profile) for profile in self._profiles if text.lower() in f"{profile.name} {profile.address}"]
        if address := _address(text):
            cells = (Cell(BY_ADDRESS, "accent"), Cell("PROD?", "warning"), Cell(inert(address)))
            found.append(Row(BY_ADDRESS, cells, address))
        table.begin()
        table.set_total(len(found))
        table.put(0, found)
        table.refresh()

    def action_move(self, step: int) -> None:
        """Another line."""
        table = self.query_one(LineTable)
        (table.action_down if step > 0 else table.action_up)()

    def action_take(self) -> None:
        """Answer the one under the cursor; of one that cannot be used it is said why."""
        row = self.query_one(LineTable).row
        if row is None:
            self._say("Type the name of a profile, or an address like https://host/engine-rest.")
        elif isinstance(row.item, str):
            # What was typed, not what is shown: a user and a password may stand in it.
            self.dismiss(ChosenEngine(address=self.query_one(Input).value.strip()))
        else:
            profile = cast("ProfileLine", row.item)
            if profile.flaw:
                self._say(profile.flaw)
            else:
                self.dismiss(ChosenEngine(profile=profile.name))

    def action_close(self) -> None:
        """Stay here."""
        self.dismiss(None)


def _row(profile: ProfileLine) -> Row:
    broken = bool(profile.flaw)
    cells = (
        Cell(inert(profile.name), "muted" if broken else "strong"),
        Cell(inert(profile.environment)),
        Cell(inert("broken: " + profile.flaw if broken else profile.address), "warning" if broken else ""),
    )
    return Row(profile.name, cells, profile)


def _address(text: str) -> str:
    """The REST root of what looks like an address; empty where it does not."""
    if "://" not in text and ":" not in text and "/" not in text:
        return ""
    try:
        return Remote(text).root()
    except ValueError:
        return ""
