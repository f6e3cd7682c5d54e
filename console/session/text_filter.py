"""A filter as it was typed, and the rows of a list that match it: what the console itself looks for included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from console.language import matcher, parse, remembers, subject_on
from console.session import journal_answers

if TYPE_CHECKING:
    from console.session.session import Session

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
        table = subject_on(subject, session.capabilities)
        parsed = parse(text, table, session.now())
        if parsed.mistakes:
            raise NotAFilter(parsed.mistakes[0].sentence)
        self._session = session
        self._remembered = remembers(parsed.conditions, table)
        self._retried: set[str] = set()
        self._wanted = matcher(parsed.conditions, table, session.now(), self._retried)
        self.query: Any = parsed.query
        """What the engine is asked."""

    async def kept(self, rows: Sequence[R]) -> list[R]:
        """Those of the rows that match, in their order."""
        if self._remembered:
            ids = [row.id for row in rows]  # type: ignore[attr-defined]
            self._retried.update(await journal_answers.retried(self._session, ids))
        return list(filter(self._wanted, rows))
