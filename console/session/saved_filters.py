"""Filters that the operator used or gave a name to, kept in the journal. Without a journal nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.session.journal_answers import ask_journal

if TYPE_CHECKING:
    from console.session.session import Session
    from store.journal import Journal, SavedQuery

LATELY = 50
"""Filters used lately that can be had again."""


async def used(session: Session, subject: str) -> list[str]:
    """Filters used lately on this engine, the newest first."""
    return await ask_journal(session, lambda journal: journal.recent(session.engine_name, subject, LATELY), [])


async def remember(session: Session, subject: str, text: str) -> None:
    """Put a filter on top of those used lately."""
    await ask_journal(session, lambda journal: journal.remember(session.engine_name, subject, text), None)


async def saved(session: Session, subject: str) -> Sequence[SavedQuery]:
    """Filters with a name."""
    return await ask_journal(session, lambda journal: journal.saved_queries(session.engine_name, subject), [])


async def save(session: Session, subject: str, name: str, text: str) -> bool:
    """Give a filter a name; answers whether it is kept."""

    async def kept(journal: Journal) -> bool:
        await journal.save_query(session.engine_name, subject, name, text)
        return True

    return await ask_journal(session, kept, False)


async def forget(session: Session, subject: str, name: str) -> bool:
    """Take a name away; answers whether it is gone."""

    async def gone(journal: Journal) -> bool:
        await journal.forget_query(session.engine_name, subject, name)
        return True

    return await ask_journal(session, gone, False)
