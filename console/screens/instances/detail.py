"""One process instance: its external tasks and its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.engine.errors import NotThere
from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.screens.variables_text import variables_said
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import day, things, version_of
from retriage.console.widgets.pane import Fact, Item
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import ExternalTask, ProcessInstance

MOST_TASKS = 50


class InstanceDetail(ReadingScreen):
    """An instance with what it waits for and what it knows."""

    VIEW = "instances"
    HEADING = "Tasks and variables"

    def __init__(self, session: Session, instance: ProcessInstance) -> None:
        super().__init__(session, f"Instance {inert(instance.id)}", instance.id, self.text)
        self._instance = instance

    def facts(self) -> list[Item]:
        """Every field of the instance."""
        instance = self._instance
        return [
            Fact("state", "S  suspended", "suspended") if instance.suspended else Fact("state", "a  active", "good"),
            Fact("key", inert(instance.business_key or "-"), "strong"),
            Fact("process", inert(f"{instance.definition_key} {version_of(instance.definition_id)}"), lines=2),
            Fact("def. id", inert(instance.definition_id), lines=2),
            Fact("tenant", inert(instance.tenant_id or "-")),
        ]

    async def text(self, client: EngineClient) -> str:
        """When it began, its tasks, its variables."""
        query = ExternalTaskQuery(process_instance_id=self._instance.id)
        tasks = await client.external_tasks(query, 0, MOST_TASKS)
        variables = await client.variables(self._instance.id)
        try:
            started = f"started  {day((await client.historic_process_instance(self._instance.id)).start_time)}\n\n"
        except NotThere:
            started = ""
        said = variables_said(variables)
        said = said if variables else self.session.connection.identity.said_of_none(said)
        return f"{started}{_tasks(tasks)}\n\n{said}"


def _tasks(tasks: Sequence[ExternalTask]) -> str:
    lines = [things(len(tasks), "external task")]
    for task in tasks:
        tries = "never failed" if task.retries is None else things(task.retries, "retry", "retries")
        said = inert(task.error_message or "")
        lines.append(f"  {inert(task.topic_name)}  at {inert(task.activity_id)}  {tries}  {said}".rstrip())
    return "\n".join(lines)
