"""What is known about earlier retries of the tasks in a group: from the engine's history and the operator's journal."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from retriage.console.causes.retried_before import known_to_history, known_to_journal
from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.incidents.panes import Back

if TYPE_CHECKING:
    from retriage.console.causes.groups import Group
    from retriage.console.causes.open_incidents import OpenIncidents
    from retriage.console.session.session import Session
    from retriage.store.journal import Launch

LAUNCHES = 20
"""Launches of the journal that are looked up, the latest."""
EVERY = 30.0
"""Seconds between two looks at history and journal, at least."""


class RetriedBefore:
    """Asks, and counts group by group.

    Args:
        session: whose engine and journal are asked.
    """

    def __init__(self, session: Session) -> None:
        self.known = False
        """Somebody could tell."""
        self._session = session
        self._launched_by: dict[str, int] = {}
        self._launches: dict[int, Launch] = {}
        self._found_at = -inf
        self._counted: dict[str, tuple[int, int, int, list[Back]]] = {}

    @property
    def overdue(self) -> bool:
        """It is long ago that anybody was asked."""
        return time.monotonic() - self._found_at > EVERY

    async def find(self, incidents: OpenIncidents) -> None:
        """Ask history and journal which tasks of the incidents were retried before."""
        session, again = self._session, incidents.groups.again
        with suppress(EngineProblem):
            again.update(
                await known_to_history(
                    lambda query, first, size: session.connection.ask(
                        lambda client: client.historic_incidents(query, first, size)
                    )
                )
            )
            self.known = self.known or session.connection.history_tells
        journal, name = session.memory.journal, session.memory.engine_name
        if journal is not None:
            # What an undo took the retries from has an incident again, and no failure.
            again.difference_update(
                await known_to_journal(lambda ids: journal.undone(name, ids), incidents.groups.members())
            )
            self._launched_by = await known_to_journal(
                lambda ids: journal.earlier(name, ids), incidents.groups.members()
            )
            again.update(self._launched_by)
            for number in sorted(set(self._launched_by.values()), reverse=True)[:LAUNCHES]:
                launch = await journal.launch(number)
                if launch is not None:
                    self._launches[number] = launch
            self.known = True
        self._counted.clear()
        self._found_at = time.monotonic()

    def forget(self) -> None:
        """Other groups will be asked about."""
        self._counted.clear()

    def count(self, group: Group, incidents: OpenIncidents) -> int | None:
        """How many members failed again after a retry; nothing where nobody could tell."""
        return self._of(group, incidents)[2] if self.known or incidents.groups.again else None

    def back(self, group: Group, incidents: OpenIncidents) -> list[Back]:
        """Launches of this console whose tasks have failed again in this group, the latest first."""
        return self._of(group, incidents)[3]

    def _of(self, group: Group, incidents: OpenIncidents) -> tuple[int, int, int, list[Back]]:
        again = incidents.groups.again
        found = self._counted.get(group.key)
        if found is None or found[:2] != (group.version, len(again)):
            failed = group.failed()
            number = sum(id in again for id in failed)
            found = self._counted[group.key] = (group.version, len(again), number, self._back(failed))
        return found

    def _back(self, failed: list[str]) -> list[Back]:
        here = Counter(launch for id in failed if (launch := self._launched_by.get(id)) is not None)
        known = [self._launches[number] for number in sorted(here, reverse=True) if number in self._launches]
        return [Back(launch.id, launch.began_at, launch.tasks, here[launch.id]) for launch in known]
