"""The ways between screens: from a noun to its list and its detail, and from a row to what belongs to it elsewhere.

Which screen shows what is said in one table, :mod:`retriage.console.screens.nouns`; screens know only this file, and so
need not import one another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, runtime_checkable

from retriage.console.engine.errors import EngineProblem
from retriage.console.engine.rights import READ_BATCH_HISTORY, UNSEEN_ENDS
from retriage.console.language import write
from retriage.console.text.inert import inert
from retriage.console.text.words import short
from retriage.store.contract.queries import IncidentQuery

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from retriage.console.session.session import Session
    from retriage.store.contract.queries import Query

Noun = Literal["task", "incident", "instance", "batch", "job", "launch", "run"]
Details = Mapping[Noun, Callable[["Session", Any], "Screen[None]"]]
"""Noun -> the screen about one thing, made from the session and the thing's record."""
Lists = Mapping[str, Callable[["Session"], "Screen[None]"]]
"""View -> its list."""


@dataclass(frozen=True)
class Jump:
    """How a view came to show what it shows.

    Attributes:
        origin: the view that was left.
        text: the filter that was asked for.
        before: the filter that the view had.
    """

    origin: str
    text: str
    before: str


@runtime_checkable
class FilteredView(Protocol):
    """A list that can be jumped to."""

    @property
    def filter_text(self) -> str:
        """What it shows now."""
        ...

    @property
    def is_mounted(self) -> bool:
        """It can be told what to show."""
        ...

    def jump_to(self, jump: Jump) -> None:
        """Show what a jump asks for."""
        ...

    def call_after_refresh(self, callback: Callable[[], object]) -> bool:
        """Call when it has been drawn."""
        ...


@runtime_checkable
class GroupedView(Protocol):
    """A list of groups in which one can be pointed at."""

    def point_at(self, key: str) -> None:
        """Put the cursor on a group as soon as it is read."""
        ...


class Views(Protocol):
    """What has views to go to: the application."""

    def view(self, name: str) -> None:
        """Go to a view."""
        ...


class Navigator:
    """Opens screens by what they show.

    Args:
        app: shows them.
        session: what they share.
        details: the table of details.
    """

    def __init__(self, app: App[None], session: Session, details: Details) -> None:
        self._app = app
        self._session = session
        self._details = details

    def show(self, noun: Noun, record: object) -> None:
        """Show one thing in full.

        Args:
            noun: what it is.
            record: the thing: a record of the contract, or what the console keeps of it.
        """
        self._app.push_screen(self._details[noun](self._session, record))

    async def show_batch(self, batch_id: str) -> None:
        """Show a batch, running or ended, or say that the engine does not know it any more. Must run in a worker.

        Its page never opens on top of what was gone to while the batch was read: where it is to be seen is said then.
        """
        known, front = self._session.watch.known_batches, self._app.screen
        view = known.get(batch_id)
        if view is None:
            with suppress(EngineProblem):
                known.expect(batch_id)
                await self._session.connection.ask(known.read)
                view = known.get(batch_id)
        if view is None:
            rights, which = self._session.connection.rights, inert(short(batch_id))
            gone = f"The engine no longer knows batch {which}."
            if rights.lacks(READ_BATCH_HISTORY):
                gone = f"Batch {which} does not run, and {UNSEEN_ENDS}."
            self._session.news.say(rights.unseen("batches") or gone, "warning")
        elif self._app.screen is front:
            self.show("batch", view)
        else:
            self.say_where(batch_id)

    def say_where(self, *batch_ids: str) -> None:
        """Say where batches are to be seen whose page did not open: the operator has gone elsewhere."""
        which = f"Batch {inert(short(batch_ids[0]))}" if len(batch_ids) == 1 else f"These {len(batch_ids)} batches"
        self._session.news.say(f"{which} can be seen in view 4; this screen stays in front.", "muted")

    async def show_incident_of(self, what: str, configuration: str) -> None:
        """Show the open incident of a job or of an external task, or say that it has none. Must run in a worker.

        Args:
            what: what failed, in a word.
            configuration: its id.
        """
        query = IncidentQuery(configuration=configuration)
        try:
            found = await self._session.connection.ask(lambda client: client.incidents(query, 0, 1))
        except EngineProblem as problem:
            self._session.news.say(problem.sentence, "failed")
            return
        if found:
            self.show("incident", found[0])
        else:
            self._session.news.say(f"{what} {inert(short(configuration))} has no open incident.", "muted")

    # -- to another view --------------------------------------------------------------------------------------------

    def jump(self, view: str, query: Query) -> None:
        """Go to a view, and let it show what matches a query; ``esc`` there leads back, to the screen in front now."""
        text = write(query, view)
        origin = self._app.current_mode
        self._view(view)
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        screen = self._app.screen
        assert isinstance(screen, FilteredView)

        def show() -> None:
            screen.jump_to(Jump(origin, text, screen.filter_text))
            self._session.news.say(f"esc leads back to {origin}.", "muted")

        if screen.is_mounted:
            show()
        else:
            screen.call_after_refresh(show)

    def show_cause(self, key: str) -> None:
        """Go to the incidents by cause, the cursor on one of them; ``esc`` there leads back.

        Args:
            key: name of the group.
        """
        self.jump("incidents", IncidentQuery())
        screen = self._app.screen
        assert isinstance(screen, GroupedView)
        screen.point_at(key)

    def back(self, jump: Jump) -> None:
        """Go to where a jump came from."""
        self._view(jump.origin)

    def _view(self, name: str) -> None:
        cast("Views", self._app).view(name)


class HasNavigator(Protocol):
    """An application that leads to its screens."""

    @property
    def navigator(self) -> Navigator:
        """The ways between them."""
        ...


def navigator_of(app: App[Any]) -> Navigator:
    """The navigator of the application that a screen belongs to."""
    return cast("HasNavigator", app).navigator
