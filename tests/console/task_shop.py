"""Tasks that workers fail and complete and somebody changes, and what an engine keeps of that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from retriage.console.engine.errors import Refused
from retriage.store.contract.deployments import ProcessDefinitionXml
from retriage.store.contract.history import (
    HistoricActivityInstance,
    HistoricActivityInstanceQuery,
    HistoricExternalTaskLog,
    HistoricExternalTaskLogQuery,
)
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery
from retriage.store.contract.records import ExternalTask, Incident
from tests.console import logs
from tests.console.tasks_of import task

SINCE = datetime.now(UTC) - timedelta(minutes=5)
BEFORE, AFTER = SINCE - timedelta(minutes=1), SINCE + timedelta(minutes=1)


def failed(index: int, message: str = "HTTP 503") -> ExternalTask:
    return task(f"t{index:05}").model_copy(update={"error_message": message, "activity_instance_id": f"ai{index}"})


class TaskShop:
    """Tasks that can be changed, and what an engine keeps of that at its history level: full, audit or none."""

    def __init__(self, number: int = 4, level: str = "full") -> None:
        self.tasks = {one.id: one for one in (failed(index) for index in range(number))}
        self.level = level
        self.open_incidents: list[Incident] = []
        self.entries = [logs.task_entry(one, "creation", BEFORE) for one in self.tasks.values()]
        self.hides_incidents = False
        self.incident_questions = 0
        self.activities = {
            one.activity_instance_id: HistoricActivityInstance(
                id=one.activity_instance_id, end_time=None, canceled=False
            )
            for one in self.tasks.values()
        }
        for one in self.tasks.values():
            self.open_incident(one, BEFORE - timedelta(minutes=1))
        self.activity_questions = 0
        self.files_read: list[str] = []
        self.problem: Refused | None = None
        self.questions = 0
        self.log_questions: list[HistoricExternalTaskLogQuery] = []
        self.clock_skew = timedelta()

    def engine_now(self) -> datetime:
        return datetime.now(UTC) + self.clock_skew

    async def check_clock(self, *, anew: bool = False) -> None:
        """Its clock is known."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        self.questions += 1
        assert query.external_task_id_in
        assert len(query.external_task_id_in) <= 500
        return [self.tasks[id] for id in query.external_task_id_in if id in self.tasks][first : first + size]

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        self.log_questions.append(query)
        if self.problem is not None:
            raise self.problem
        wanted = query.activity_instance_id_in
        assert wanted is None or 0 < len(wanted) <= 500
        kept = self.entries if self.level == "full" else []
        found = [
            one
            for one in kept
            if (wanted is None or one.activity_instance_id in wanted)
            and query.external_task_id in (None, one.external_task_id)
        ]
        return logs.ordered([one for one in found if logs.happened(one, query)], query)[first : first + size]

    async def historic_activity_instances(
        self, query: HistoricActivityInstanceQuery, first: int, size: int
    ) -> list[HistoricActivityInstance]:
        self.activity_questions += 1
        found = [
            one
            for one in (self.activities.values() if self.level != "none" else ())
            if query.activity_instance_id in (None, one.id)
            and (not query.finished or one.end_time is not None)
            and (query.finished_after is None or (one.end_time is not None and one.end_time >= query.finished_after))
        ]
        return sorted(found, key=lambda one: (one.end_time or AFTER, one.id), reverse=True)[first : first + size]

    async def process_definition_xml(self, id: str) -> ProcessDefinitionXml:
        flow = '<bpmn:sequenceFlow id="f" sourceRef="charge" targetRef="e"/>' if id == "flows-on" else ""
        self.files_read.append(id)
        return ProcessDefinitionXml(
            id=id, bpmn20_xml=f"<definitions>{flow}<association sourceRef='charge'/></definitions>"
        )

    async def incidents(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        self.incident_questions += 1
        if self.hides_incidents:
            raise Refused("Not allowed.", 403, "AuthorizationException")
        since = query.incident_timestamp_after
        found = [
            one
            for one in self.open_incidents
            if (since is None or one.incident_timestamp > since) and query.configuration in (None, one.configuration)
        ]
        found.sort(key=lambda one: one.incident_timestamp, reverse=query.sort_order == "desc")
        return found[first : first + size]

    def change(self, index: int, **fields: Any) -> None:
        id = f"t{index:05}"
        self.tasks[id] = self.tasks[id].model_copy(update=fields)

    def set_all(self, retries: int) -> None:
        """Their retries are set: that closes their incidents."""
        for id in self.tasks:
            self.change(int(id[1:]), retries=retries)
        self.open_incidents.clear()

    def fail(
        self, index: int, message: str, at: datetime = AFTER, retries: int = 0, timeout: float = 0.0, worker: str = "w1"
    ) -> None:
        """A worker reports a failure, with so many seconds as retry timeout."""
        had, until = self.tasks[f"t{index:05}"].retries, at + timedelta(seconds=timeout)
        self.change(index, retries=retries, error_message=message, lock_expiration_time=until, worker_id=worker)
        one = self.tasks[f"t{index:05}"]
        self.entries.append(logs.task_entry(one, "failure", at, message=message))
        if not retries and (had != 0 or not self._incident_of(one)):
            self.open_incident(one, at)

    def _incident_of(self, one: ExternalTask) -> Incident | None:
        return next((found for found in self.open_incidents if found.configuration == one.id), None)

    def open_incident(self, one: ExternalTask, at: datetime) -> None:
        fields = dict.fromkeys(Incident.model_fields) | {
            "id": f"i-{one.id}", "incident_timestamp": at, "incident_type": "failedExternalTask",
            "configuration": one.id, "cause_incident_id": f"i-{one.id}", "root_cause_incident_id": f"i-{one.id}",
        }  # fmt: skip
        self.open_incidents.append(Incident.model_validate(fields))

    def set_by_hand(self, index: int, retries: int, at: datetime = AFTER) -> None:
        """Somebody sets retries: nothing is logged; the last one that goes opens an incident, a new one closes it."""
        had = self.tasks[f"t{index:05}"].retries
        self.change(index, retries=retries)
        one = self.tasks[f"t{index:05}"]
        if not retries and had != 0:
            self.open_incident(one, at)
        elif retries and (open := self._incident_of(one)):
            self.open_incidents.remove(open)

    def end(self, index: int, event: str = "success", at: datetime = AFTER) -> None:
        self._end(index, event, at, canceled=event == "deletion")

    def end_by_error(self, index: int, definition: str, at: datetime = AFTER) -> None:
        """A worker reports a BPMN error that nothing catches."""
        scope = {"complete_scope": True, "activity_id": "charge", "process_definition_id": definition}
        self._end(index, "deletion", at, canceled=False, **scope)

    def _end(self, index: int, event: str, at: datetime, **how: Any) -> None:
        one = self.tasks.pop(f"t{index:05}")
        self.entries.append(logs.task_entry(one, event, at))
        self.activities[one.activity_instance_id] = HistoricActivityInstance(
            id=one.activity_instance_id, end_time=at, **how
        )
