"""Filters that the operator used or gave a name to, kept in the journal. Without a journal nothing is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from console.session.session import Session
    from store.journal import Earlier, Journal, SavedQuery

T = TypeVar("T")
LATELY = 50
"""Filters used lately that can be had again."""


async def used(session: Session, subject: str) -> list[str]:
    """Filters used lately on this engine, the newest first."""
    return await ask_journal(session, lambda journal: journal.recent(session.engine_name, subject, LATELY), [])


async def remember(session: Session, subject: str, text: str) -> None:
    """Put a filter on top of those used lately."""
    await ask_journal(session, lambda journal: journal.remember(session.engine_name, subject, text), None)


async def launched(session: Session, ids: Collection[str]) -> Mapping[str, Earlier]:
    """The last launch of those of the tasks that were launched from here before, as far as the journal knows."""
    none: dict[str, Earlier] = {}
    return await ask_journal(session, lambda journal: journal.earlier(session.engine_name, ids), none)


async def retried(session: Session, ids: Collection[str]) -> Collection[str]:
    """Those of the tasks that were retried from here before, as far as the journal knows. A batch that still runs may
    not have come to its tasks: what it was launched for does not count yet."""
    running = {view.id for view in session.book.running()}
    found = await launched(session, ids)
    return [id for id, launch in found.items() if launch.batch_id not in running]


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


async def ask_journal(session: Session, question: Callable[[Journal], Awaitable[T]], otherwise: T) -> T:
    """Ask the journal; where there is none, or it fails, the answer is ``otherwise``, and a failure is said."""
    journal = session.journal
    if journal is None:
        return otherwise
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return await question(journal)
    except SQLAlchemyError:
        session.say("The journal cannot be read or written any more: filters are not remembered.", "warning")
        return otherwise
