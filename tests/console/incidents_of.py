"""Incidents made for tests, and an engine that answers questions about them by the contract's rules."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def incident(
    number: int,
    message: str | None = "HTTP 503 from psp",
    *,
    type: str = "failedExternalTask",
    at: datetime | None = None,
    note: str | None = None,
    activity: str = "Charge",
    cause: str | None = None,
    configuration: str | None = "",
) -> Incident:
    """An incident; later numbers are later ones, a second apart."""
    id = f"i-{number}"
    return Incident(
        id=id,
        process_definition_id=f"Order:{1 + number % 2}:abc",
        process_instance_id=f"pi-{number}",
        execution_id=f"e-{number}",
        incident_timestamp=at or NOON + timedelta(seconds=number),
        incident_type=type,
        activity_id=activity,
        cause_incident_id=cause or id,
        root_cause_incident_id=cause or id,
        configuration=f"t-{number}" if configuration == "" else configuration,
        incident_message=message,
        tenant_id=None,
        job_definition_id=None,
        annotation=note,
    )


class Incidents:
    """The open incidents of an engine. ``closing`` says what closes just before a page is read."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        self.open = {one.id: one for one in incidents}
        self.asked: list[tuple[IncidentQuery, int, int]] = []
        self.closing: dict[int, list[str]] = {}
        self.failing: set[int] = set()
        self.deaf = False
        """It passes over the times that it is asked for."""

    async def read(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        from retriage.console.engine.errors import Unreachable

        number = len(self.asked)
        self.asked.append((query, first, size))
        for id in self.closing.get(number, ()):
            self.open.pop(id, None)
        if number in self.failing:
            raise Unreachable("The engine does not answer.")
        return self._matching(query)[first : first + size]

    async def count(self, query: IncidentQuery) -> int:
        return len(self._matching(query))

    def _matching(self, query: IncidentQuery) -> list[Incident]:
        before, after = query.incident_timestamp_before, query.incident_timestamp_after
        found = [
            one
            for one in self.open.values()
            if self.deaf
            or (
                (before is None or one.incident_timestamp < before)
                and (after is None or one.incident_timestamp > after)
            )
        ]
        return sorted(found, key=lambda one: (one.incident_timestamp, one.id), reverse=query.sort_order == "desc")
