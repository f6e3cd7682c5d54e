"""A dialog that shows all of an order before it is given: its fields, its request, what speaks against it.

Cancel has the focus; ``L`` orders, once what is shown could be read, and enter in a field never does. Around it stand
identity, news and keys.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from retriage.console.launch.request_file import save_ids
from retriage.console.screens import clipboard
from retriage.console.screens.attached import places_of
from retriage.console.screens.base import looking_only
from retriage.console.screens.chrome import HintLine, IdentityLine
from retriage.console.screens.dialogs.arm import take_safety_off_or_put_it_back
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.events.line import EventLine
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Item, Pane, Prose, Spans

Answer = TypeVar("Answer")

TOO_EARLY = "Too fast. Review, then press again."
FIXED = 6
"""Lines around the panes: identity, news, keys, frame, choices."""


class OrderDialog(ModalScreen[Answer]):
    """Answers what is ordered, or nothing.

    Args:
        session: whose engine is asked.
        reason: what stands in the field at first.
        seconds: seconds that only go forward.
    """

    CSS_PATH = Path(__file__).with_name("order_dialog.tcss")
    AUTO_FOCUS = "#cancel"
    PLACES: ClassVar[tuple[str, ...]]
    ORDER: ClassVar[str]
    """The id of the choice that orders."""
    LEAVE: ClassVar[str] = "Cancel"
    """The choice that orders nothing, in a word."""

    def __init__(self, session: Session, *, reason: str, seconds: Callable[[], float]) -> None:
        super().__init__()
        self.session = session
        self.delay = ConfirmDelay(self, self.enable, seconds)
        self._reason = reason
        self._too_early = False

    # -- what differs -----------------------------------------------------------------------------------------------

    @abstractmethod
    def page(self) -> Iterable[Widget]:
        """What stands above the choices."""

    @property
    @abstractmethod
    def verb(self) -> str:
        """The order in a word."""

    @abstractmethod
    def write(self) -> None:
        """Show what is so now."""

    @abstractmethod
    def why_not(self) -> str:
        """One sentence if what is shown cannot be ordered now; empty if it can."""

    @abstractmethod
    def confirm_order(self) -> None:
        """The operator confirms what is shown."""

    @abstractmethod
    def labels(self) -> Mapping[str, str]:
        """What actions are called now, where that is not their usual name."""

    # -- around it --------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """One page, two choices."""
        yield IdentityLine(id="identity")
        with Vertical(classes="dialog"):
            with Vertical(classes="page"):
                yield from self.page()
            yield Pane(id="warnings")
            with Horizontal(classes="choices"):
                yield Choice(self.LEAVE, "esc", id="cancel")
                yield Choice(self.verb, "L", id=self.ORDER)
        yield Line(id="event-above")
        yield EventLine(id="event")
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        """Show the news, and what time it is."""
        self.session.news.subscribe(self, self.heed)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._chrome)

    def heed(self, news: News) -> None:
        """Something that is shown here has changed."""
        if news in ("state", "identity", "event", "journal"):
            self._chrome()
            self.write()

    def _tick(self) -> None:
        self.session.connection.heed_time()
        self.query_one(IdentityLine).tell(self.session)

    def _chrome(self) -> None:
        self.query_one(IdentityLine).tell(self.session)
        self.query_one(EventLine).tell(self.session.news, self.query_one("#event-above", Line))
        self.tell_hints()

    def tell_hints(self) -> None:
        """The keys that act now."""
        labels, idle = dict(self.labels()), set[str]()
        if self.session.connection.safety.readonly:
            labels, idle = looking_only(self.PLACES, labels, (f"{self.PLACES[0]}.arm",))
        self.query_one(HintLine).tell((*self.PLACES, *places_of(self.focused)), labels, self.focused, idle)

    def places(self) -> tuple[str, ...]:
        """Where actions are found now."""
        return self.PLACES

    def on_descendant_focus(self) -> None:
        """Other keys act now."""
        self.tell_hints()

    def on_resize(self) -> None:
        """The request takes the room there is; in a low window the page is scrolled, what speaks against it stays."""
        self.call_after_refresh(self._chrome)
        self.call_after_refresh(self.write)

    def on_screen_resume(self) -> None:
        """In front again."""
        self.delay.covered()
        self.enable()

    def enable(self) -> None:
        """The order can be chosen, or not."""
        self.query_one(f"#{self.ORDER}", Choice).enable(self.delay.over and not self.why_not())

    # -- its fields and panes ---------------------------------------------------------------------------------------

    def reason_field(self) -> Field:
        """Where the reason is typed."""
        optional = "" if self.session.connection.safety.guarded else " (optional)"
        return Field("reason", id="reason", value=self._reason, hint=f"reason or ticket{optional}")

    def count_field(self) -> Iterable[Field]:
        """Where the number is typed, where that is asked for."""
        if self.counted:
            yield Field("count", id="count", pattern=r"[\d,. ]*", most=12, width=12)

    @property
    def counted(self) -> bool:
        """The number has to be typed."""
        return self.session.connection.safety.guarded

    @property
    def typed(self) -> tuple[str, str]:
        """The reason, and the number where that is asked for."""
        number = self.query_one("#count", Field).value if self.counted else ""
        return self.query_one("#reason", Field).value, number

    def lead_to_missing(self) -> None:
        """To the field that is required and that is empty; of both, the reason first."""
        if self.counted and not self.session.connection.why_no_orders():
            reason = self.query_one("#reason", Field)
            there = reason.value.strip() or not self.session.connection.safety.guarded
            (self.query_one("#count", Field) if there else reason).enter()

    def leave_fields(self) -> None:
        """Enter in the last field: to what is missing, or out of the fields, so that ``L`` is a key again.

        It never orders: what is missing refuses the order that is tried to say so, and out of the fields enter does
        nothing, however often it is pressed.
        """
        if self.why_not():
            self.confirm_order()
        else:
            self.set_focus(None)
            self.tell_hints()

    def write_progress(self, problem: str, progress: str, hidden: Sequence[str]) -> None:
        """Nothing can be shown yet, or it could not be read: the panes with these ids are not seen."""
        pane = self.query_one("#effects", Pane)
        pane.display = True
        pane.styles.height = 2 if problem else 1
        if problem:
            pane.show([Prose(inert(problem), "failed"), Prose("F tries again", "muted")])
        else:
            pane.show([Prose(progress, "muted")])
        for id in hidden:
            self.query_one(f"#{id}", Pane).display = False

    def show_panes(self, panes: Mapping[str, Sequence[Item]]) -> None:
        """Fill panes, by their ids; each gets as many lines as it needs, and one without text is not seen."""
        for id, items in panes.items():
            pane = self.query_one(f"#{id}", Pane)
            pane.display = any(not isinstance(item, Spans) or item.spans for item in items)
            pane.styles.height = max(len(items), 1)
            pane.show(list(items))
        warnings = self.query_one("#warnings", Pane)
        lines = int(warnings.styles.height.value) if warnings.display and warnings.styles.height is not None else 0
        self.query_one(".page").styles.max_height = max(self.size.height - FIXED - lines, 3)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_page_down(self) -> None:
        """The lines below, where the window is too low for the page."""
        self.query_one(".page").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """The lines above."""
        self.query_one(".page").scroll_page_up(animate=False)

    def action_next_field(self) -> None:
        """To the next field."""
        self.focus_next()

    def action_previous_field(self) -> None:
        """To the field before."""
        self.focus_previous()

    def action_arm(self) -> None:
        """Take the safety off for ten minutes, or put it back."""
        self.run_worker(self._arm(), group="order.arm", exclusive=True, exit_on_error=False)

    async def _arm(self) -> None:
        await take_safety_off_or_put_it_back(self.app, self.session)
        self.write()

    async def action_help(self) -> None:
        """The keys of this page."""
        await self.app.run_action("help")

    def action_cancel(self) -> None:
        """Order nothing."""
        self.dismiss(None)

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """Enter on a choice, or a click."""
        (self.action_cancel if message.choice.id == "cancel" else self.confirm_order)()

    # -- take away --------------------------------------------------------------------------------------------------

    def copy_command(
        self, command: Callable[[str], str], ids: Iterable[str] | None, at: datetime, what: str = "the command"
    ) -> None:
        """Copy the command that does the same.

        Args:
            command: writes it, with the name of a file of ids; empty where no command can do it.
            ids: those that no query names, which are written to a file; ``None`` where none are.
            at: as of when they are.
            what: what is copied, in words.
        """
        try:
            file = "" if ids is None else save_ids(sorted(ids), at)
        except OSError as problem:
            self.session.news.say(f"The ids cannot be written to a file: {problem.strerror}.", "failed")
            return
        if text := command(file):
            self.copy(text, what)
        else:
            self.session.news.say("The demo engine ends with this console, so no command can use it.", "muted")

    def copy(self, text: str, what: str) -> None:
        """Hand a text to the operator's clipboard."""
        self.run_worker(self._hand_out(text, what), group="order.copy", exit_on_error=False)

    async def _hand_out(self, text: str, what: str) -> None:
        if clipboard.fits(text):
            self.app.copy_to_clipboard(text)
        self.session.news.say(clipboard.said(what, text, await clipboard.keep(text)), "muted")
