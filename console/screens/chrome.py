"""What stands on every screen: who we are on line 1, the views on line 2, news and keys on the last two lines."""

from collections.abc import Callable, Collection

from console.actions import hints
from console.screens.session import Session
from console.screens.words import count, roughly, span
from console.widgets.inert import inert
from console.widgets.line import Line, Span, width_of

VIEWS: tuple[tuple[str, str], ...] = (
    ("tasks", "Tasks"),
    ("incidents", "Incidents"),
    ("instances", "Instances"),
    ("batches", "Batches"),
    ("jobs", "Jobs"),
)
"""The views by name, in the order of their digits."""

AGE_SHOWN = 10
"""Seconds after which the age of the data is news; below, line 1 shows the answer time only."""


class IdentityLine(Line):
    """Environment, engine, kind, address; on the right whether the data is live. Cut on the right end only."""

    def tell(self, session: Session) -> None:
        """Show what is so now."""
        identity = session.identity
        left: list[Span] = [(f" {inert(identity.environment)} ", "chip")]
        for text, ink in ((identity.engine, "strong"), (identity.kind, ""), (identity.url, "muted"),
                          (identity.user, "muted")):  # fmt: skip
            if text:
                left += [("  ", ""), (inert(text), ink)]  # type: ignore[list-item]
        self.show(left, [(" ", ""), *self._health(session), (" ", "")])

    def _health(self, session: Session) -> list[Span]:
        if session.failed_to_open:
            return [("NO ENGINE", "failed")]
        if session.client is None:
            return [("opening", "muted")]
        if session.stale:
            return [(f"STALE {span(session.data_age)}", "failed")]
        if session.paused:
            return [(f"PAUSED {span(session.data_age)}", "warning")]
        age = f" {span(session.data_age)}" if session.data_age >= AGE_SHOWN else ""
        trip = session.round_trip
        latency = f" {max(round(trip * 1000), 1)}ms" if trip is not None else ""
        return [("● ", "good"), ("LIVE", "good"), (age, "warning"), (latency, "muted")]


class TabLine(Line):
    """The views with their counts; the one in sight stands in brackets."""

    def tell(self, session: Session, view: str) -> None:
        """Show the counts that are known, in full where there is room."""
        for written, gap in ((count, "  "), (count, " "), (roughly, "")):
            spans = self._tabs(session, view, written, gap)
            if width_of(spans) <= self.size.width:
                break
        self.show(spans)

    def _tabs(self, session: Session, view: str, written: Callable[[int], str], gap: str) -> list[Span]:
        spans: list[Span] = [(" " if gap else "", "")]
        for digit, (name, title) in enumerate(VIEWS, 1):
            number = session.counts.get(name)
            alarm = name == "jobs" and bool(number)
            shown = "" if number is None else f" {'!' if alarm else ''}{written(number)}"
            here = name == view
            ends = ("[", "]") if here else (" ", " ")
            spans += [
                (ends[0], "accent"),
                (f"{digit} ", "accent" if here else "muted"),
                (title, "accent" if here else "muted"),
                (shown, "failed" if alarm else "strong" if here else "muted"),
                (ends[1] + gap, "accent"),
            ]
        return spans


class EventLine(Line):
    """The last thing that happened, in one sentence."""

    def tell(self, session: Session, legend: str = "") -> None:
        """Show the newest event; before the first one, what the signs of this screen mean."""
        event = session.event
        if event is None:
            self.show([(f" {legend}", "muted")] if legend else [])
        else:
            self.show([(f" {event.clock}  ", "muted"), (inert(event.sentence), event.ink)])


class HintLine(Line):
    """The keys that matter here, most important first, cut on the right only. ``? help`` is never cut."""

    def tell(self, places: Collection[str], labels: dict[str, str]) -> None:
        """Show the keys of these places; ``labels`` replaces labels of single actions by name."""
        spans: list[Span] = [(" ?", "accent"), (" help", "muted")]
        width = self.size.width
        for action in hints(places):
            label = labels.get(action.name, action.label)
            key = action.shown_keys.split()[0]
            if sum(len(text) for text, _ in spans) + len(key) + len(label) + 3 > width:
                break
            spans += [("  ", ""), (key, "accent"), (f" {label}", "muted")]
        self.show(spans)
