"""A filter as it was typed, and the rows of a list that match it: what the console itself looks for included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from retriage.console.language import parse, remembers, subject_on
from retriage.console.reading.row_filter import RowFilter

if TYPE_CHECKING:
    from retriage.console.session.session import Session

R = TypeVar("R")


class NotAFilter(ValueError):
    """The text is no filter; the text of this is one sentence."""


class TextFilter:
    """A filter on the rows of a subject.

    Args:
        session: whose engine is asked, and whose journal remembers; its capabilities are known.
        subject: of the filter language.
        text: what was typed.

    Raises:
        NotAFilter: the text cannot be read.
    """

    def __init__(self, session: Session, subject: str, text: str) -> None:
        table = subject_on(subject, session.connection.capabilities)
        parsed = parse(text, table, session.connection.now())
        if parsed.mistakes:
            raise NotAFilter(parsed.mistakes[0].sentence)
        self._session = session
        self._wanted = RowFilter(parsed.conditions, table, session.watch.retried)
        self._finds = self._wanted.finds(session.connection.now())
        self.remembers = remembers(parsed.conditions, table)
        """Whether it asks what was retried before, which the journal tells."""
        self.query: Any = parsed.query
        """What the engine is asked."""

    async def kept(self, rows: Sequence[R]) -> list[R]:
        """Those of the rows that match, in their order.

        Raises:
            EngineProblem: what the rows do not tell was asked for, and the engine did not answer.
        """
        await self._wanted.learn(rows, self._session.connection.ask)
        return list(filter(self._finds, rows))
