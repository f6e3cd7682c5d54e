"""What the operator's journal tells a session: questions that may fail, and what an open journal raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeVar

from console.text.inert import inert

if TYPE_CHECKING:
    from console.session.session import Session
    from store.journal import Earlier, Journal

T = TypeVar("T")


def journal_problem() -> type[Exception]:
    """What reading and writing an open journal raises.

    It stands in ``except`` clauses, where it is called only when something was raised.
    """
    from sqlalchemy.exc import SQLAlchemyError  # 111 ms

    return SQLAlchemyError


def said_by_driver(problem: Exception) -> str:
    """What the driver of the journal said, in one harmless line."""
    return inert(str(getattr(problem, "orig", None) or problem).splitlines()[0])


async def ask_journal(session: Session, question: Callable[[Journal], Awaitable[T]], otherwise: T) -> T:
    """Ask the journal; where there is none, or it fails, the answer is ``otherwise``, and a failure is said."""
    journal = session.journal
    if journal is None:
        return otherwise
    try:
        return await question(journal)
    except journal_problem():
        session.say("The journal cannot be read or written any more: filters are not remembered.", "warning")
        return otherwise


async def launched(session: Session, ids: Collection[str]) -> Mapping[str, Earlier]:
    """The last launch of those of the tasks that were launched from here before, as far as the journal knows."""
    none: dict[str, Earlier] = {}
    return await ask_journal(session, lambda journal: journal.earlier(session.engine_name, ids), none)


async def retried(session: Session, ids: Collection[str]) -> Collection[str]:
    """Those of the tasks that were retried from here before, as far as the journal knows. A batch that still runs may
    not have come to its tasks: what it was launched for does not count yet."""
    running = {view.id for view in session.known_batches.running()}
    found = await launched(session, ids)
    return [id for id, launch in found.items() if launch.batch_id not in running]
