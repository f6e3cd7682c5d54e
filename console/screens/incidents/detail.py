"""One incident in full, with the stack trace of what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.causes.group_members import GroupMember
from retriage.console.engine.errors import NotThere
from retriage.console.screens.incidents.verbs import IncidentVerbs
from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import day
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.pane import Fact, Item, Pane
from retriage.store.contract.queries import IncidentQuery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import Incident


class IncidentDetail(ReadingScreen):
    """An incident with its message and the details of the task or job that failed.

    Args:
        session: the console's session.
        incident: the record of the engine, or what a group remembers of it; the rest is then asked for.
    """

    VIEW = "incidents"
    PLACES: ClassVar[tuple[str, ...]] = ("incident", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"incident"}))
    HEADING = "What was said when it failed"

    def __init__(self, session: Session, incident: Incident | GroupMember) -> None:
        super().__init__(session, f"Incident {inert(incident.id)}", incident.id, self.text)
        self._incident = incident
        self.attach(IncidentVerbs(self, lambda: self._incident))

    def facts(self) -> list[Item]:
        """Every field of the incident that is known."""
        incident = self._incident
        fields: list[tuple[str, str | None]] = [
            ("type", incident.incident_type),
            ("failed", incident.configuration),
            ("activity", incident.activity_id),
            ("process", incident.process_definition_id),
            ("instance", incident.process_instance_id),
            ("since", day(incident.incident_timestamp)),
            ("tenant", getattr(incident, "tenant_id", None)),
            ("jobs of", getattr(incident, "job_definition_id", None)),
            ("note", incident.annotation),
        ]
        return [Fact(label, inert(text), lines=2) for label, text in fields if text]

    async def text(self, client: EngineClient) -> str:
        """The message, then the details of the task or the stack trace of the job."""
        closed = not await self._complete(client)
        incident = self._incident
        said = "This incident has closed meanwhile. It said:\n\n" if closed else ""
        message = said + (incident.incident_message or "(no message)")
        ask = {"failedExternalTask": client.error_details, "failedJob": client.job_stacktrace}
        if incident.configuration is None or incident.incident_type not in ask:
            return message
        details = await self._details(ask[incident.incident_type], incident.configuration)
        if not details:
            return f"{message}\n\n{self.session.connection.identity.said_of_none('There are no details.')}"
        return details if not closed and details.startswith(message) else f"{message}\n\n{details}"

    async def _details(self, ask: Callable[[str], Awaitable[str | None]], id: str) -> str | None:
        try:
            return await ask(id)
        except NotThere:
            return "What failed is gone, and its details with it."

    async def _complete(self, client: EngineClient) -> bool:
        """Ask for what a group does not remember; false when the incident is not open any more."""
        if not isinstance(self._incident, GroupMember):
            return True
        found = await client.incidents(IncidentQuery(incident_id=self._incident.id), 0, 1)
        if found:
            self._incident = found[0]
            self.query_one("#facts", Pane).show(self.facts())
        return bool(found)
