"""Which tasks and jobs have failed once more after they were retried: as history knows, and as the operator's journal.

The engine keeps no such mark. But an incident that was resolved belongs to a task whose retries were raised; when that
task has an incident now, it has failed again. And a launch that was written down names its tasks and its time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol

from retriage.console.causes.group_members import GroupMember
from retriage.console.reading.incident_pages import IncidentPages
from retriage.console.reading.pages import pieces
from retriage.store.contract.history import HistoricIncident, HistoricIncidentQuery

MOST = 5_000
"""Resolved incidents that are looked at, the latest."""
SLICE = 5_000
"""Tasks that a journal is asked about at once."""


class EarlierLaunch(Protocol):
    """What a journal knows of the last launch of a task."""

    @property
    def launch_id(self) -> int:
        """Its number in the journal."""
        ...

    @property
    def began_at(self) -> datetime:
        """When it was sent."""
        ...


async def known_to_history(
    read: Callable[[HistoricIncidentQuery, int, int], Awaitable[list[HistoricIncident]]],
) -> set[str]:
    """Ids of tasks and jobs that were retried once, as far as the latest resolved incidents tell.

    Args:
        read: asks for a page of the history of incidents: query, rows to skip, most rows.

    Raises:
        EngineProblem: the engine did not answer, or keeps no such history.
    """
    found: set[str] = set()
    walk: IncidentPages[HistoricIncident] = IncidentPages(read, HistoricIncidentQuery(resolved=True))
    looked = 0
    while not walk.ended and looked < MOST:
        page = await walk.next()
        looked += len(page)
        found.update(incident.configuration for incident in page if incident.configuration)
    return found


async def known_to_journal(
    earlier: Callable[[Collection[str]], Awaitable[Mapping[str, EarlierLaunch]]], members: Collection[GroupMember]
) -> dict[str, int]:
    """Those members' tasks that were launched before their incident was raised, with the number of the launch.

    Args:
        earlier: asks for the last launches of some tasks.
        members: open incidents.
    """
    found: dict[str, int] = {}
    for some in pieces([member for member in members if member.kind == "T"], SLICE):
        raised = {str(member.configuration): member.incident_timestamp for member in some}
        launches = await earlier(raised)
        found |= {task: launch.launch_id for task, launch in launches.items() if launch.began_at <= raised[task]}
    return found
