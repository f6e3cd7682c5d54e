"""The launch dialog: what would become of the tasks, the retries to set, and the exact request.

What it shows is counted once and frozen. Digits typed anywhere in it go to the retries field. Cancel has the focus;
``L`` launches; the key that opened it does nothing inside.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from console.screens.dialogs.choice import Choice
from console.screens.launch.page import page
from console.screens.session import Session
from console.screens.words import things
from console.triage.launch import Plan
from console.triage.selection import Selection
from console.widgets.inert import inert
from console.widgets.pane import Pane, Prose

MOST_DIGITS = 6
DEFAULT = "1"


class LaunchDialog(ModalScreen["Plan | None"]):
    """Answers the plan to launch, or nothing."""

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("left,right,tab,shift+tab", "other", show=False),
        Binding("backspace", "erase", show=False),
        Binding("L", "launch", show=False),
        Binding("Y", "confirm", show=False),
    ]

    def __init__(self, session: Session, selection: Selection) -> None:
        super().__init__()
        self._session = session
        self._selection = selection
        self._plan: Plan | None = None
        self._digits = DEFAULT
        self._typed = False
        self._confirmed = False
        self._said = ""

    def compose(self) -> ComposeResult:
        """One page, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="page")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice("Launch", "L", id="launch")

    @property
    def retries(self) -> int | None:
        """The value in the field, nothing while it is empty."""
        return int(self._digits) if self._digits else None

    def on_mount(self) -> None:
        """Count first."""
        self.query_one(".dialog").border_title = f"Retry {self._selection.describe()}"
        self.query_one(Pane).show([Prose("counting what this would change …", "muted")])
        self.query_one("#launch", Choice).enable(False)
        self._survey()

    @work(group="launch.survey", exclusive=True, exit_on_error=False)
    async def _survey(self) -> None:
        from console.engine.errors import EngineProblem
        from console.triage.settle import settled
        from console.triage.survey import survey

        try:
            selection = await self._session.ask(lambda client: settled(client, self._selection))
            facts = await self._session.ask(lambda client: survey(client, selection))
        except EngineProblem as problem:
            self.query_one(Pane).show([Prose(inert(problem.sentence), "failed")])
            return
        if selection is not self._selection and hasattr(self._selection, "every_task"):
            self._confirmed = not self._selection.every_task
        self._plan = Plan(selection, self.retries or 0, facts)
        self._write()

    def on_resize(self) -> None:
        """The request takes the room there is."""
        self.call_after_refresh(self._write)

    @property
    def _needs_confirmation(self) -> bool:
        return bool(getattr(self._selection, "every_task", False)) and not self._confirmed

    @property
    def _ready(self) -> bool:
        counted = self._plan is not None and self._plan.count > 0
        return counted and self.retries is not None and not self._needs_confirmation

    def _write(self) -> None:
        if self._plan is None:
            return
        if self.retries is not None and self.retries != self._plan.retries:
            self._plan = Plan(self._plan.selection, self.retries, self._plan.facts)
        frame = self.query_one(".dialog", Vertical)
        frame.border_title = f"Retry {things(self._plan.count, 'task')}  ·  {self._selection.describe()}"
        # A query is asked again by the engine when it is launched; only ids are what they were.
        how = "counted" if self._plan.request.external_task_query is not None else "frozen"
        frame.border_subtitle = f"{how} {self._plan.facts.at:%H:%M:%S}Z"
        pane = self.query_one(Pane)
        room = self.size.height - 7
        items = page(self._plan, self._digits, self._needs_confirmation, self._said, pane.size.width or 70, room)
        pane.styles.height = len(items)
        pane.show(items)
        self.query_one("#launch", Choice).enable(self._ready)

    def on_key(self, event: events.Key) -> None:
        """Digits go to the retries field, the first one replaces the default."""
        if event.character is None or event.character not in "0123456789":
            return
        event.stop()
        before = self._digits if self._typed else ""
        self._typed = True
        if len(before) < MOST_DIGITS:
            self._digits = (before + event.character).lstrip("0") or "0"
        self._said = ""
        self._write()

    def action_erase(self) -> None:
        """Take the last digit away."""
        self._typed = True
        self._digits = self._digits[:-1]
        self._write()

    def action_other(self) -> None:
        """To the other choice."""
        self.focus_next()

    def action_confirm(self) -> None:
        """Yes, every task of the engine is meant."""
        if self._plan is not None and self._needs_confirmation:
            self._confirmed = True
            self._write()

    def action_cancel(self) -> None:
        """Launch nothing."""
        self.dismiss(None)

    def action_launch(self) -> None:
        """Launch what is shown."""
        if self._ready:
            self.dismiss(self._plan)
        elif self._plan is not None:
            self._said = "Type how many retries to set." if self.retries is None else ""
            self._write()

    def on_choice_taken(self, message: Choice.Taken) -> None:
        """Enter on a choice, or a click."""
        if message.choice.id == "launch":
            self.action_launch()
        else:
            self.action_cancel()
