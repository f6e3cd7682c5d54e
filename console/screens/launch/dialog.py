"""The launch dialog: what would become of the tasks, the settings, and the exact request, on one page.

What it shows is counted once and frozen. Digits typed anywhere but in the reason go to the retries. Cancel has the
focus; ``L`` launches, and so does enter in the last field; the key that opened it does nothing inside.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from console.actions import at
from console.launch.plan import LaunchPlan
from console.reading.selection import Selection
from console.screens.base import looking_only, places_of
from console.screens.chrome import HintLine, IdentityLine
from console.screens.dialogs.choice import Choice
from console.screens.dialogs.field import Field
from console.screens.events.line import EventLine
from console.screens.launch.decision import Taking
from console.screens.launch.page import (
    drift_items,
    effect_spans,
    named,
    quiet_said,
    record_said,
    request_items,
    rival_items,
    sample_items,
    total_spans,
)
from console.screens.launch.questions import Gathering
from console.screens.launch.tick import Tick
from console.session.session import News, Session
from console.text.inert import inert
from console.text.words import clock, count, things
from console.widgets.bindings import bindings
from console.widgets.line import Line
from console.widgets.pane import Item, Pane, Prose, Spans
from store.contract.values import INT_MAX

DEFAULT = "1"
TOO_EARLY = "It was not counted yet when you pressed that: look, then press it again."
FIXED = 6
"""Lines around the panes: identity, news, keys, frame, choices."""


class LaunchDialog(Taking, Gathering):
    """Answers the order to launch, or nothing.

    Args:
        session: whose engine is asked.
        selection: what was chosen.
        retries: what stands in the field at first.
        reason: what stands in the field at first.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#cancel"
    PLACES: ClassVar[tuple[str, ...]] = ("launch",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"launch"}))

    def __init__(self, session: Session, selection: Selection, *, retries: int | None = None, reason: str = "") -> None:
        super().__init__()
        self.session = session
        self.selection = selection
        self.plan: LaunchPlan | None = None
        self._digits = DEFAULT if retries is None else str(retries)
        self._reason = reason
        self._every_task_meant = False
        self._hurried = None
        self._insisted = False
        self._too_early = False
        self._waiting = False

    def compose(self) -> ComposeResult:
        """One page, two choices."""
        yield IdentityLine(id="identity")
        with Vertical(classes="dialog"):
            yield Pane(id="effects")
            yield Tick(id="lowered")
            yield Tick(id="gone")
            yield Line(id="total")
            yield Field("retries", id="retries", value=self._digits, pattern=r"\d*", most=12, width=12, replaces=True)
            yield Field("reason", id="reason", value=self._reason, hint=self._reason_hint)
            if self.session.safety.guarded:
                yield Field("count", id="count", pattern=r"[\d,. ]*", most=12, width=12)
            yield Pane(id="request")
            yield Pane(id="sample")
            yield Pane(id="warnings")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice("Launch", "L", id="launch")
        yield Line(id="event-above")
        yield EventLine(id="event")
        yield HintLine(id="hints")

    @property
    def _reason_hint(self) -> str:
        return "why, and the number of the incident" + ("" if self.session.safety.guarded else " (may stay empty)")

    @property
    def retries(self) -> int | None:
        """The value in the field; nothing while it is empty or too large."""
        text = self.query_one("#retries", Field).value
        return int(text) if text and int(text) <= INT_MAX else None

    def on_mount(self) -> None:
        """Count first."""
        self.query_one(".dialog").border_title = f"Retry {inert(self.selection.describe())}"
        self.counting("counting what this would change …")
        self.query_one("#retries", Field).remark("attempts each task is given")
        self.session.news.subscribe(self, self._heed)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._chrome)
        self.gather()

    def counting(self, sentence: str) -> None:
        """Nothing can be shown yet."""
        pane = self.query_one("#effects", Pane)
        pane.styles.height = 1
        pane.show([Prose(sentence, "muted")])
        for id in ("request", "sample", "warnings"):
            self.query_one(f"#{id}", Pane).display = False
        self.query_one("#launch", Choice).enable(False)

    def failed(self, sentence: str) -> None:
        """It could not be counted."""
        self.query_one("#effects", Pane).styles.height = 2
        self.query_one("#effects", Pane).show([Prose(inert(sentence), "failed"), Prose("F tries again", "muted")])

    # -- around it --------------------------------------------------------------------------------------------------

    def _heed(self, news: News) -> None:
        if news in ("state", "identity", "event", "journal"):
            self._chrome()
            self.write()

    def _tick(self) -> None:
        self.session.heed_time()
        self.query_one(IdentityLine).tell(self.session)

    def _chrome(self) -> None:
        self.query_one(IdentityLine).tell(self.session)
        self.query_one(EventLine).tell(self.session.events, self.query_one("#event-above", Line))
        self._tell_hints()

    def _tell_hints(self) -> None:
        labels, idle = {"field.submit": "next field" if self._after() else "launch"}, set[str]()
        if self.session.safety.readonly:
            labels, idle = looking_only(self.PLACES, labels, ("launch.arm",))
        self.query_one(HintLine).tell((*self.PLACES, *places_of(self.focused)), labels, self.focused, idle)

    def places(self) -> tuple[str, ...]:
        """Where actions are found now."""
        return self.PLACES

    def on_descendant_focus(self) -> None:
        """Other keys act now."""
        self._tell_hints()

    def on_resize(self) -> None:
        """The request takes the room there is."""
        self.call_after_refresh(self._chrome)
        self.call_after_refresh(self.write)

    # -- what it says -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Show what is so now."""
        if self.facts is None:
            return
        lowered, gone = self.query_one("#lowered", Tick), self.query_one("#gone", Tick)
        retries = self.plan.retries if self.retries is None and self.plan is not None else self.retries or 0
        plan = self.plan = LaunchPlan(self.settled, retries, self.facts, self.roll, lowered.on, gone.on)
        lowered.tell(plan.lowered_class())
        gone.tell(plan.gone_class())
        self.query_one("#total", Line).show(total_spans(plan, self.again))
        self._head(plan)
        self._lay_out(plan)
        self.query_one("#retries", Field).remark(*self._retries_remark())
        if self.session.safety.guarded:
            self.query_one("#count", Field).remark(f"type {count(plan.count)} to launch on {inert(self._environment)}")
        self.query_one("#launch", Choice).enable(not self.why_not())
        self._keep_up(plan)

    @property
    def _environment(self) -> str:
        return self.session.identity.environment

    def _head(self, plan: LaunchPlan) -> None:
        frame = self.query_one(".dialog", Vertical)
        sample = plan.facts.sample
        what = inert(plan.describe())
        if plan.facts.asked == 1 and sample:
            frame.border_title = f"Retry {named(sample[0])}"
        else:
            frame.border_title = f"Retry {things(plan.count, 'task')}  ·  {what}"
        # A query is asked again by the engine when it is launched; only ids are what they were.
        frame.border_subtitle = f"{'frozen' if plan.by_ids else 'counted'} {clock(plan.facts.at)}"

    def _retries_remark(self) -> tuple[str, bool]:
        text = self.query_one("#retries", Field).value
        if text and int(text) > INT_MAX:
            return f"at most {INT_MAX:,} retries can be set", True
        return ("attempts each task is given", False) if text else ("type how many retries to set", True)

    def warnings(self, plan: LaunchPlan) -> list[Item]:
        """What should be read before launching."""
        said = plan.warnings()
        if plan.everything and not self._every_task_meant:
            said = ["This takes EVERY external task of the engine. Press E if that is meant."]
        items: list[Item] = [Prose(text, "warning", lines=1) for text in said]
        if self.unkept:
            waits = "Waiting for the journal; L again launches without writing it down."
            items.append(Prose(waits if self._waiting else self.unkept, "warning", lines=1))
        items += rival_items(self.rivals, plan.facts.asked)
        items += drift_items(plan, self.now_matching)
        if self.record is not None:
            bad = self.record.mostly_failed
            items.append(
                Prose(f"{'! ' if bad else ''}{record_said(self.record)}", "warning" if bad else "muted", lines=1)
            )
        if self.workerless:
            quiet = f"! no worker seen in 15 min on {quiet_said(self.workerless)}: retried tasks will sit and wait"
            items.append(Prose(quiet, "warning", lines=1))
        unsafe, missing = self.session.safety.why_not(), self.why_not() if self._insisted else ""
        if unsafe:
            items.append(Prose(unsafe, "warning", lines=1))
        if self._too_early:
            items.append(Prose(TOO_EARLY, "warning", lines=1))
        elif missing not in (unsafe, *said):
            items.append(Prose(missing, "warning", lines=1))
        return [item for item in items if not isinstance(item, Prose) or item.text]

    def _lay_out(self, plan: LaunchPlan) -> None:
        """Give every pane the lines it gets; the request shrinks first, then the sample."""
        width = self.query_one("#effects", Pane).size.width or 76
        effects: list[Item] = [Spans(tuple(effect_spans(effect))) for effect in plan.preview()]
        warnings = self.warnings(plan)
        fields = 3 if self.session.safety.guarded else 2
        ticks = sum(self.query_one(f"#{id}", Tick).display for id in ("lowered", "gone"))
        room = self.size.height - FIXED - len(effects) - ticks - 1 - fields - len(warnings)
        spaced = room >= 8
        blank: list[Item] = [Spans()] if spaced else []
        sample: list[Item] = sample_items(plan.facts.sample, datetime.now(UTC), min(3, room - 4 * spaced - 2))
        asked = min(room - 4 * spaced - len(sample), 12)
        request = request_items(plan, width, asked) if plan.ready and plan.count else []
        for id, items in (
            ("effects", [*effects]),
            ("request", [*blank, *request[: max(asked, 1)]]),
            ("sample", [*blank, *sample]),
            ("warnings", [*blank, *warnings]),
        ):
            pane = self.query_one(f"#{id}", Pane)
            pane.display = any(not isinstance(item, Spans) or item.spans for item in items)
            pane.styles.height = max(len(items), 1)
            pane.show(items)
        self.query_one("#total", Line).styles.margin = (0, 0, 1 if spaced else 0, 0)

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Digits go to the retries field, the first one replaces what stands there."""
        if event.character is None or event.character not in "0123456789":
            return
        event.stop()
        self.query_one("#retries", Field).type(event.character)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Something was typed into a field."""
        self.write()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter: to the next field that must be filled, or launch."""
        after = self._after()
        if after:
            after[0].enter()
        else:
            self.action_launch()

    def _after(self) -> list[Field]:
        """The fields after the one that is typed into that must be filled."""
        fields = [field for field in self.query(Field) if field.id != "reason" or self.session.safety.guarded]
        return fields[[field.active for field in fields].index(True) + 1 :] if any(f.active for f in fields) else []

    def on_tick_turned(self, message: Tick.Turned) -> None:
        """A group was taken in, or left out."""
        self.write()

    def action_include(self) -> None:
        """Take the group in, or leave it out: the one that has the focus, or the only one."""
        ticks = [tick for tick in self.query(Tick) if tick.display]
        chosen = [tick for tick in ticks if tick.has_focus] or (ticks if len(ticks) == 1 else [])
        if chosen:
            chosen[0].action_turn()
        elif ticks:
            self.set_focus(ticks[0])

    def action_next_field(self) -> None:
        """To the next field."""
        self.focus_next()

    def action_previous_field(self) -> None:
        """To the field before."""
        self.focus_previous()

    def action_freeze(self) -> None:
        """Count and read again."""
        self._every_task_meant = False
        self.counting("counting again …")
        self.gather()

    def action_every_task(self) -> None:
        """Yes, every task of the engine is meant."""
        self._every_task_meant = True
        self.write()

    def action_cancel(self) -> None:
        """Launch nothing."""
        self.dismiss(None)

    def on_choice_taken(self, message: Choice.Taken) -> None:
        """Enter on a choice, or a click."""
        if message.choice.id == "launch":
            self.action_launch()
        else:
            self.action_cancel()
