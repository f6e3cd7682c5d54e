"""What stands on every screen: who we are on line 1, the views on line 2, news and keys on the last two lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.actions import hints, shown
from retriage.console.nouns import VIEWS
from retriage.console.session.poller import USUAL_PACE, soonest
from retriage.console.text.inert import inert
from retriage.console.text.words import count, roughly, span, times
from retriage.console.widgets.line import Line, Span, width_of

if TYPE_CHECKING:
    from textual.widget import Widget

    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.console.session.freshness import Freshness
    from retriage.console.session.safety import Safety
    from retriage.console.session.session import Session

SMALLEST = (60, 15)
"""Columns and lines below which the console shows one sentence and takes no keys."""

_NO_COUNTS: Mapping[str, int] = {}

AGE_SHOWN = 10
"""Seconds after which the age of the data is news; below, line 1 shows the answer time only."""
COUNTS_OLD = 75
"""The same for the numbers of the views, which are counted every half a minute, one after the other."""
OPENING: list[Span] = [("opening", "muted")]
"""How the data is before the engine is open."""
OPENING_ENGINE = "opening the engine …"
"""What stands in the place of the rows until then."""


def _width(line: Line) -> int:
    """The cells of a line of the chrome; before it is laid out, those of the window."""
    return line.size.width or line.app.size.width


class IdentityLine(Line):
    """Environment, what the engine is called, its own name where that is another, kind, address, user; on the right
    safety, whether the data is live, the time of day.

    Where there is no room the address goes first, then the engine's own name, then the kind; what is left is cut on its
    right end only. What it is called always stands there: the dialog that takes the safety off asks for it.
    """

    def tell(self, session: Session, view: Freshness | None = None) -> None:
        """Show what is so now.

        Args:
            session: whose engine it is about.
            view: what became of the last question of the view in front; none where it asks nothing of its own.
        """
        self._show(session.connection.identity, session.connection.safety, self._health(session, view))

    def introduce(self, identity: ConnectionIdentity, safety: Safety) -> None:
        """Show what is so before the engine is opened.

        Args:
            identity: what is known of the engine.
            safety: whether it can be changed from here.
        """
        self._show(identity, safety, OPENING)

    def _show(self, identity: ConnectionIdentity, safety: Safety, health: list[Span]) -> None:
        right = [(" ", ""), *safety_said(safety), *health, (f"  {_minute()} ", "muted")]
        room = _width(self) - width_of(right)
        for left in _lefts(identity, safety):
            if width_of(left) <= room:
                break
        self.show(left, right)

    def _health(self, session: Session, view: Freshness | None) -> list[Span]:
        if session.connection.failed_to_open:
            return [("NO ENGINE", "failed")]
        if session.connection.client is None:
            return OPENING
        if session.connection.identity.stands_at is not None:
            return [(f"AS OF {session.connection.identity.stands_at:%H:%M}Z", "warning")]
        seconds = session.connection.state.age if view is None or view.age is None else view.age
        lost, own = session.connection.state.problem, view.problem if view is not None else None
        if session.connection.state.silent:
            said: list[Span] = [
                (f"STALE {span(seconds)}", "failed"),
                (f" {lost.brief}" if lost else " no answer", "failed"),
            ]
            return [*said, (_again(None if session.connection.state.held else _soonest()), "muted")]
        if own is not None and view is not None:
            rests = None if session.watch.paused else view.rests()
            return [(f"STALE {span(seconds)} {own.brief}", "failed"), (_again(rests), "muted")]
        if session.watch.paused:
            return [(f"PAUSED {span(seconds)}", "warning")]
        if view is not None and view.age is None:
            return [("reading", "muted")]
        age = f" {span(seconds)}" if seconds >= max(AGE_SHOWN, session.watch.pace + 2) else ""
        if session.watch.pace != USUAL_PACE:
            age += f" every {session.watch.pace:g}s"
        pace = session.connection.demo.handle.pace if session.connection.demo is not None else None
        if pace is not None and pace.factor != 1:
            age += f" batches {times(pace.factor)}"
        trip = session.connection.round_trip
        latency = f" {max(round(trip * 1000), 1)}ms" if trip is not None else ""
        return [("● ", "good"), ("LIVE", "good"), (age, "warning"), (latency, "muted")]


_GAP: Span = ("  ", "")


def _lefts(identity: ConnectionIdentity, safety: Safety) -> Iterable[list[Span]]:
    """The left part of line 1, in full and shorter and shorter."""
    word: Span = (f" {inert(identity.environment)} ", "chip" if safety.guarded else "accent")
    called = identity.called
    name: Span = (inert(called) if called != identity.environment else "", "strong")
    engine: Span = (inert(identity.engine) if identity.engine not in (called, "default") else "", "")
    kind: Span = (inert(identity.kind), "")
    user: Span = (inert(identity.user), "muted")
    url = identity.url.partition("://")[2] or identity.url
    # Where it is called by its host the rest of the address follows at once, so that the host stands there once.
    path = url.removeprefix(called) if url.startswith(called) else ""
    address: Span = ("" if path else inert(url), "muted")
    for whole, told in (
        (True, (engine, kind, address, user)),
        (True, (engine, kind, user)),
        (False, (engine, kind, user)),
        (False, (kind, user)),
        (False, (user,)),
    ):
        said = [word, *((_GAP, name) if name[0] else ())]
        said += [(inert(path), "muted")] if path and whole else []
        yield said + [part for text, ink in told if text for part in (_GAP, (text, ink))]


def safety_said(safety: Safety) -> list[Span]:
    """Whether the engine can be changed from here, with a gap behind it; nothing where there is no safety."""
    if safety.readonly:
        return [("READ-ONLY", "good"), _GAP]
    if not safety.guarded:
        return []
    return [(f"ARMED {span(safety.left)}", "failed") if safety.armed else ("SAFE", "good"), _GAP]


def _soonest() -> float | None:
    return soonest()


def _again(seconds: float | None) -> str:
    """When it is asked again, as far as that happens by itself."""
    if seconds is None:
        return ", r asks"
    return f", again in {span(seconds)}" if seconds >= 1 else ", asking"


def _minute() -> str:
    """The time of day in UTC, to the minute: it costs a few bytes a minute only."""
    return f"{datetime.now(UTC):%H:%M}Z"


class TabLine(Line):
    """The views with their counts; the one in sight stands in brackets."""

    def tell(self, session: Session, view: str) -> None:
        """Show the counts that are known, in full where there is room."""
        part = {one.name for one in VIEWS if session.connection.rights.unseen(one.name)}
        old = session.watch.counts_age if session.connection.identity.stands_at is None else 0.0
        self.show_views(view, session.watch.counts, session.watch.failed_jobs, session.watch.run_told, part, old)

    def show_views(
        self,
        view: str,
        counts: Mapping[str, int] = _NO_COUNTS,
        failed_jobs: int = 0,
        run: Span = ("", ""),
        part: Collection[str] = (),
        old: float = 0.0,
    ) -> None:
        """Show the views, in full where there is room.

        Args:
            view: the one in sight.
            counts: rows by the name of a view, as far as they are known.
            failed_jobs: jobs with no retries left.
            run: the run that is at work or held, in a few words; empty if there is none.
            part: views of which the user sees a part only, however large: 3+, and ? where it sees none.
            old: seconds since the rows were counted; shown where that is longer than usual.
        """
        for written, gap, short in (
            (count, "  ", False),
            (count, " ", False),
            (count, " ", True),
            (count, "", True),
            (roughly, "", True),
            (_untold, "", True),
        ):
            spans = _tabs(view, counts, failed_jobs, written, gap, short, part)
            told, ink = run
            if told:
                spans += [(" 7 ", "muted"), (inert(told), ink)]
            if old >= COUNTS_OLD:
                spans.append((f"{span(old)} old", "warning"))
            if width_of(spans) <= _width(self):
                break
        self.show(spans)


def _untold(number: int) -> str:
    """No number: there is room for the names alone."""
    return ""


def _tabs(
    view: str,
    counts: Mapping[str, int],
    failed_jobs: int,
    written: Callable[[int], str],
    gap: str,
    short: bool,
    part: Collection[str],
) -> list[Span]:
    spans: list[Span] = [(" " if gap else "", "")]
    for digit, one in enumerate(VIEWS, 1):
        name = one.name
        number = counts.get(name)
        failed = failed_jobs if name == "jobs" else 0
        # The number of batches is of those that run; the view lists ended ones too.
        shown = "" if number is None or (name == "batches" and not number) else written(number)
        if name in part and number is not None:
            shown = f"{shown}+" if number else "?"
        here = name == view
        ends = ("[", "]") if here else (" ", " ")
        spans += [
            (ends[0], "accent"),
            (f"{digit} ", "accent" if here else "muted"),
            (one.short if short else one.title, "accent" if here else "muted"),
            (f" {shown}" if shown else "", "strong" if here else "muted"),
            (f" !{written(failed) or roughly(failed)}" if failed else "", "failed"),
            (ends[1] + gap, "accent"),
        ]
    return spans


class HintLine(Line):
    """The keys that matter here, most important first, cut on the right only.

    ``? help`` comes first and is never cut. Where text is typed only those keys are shown that do not write something.
    """

    def tell(
        self, places: Collection[str], labels: Mapping[str, str], focused: Widget | None, idle: Collection[str] = ()
    ) -> None:
        """Show the keys that act now.

        Args:
            places: where actions are found.
            labels: labels that say more than the table of actions, by the name of the action.
            focused: the widget that keys go to first.
            idle: names of actions that would do nothing now; they are left out.
        """
        spans: list[Span] = [] if _writes(focused, "question_mark") else [("?", "accent"), (" help", "muted")]
        for action in hints(places):
            keys = [key for key in action.present_keys if not key.startswith("ctrl+") and not _writes(focused, key)]
            if not keys or action.name in idle:
                continue
            key, label = shown(keys[0]), labels.get(action.name, action.label)
            more: list[Span] = [("  " if spans else "", ""), (key, "accent"), (f" {label}", "muted")]
            if 1 + width_of(spans) + width_of(more) > _width(self):
                break
            spans += more
        self.show([(" ", ""), *spans])


def _writes(focused: Widget | None, key: str) -> bool:
    """The key is a character that goes into the text which has the focus."""
    character = " " if key == "space" else shown(key)
    return focused is not None and len(character) == 1 and focused.check_consume_key(key, character)
