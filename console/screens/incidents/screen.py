"""Incidents, with the causes of the rows that are loaded."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from console.screens.incidents.detail import IncidentDetail
from console.screens.incidents.subject import Incidents
from console.screens.listing import ListScreen
from console.screens.session import Session
from console.screens.tasks.causes import cause_lines
from console.screens.words import things
from console.widgets.pane import Item, Prose, Spans
from console.widgets.rows import Row

CAUSE = 5
"""The column of the folded cause."""
MOST_CAUSES = 6


class IncidentsScreen(ListScreen):
    """Open incidents."""

    VIEW: ClassVar[str] = "incidents"

    def __init__(self, session: Session) -> None:
        super().__init__(session, Incidents())

    def details(self, row: Row) -> list[Item]:
        """The incident, and how often its cause and others occur among the rows that are loaded."""
        items = super().details(row)
        if self.narrow:
            return items
        loaded = self.table.loaded()
        causes = Counter(row.cells[CAUSE].text for row in loaded).most_common()
        heading = Prose(f"causes of the {things(len(loaded), 'row')} read so far", "muted")
        return [*items, Spans(), heading, *cause_lines(causes, MOST_CAUSES)]

    def open_row(self, row: Row) -> None:
        """The incident in full."""
        self.app.push_screen(IncidentDetail(self.session, row.item))
