"""Changing the rest of a run: how what has not begun is cut, and the rules by which it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from retriage.console.runs.change import RestChange
from retriage.console.runs.next_step import waiting_waves
from retriage.console.runs.rules_text import (
    RuleMistake,
    pace_of,
    pace_text,
    seconds_of,
    seconds_text,
    share_of,
    share_text,
)
from retriage.console.runs.waves import WaveMistake, waves_of
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay, pressed
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.text.words import count, things
from retriage.console.widgets.line import Line
from retriage.store.contract.values import INT_MAX

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView


class ChangeRest(ModalScreen[RestChange | None]):
    """Answers what is to be changed, or nothing."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#waves Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self._run = view
        self.delay = ConfirmDelay(self, self._tell)
        rest = [one.tasks for one in waiting_waves(view)]
        self._rest = sum(rest)
        run = view.run
        self._before = {
            "waves": ", ".join(str(size) for size in rest),
            "gate": share_text(run.gate),
            "watch": seconds_text(run.watch),
            "pace": pace_text(run.pace),
            "retries": str(run.retries),
        }
        # What means nothing to its operation cannot be changed.
        for name, missing in (("gate", not view.operation.gated), ("retries", run.retries is None)):
            if missing:
                del self._before[name]

    def compose(self) -> ComposeResult:
        """A field for each rule, what it comes to, two choices."""
        patterns = {
            "waves": (r"[\d,. %rest]*", 400, None), "gate": (r"[\d.%]*", 6, 12), "watch": (r"[\d.smh]*", 6, 12),
            "pace": (r"[\d./minsh]*", 10, 12), "retries": (r"\d*", 12, 12),
        }  # fmt: skip
        with Vertical(classes="dialog"):
            for name, text in self._before.items():
                pattern, most, width = patterns[name]
                yield Field(name, id=name, value=text, pattern=pattern, most=most, width=width, replaces=True)
            yield Line(id="comes-to")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice("Change", "L", id="order")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show what it is now."""
        rest = self._run.operation.units(self._rest)
        self.query_one(".dialog").border_title = f"The rest of run {self._run.run.id}: {rest}"
        for name, remark in (
            ("gate", "share of a wave that may fail again"),
            ("watch", "for each wave"),
            ("pace", "empty sends a wave at once"),
            ("retries", f"attempts each {self._run.operation.unit} is given"),
        ):
            if name not in self._before:
                continue
            self.query_one(f"#{name}", Field).remark(remark)
        self.delay.shown(self._run.run.id)
        self._tell()

    def on_screen_resume(self) -> None:
        """In front again."""
        self.delay.covered()
        self._tell()

    def change(self) -> RestChange:
        """What is typed and differs from what is so.

        Raises:
            WaveMistake: the sizes cannot be.
            RuleMistake: another field cannot be read.
        """
        typed = {name: self.query_one(f"#{name}", Field).value.strip() for name in self._before}
        new = {name: text for name, text in typed.items() if text != self._before[name]}
        waves = waves_of(new["waves"]) if "waves" in new and self._rest else None
        if waves is not None:
            waves.cut(self._rest)
        retries = int(new["retries"] or -1) if "retries" in new else None
        if retries is not None and not 0 <= retries <= INT_MAX:
            raise RuleMistake("Type the number of retries to set.")
        if new.get("pace") == "":
            raise RuleMistake("A pace can be changed, not removed: 1000000/min is as good as none.")
        return RestChange(
            waves,
            share_of(new["gate"]) if "gate" in new else None,
            retries,
            seconds_of(new["watch"]) if "watch" in new else None,
            pace_of(new["pace"]) if "pace" in new else None,
        )

    def _mistake(self) -> str:
        try:
            change = self.change()
        except (WaveMistake, RuleMistake) as mistake:
            return mistake.sentence
        return "" if change else "Nothing is changed yet."

    def _tell(self) -> None:
        mistake = self._mistake()
        line = self.query_one("#comes-to", Line)
        if mistake:
            line.show([(" " * 12 + mistake, "warning")])
        else:
            waves = self.change().waves
            sizes = waves.cut(self._rest) if waves is not None else [one.tasks for one in waiting_waves(self._run)]
            told = " + ".join(map(count, sizes[:8])) + (" + …" if len(sizes) > 8 else "")
            line.show([(" " * 12 + f"{things(len(sizes), 'wave')}: {told}", "muted")])
        self.query_one("#order", Choice).enable(self.delay.over and not mistake)

    def on_input_changed(self) -> None:
        """Something was typed."""
        self._tell()

    def on_input_submitted(self) -> None:
        """Enter."""
        self._order()

    def on_key(self, event: events.Key) -> None:
        """The key of the order."""
        if pressed(event, "L"):
            event.stop()
            self._order()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken with enter or the mouse."""
        if message.choice.id == "order":
            self._order()
        else:
            self.action_cancel()

    def _order(self) -> None:
        if self.delay.confirms and not self._mistake():
            self.dismiss(self.change())

    def action_cancel(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
