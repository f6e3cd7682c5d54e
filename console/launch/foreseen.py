"""What will not work about a launch on this engine, said before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.engine.history_level import what_is_lost
from retriage.console.engine.rights import READ_BATCHES
from retriage.console.launch.split_by_ids import said_of_parts

if TYPE_CHECKING:
    from retriage.console.launch.plan import LaunchPlan
    from retriage.console.session.connection import Connection


def foreseen(connection: Connection, plan: LaunchPlan) -> list[str]:
    """A sentence for each thing that the operator should know beforehand, the worst one first.

    Args:
        connection: what is known of the user's rights and of the engine's history.
        plan: what would be sent.
    """
    rights = connection.rights
    said = [rights.why_no_launch()]
    if rights.lacks(READ_BATCHES):
        said.append("This user cannot read batches (READ on Batch): the batch will not be seen here, only its tasks.")
    said.append(said_of_parts(plan, connection.most_ids))
    said.append(what_is_lost(connection.history_level, rights))
    return [sentence for sentence in said if sentence]
