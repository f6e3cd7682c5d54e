"""One incident in full, with the stack trace of what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.reading.screen import ReadingScreen
from console.screens.session import Session
from console.screens.words import day
from console.widgets.inert import inert
from console.widgets.pane import Fact, Item

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.records import Incident


class IncidentDetail(ReadingScreen):
    """An incident with its message and the details of the task or job that failed."""

    VIEW = "incidents"
    HEADING = "What was said when it failed"

    def __init__(self, session: Session, incident: Incident) -> None:
        super().__init__(session, f"Incident {inert(incident.id)}", incident.id)
        self._incident = incident

    def facts(self) -> list[Item]:
        """Every field of the incident."""
        incident = self._incident
        fields: list[tuple[str, str | None]] = [
            ("type", incident.incident_type),
            ("failed", incident.configuration),
            ("activity", incident.activity_id),
            ("process", incident.process_definition_id),
            ("instance", incident.process_instance_id),
            ("since", day(incident.incident_timestamp)),
            ("tenant", incident.tenant_id),
            ("jobs of", incident.job_definition_id),
            ("note", incident.annotation),
        ]
        return [Fact(label, inert(text), lines=2) for label, text in fields if text]

    async def text(self, client: EngineClient) -> str:
        """The message, then the details of the task or the stack trace of the job."""
        incident = self._incident
        message = incident.incident_message or "(no message)"
        if incident.configuration is None:
            return message
        ask = client.error_details if incident.incident_type == "failedExternalTask" else client.job_stacktrace
        details = await ask(incident.configuration)
        if not details:
            return f"{message}\n\nThere are no details."
        return details if details.startswith(message) else f"{message}\n\n{details}"
