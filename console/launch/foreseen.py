"""What will not work about a launch on this engine, said before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.session.session import Session


def foreseen(session: Session) -> list[str]:
    """A sentence for each thing that the operator should know beforehand, the worst one first.

    Args:
        session: what is known of the user's rights and of the engine's history.
    """
    from console.engine.history_level import what_is_lost
    from console.engine.rights import READ_BATCHES

    rights = session.rights
    said = [rights.why_no_launch()]
    if rights.lacks(READ_BATCHES):
        said.append("This user cannot read batches (READ on Batch): the batch will not be seen here, only its tasks.")
    said.append(what_is_lost(session.history_level))
    return [sentence for sentence in said if sentence]
