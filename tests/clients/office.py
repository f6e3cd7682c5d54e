"""A process for the workers, and what has become of its instances, asked over REST."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.contract.engine import Engine

FATES = ("done", "flaky", "fail", "declined", "unheard", "long")
"""What the variables of an instance tell its worker to do."""

_DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
             targetNamespace="http://retriage/tests">
<error id="declined" errorCode="DECLINED"/>
<process id="{key}" isExecutable="true" camunda:historyTimeToLive="30">
<startEvent id="Begin"/><endEvent id="End"/>
<serviceTask id="Work" camunda:type="external" camunda:topic="{work}"/>
<serviceTask id="MakeGood" camunda:type="external" camunda:topic="{good}"/>
<serviceTask id="Check" camunda:type="external" camunda:topic="{check}"/>
<boundaryEvent id="Declined" attachedToRef="Work"><errorEventDefinition errorRef="declined"
  camunda:errorMessageVariable="why"/></boundaryEvent>
<sequenceFlow id="f1" sourceRef="Begin" targetRef="Work"/><sequenceFlow id="f2" sourceRef="Work" targetRef="Check"/>
<sequenceFlow id="f3" sourceRef="Declined" targetRef="MakeGood"/>
<sequenceFlow id="f4" sourceRef="MakeGood" targetRef="Check"/><sequenceFlow id="f5" sourceRef="Check" targetRef="End"/>
</process>
</definitions>
"""

Record = dict[str, Any]


@dataclass(frozen=True)
class Office:
    """A deployed process with topics of its own: workers do ``work`` and ``good``, and nobody ever does ``check``."""

    engine: Engine
    key: str
    work: str
    good: str
    check: str

    async def start(self, fate: str, amount: int = 1, **more: Record) -> str:
        """Start an instance whose worker is to do this, with more variables; gives its id."""
        variables: Record = {**more, "fate": {"value": fate}, "amount": {"value": amount}, "why": {"value": None}}
        body = {"businessKey": f"{fate}-{amount}", "variables": variables}
        started: Record = await self.engine.post(f"/process-definition/key/{self.key}/start", body)
        return str(started["id"])

    async def waiting(self, **query: Any) -> list[Record]:
        """Its tasks that match the query."""
        found: list[Record] = await self.engine.post("/external-task", {"processDefinitionKey": self.key, **query})
        return found

    async def settled(self, size: int) -> bool:
        """Whether each of so many instances waits for nobody's check, or has an incident, or has ended."""
        checks, failed = await self.waiting(topicName=self.check), await self.waiting(noRetriesLeft=True)
        ended = await self.engine.get("/history/process-instance/count", processDefinitionKey=self.key, finished=True)
        return len(checks) + len(failed) + int(ended["count"]) == size

    async def variables(self, instance: str) -> dict[str, Any]:
        """The values of an instance's variables."""
        found = await self.engine.get(f"/process-instance/{instance}/variables")
        return {name: variable["value"] for name, variable in found.items()}

    async def log(self, instance: str) -> Counter[str]:
        """What the log says happened to the instance's tasks."""
        kinds = ("creationLog", "failureLog", "successLog", "deletionLog")
        entries = await self.engine.get("/history/external-task-log", processInstanceId=instance)
        return Counter(kind for entry in entries for kind in kinds if entry[kind])


async def open_office(engine: Engine) -> Office:
    """Deploy the process under names of its own."""
    number = uuid4().hex[:8]
    office = Office(engine, f"office{number}", f"work-{number}", f"make-good-{number}", f"check-{number}")
    xml = _DRAWING.format(key=office.key, work=office.work, good=office.good, check=office.check)
    parts: list[tuple[str, Any]] = [("deployment-name", (None, office.key)), ("data", ("office.bpmn", xml, "text/xml"))]
    response = await engine.http.post("/deployment/create", files=parts)
    assert response.status_code == 200, response.text
    return office
