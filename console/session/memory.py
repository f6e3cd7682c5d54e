"""What the operator has done and chosen before: the journal, the filters kept in it, and the preferences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from retriage.console.journal import journal_problem
from retriage.console.reading.selection import Marked, Selection
from retriage.console.session.preferences import Preferences

if TYPE_CHECKING:
    from retriage.console.session.news import NewsFeed
    from retriage.store.journal import Earlier, Journal, SavedQuery

T = TypeVar("T")
LATELY = 50
"""Filters used lately that can be had again."""


@dataclass(frozen=True)
class UnsentLaunch:
    """The fields of a launch that was not sent, or refused.

    Attributes:
        selection: what it was for.
        retries: the number that it would have set.
        reason: why it was meant.
    """

    selection: Selection
    retries: int
    reason: str

    def meant_for(self, selection: Selection) -> bool:
        """Whether it was for the same, or at least for some of the same tasks: groups change meanwhile."""
        mine = self.selection
        if isinstance(mine, Marked) and isinstance(selection, Marked):
            return not mine.ids.isdisjoint(selection.ids)
        return mine == selection


class Memory:
    """What is remembered about one engine. Without a journal no filter and no launch is.

    Args:
        engine_name: the stable name under which the journal remembers the engine.
        news: carries what changes.
        preferences: what the operator has chosen to see, in this console and before.
    """

    def __init__(self, engine_name: str, news: NewsFeed, preferences: Preferences | None = None) -> None:
        self.engine_name = engine_name
        self.preferences = preferences or Preferences()
        self.journal: Journal | None = None
        """None until it is open, and where it could not be opened."""
        self.opens = False
        """The journal is not open yet, and may still be."""
        self.unkept = ""
        """Why a launch would not be written down now, in one sentence; empty if it would, or need not."""
        self.unsent: UnsentLaunch | None = None
        """The launch that was decided on last, if nothing came of it."""
        self.sending: set[int] = set()
        """Launches of the journal that are on their way from here."""
        self._news = news

    def await_journal(self) -> None:
        """A journal is being opened."""
        self.opens = True
        self.unkept = "The journal is not open yet: this launch would not be written down."

    def do_without_journal(self) -> None:
        """The journal could not be opened."""
        self.opens = False
        self.unkept = "There is no journal: this launch will not be written down."
        self._news.publish("journal")

    def keep_journal(self, journal: Journal) -> None:
        """From now on launches are written down."""
        self.journal, self.opens, self.unkept = journal, False, ""
        self._news.publish("journal")

    async def ask(self, question: Callable[[Journal], Awaitable[T]], otherwise: T) -> T:
        """Ask the journal; where there is none, or it fails, the answer is ``otherwise``, and a failure is shown."""
        if self.journal is None:
            return otherwise
        try:
            return await question(self.journal)
        except journal_problem():
            self._news.say("The journal cannot be read or written any more: filters are not remembered.", "warning")
            return otherwise

    async def earlier(self, ids: Collection[str]) -> Mapping[str, Earlier]:
        """The last launch of those of the tasks that were launched from here before, as far as the journal knows."""
        none: dict[str, Earlier] = {}
        return await self.ask(lambda journal: journal.earlier(self.engine_name, ids), none)

    # -- filters ----------------------------------------------------------------------------------------------------

    async def used(self, subject: str) -> list[str]:
        """Filters used lately on this engine, the newest first."""
        return await self.ask(lambda journal: journal.recent(self.engine_name, subject, LATELY), [])

    async def remember(self, subject: str, text: str) -> None:
        """Put a filter on top of those used lately."""
        await self.ask(lambda journal: journal.remember(self.engine_name, subject, text), None)

    async def saved(self, subject: str) -> Sequence[SavedQuery]:
        """Filters with a name."""
        return await self.ask(lambda journal: journal.saved_queries(self.engine_name, subject), [])

    async def save(self, subject: str, name: str, text: str) -> bool:
        """Give a filter a name; answers whether it is kept."""

        async def kept(journal: Journal) -> bool:
            await journal.save_query(self.engine_name, subject, name, text)
            return True

        return await self.ask(kept, False)

    async def forget(self, subject: str, name: str) -> bool:
        """Take a name away; answers whether it is gone."""

        async def gone(journal: Journal) -> bool:
            await journal.forget_query(self.engine_name, subject, name)
            return True

        return await self.ask(gone, False)
