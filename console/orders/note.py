"""Writing a note on incidents, which the engine calls an annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.orders.each import order_each
from retriage.console.orders.order import Order, Report
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retriage.console.session.session import Session


async def write_note(ids: Sequence[str], note: str | None, replaced: int) -> Order:
    """An order that writes a note on each incident.

    Args:
        ids: the incidents.
        note: the text; nothing takes the notes that are there away.
        replaced: how many notes are there already.
    """
    sentences = [note or "(no note)", f"It is written on {things(len(ids), 'incident')}, one after the other."]
    if replaced:
        sentences.append(f"{things(replaced, 'note')} there already will be replaced.")

    async def send(session: Session) -> Report:
        return await _written(session, ids, note)

    return Order(
        "Write this note?" if note else "Remove the notes?",
        sentences,
        "Write" if note else "Remove",
        send,
        len(ids),
        key="W",
    )


async def _written(session: Session, ids: Sequence[str], note: str | None) -> Report:
    """Write it, and say how far that is; incidents that have closed meanwhile are counted.

    The report says that something was changed if the engine took the note for some of them and was there to the end.
    """
    all_of_them = things(len(ids), "incident")
    results = await order_each(
        session,
        ids,
        lambda client, id: client.annotate_incident(id, note),
        lambda done: session.news.say(f"The note is written on {count(done)} of {all_of_them} …"),
    )
    left = results.refused + results.left
    rest = f"; {things(left, 'incident')} left out: closed meanwhile, or refused" if left else ""
    rest += f"; {things(results.unknown, 'incident')} not known" if results.unknown else ""
    what = "written on" if note is not None else "removed from"
    said = f"The note was {what} {things(results.done, 'incident')}{rest}."
    return Report(said, "warning" if rest else "good", changed=results.done > 0 and not results.left)
