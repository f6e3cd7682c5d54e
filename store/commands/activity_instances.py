"""Where the tokens of a process instance are, as a tree of two levels."""

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import Kind
from retriage.store.commands.processes import process_of
from retriage.store.contract.errors import missing
from retriage.store.contract.modification import ActivityInstance, IncidentThere, TransitionInstance
from retriage.store.tables import Execution, Incident, ProcessInstance
from retriage.store.tables.types import col

_TYPES = {
    Kind.END: "noneEndEvent",
    Kind.BOUNDARY: "boundaryError",
    Kind.TIMER: "intermediateTimer",
}
"""What the engine calls kinds of nodes, where that is not their name in BPMN."""


async def activity_instances(connection: AsyncConnection, instance_id: str) -> ActivityInstance:
    """The tree of a running instance.

    Raises:
        ContractError: 404, no instance with that id is running.
    """
    running = (col(ProcessInstance.id) == instance_id, col(ProcessInstance.end_time).is_(None))
    definition = select(col(ProcessInstance.process_definition_id)).where(*running)
    definition_id = (await connection.execute(definition)).scalar_one_or_none()
    if definition_id is None:
        raise missing(f"Process instance with id {instance_id} does not exist")
    process = await process_of(connection, definition_id)
    incidents = await _incidents(connection, instance_id)
    executions = Execution.__table__.c  # type: ignore[attr-defined]
    tokens = select(*executions).where(executions.process_instance_id == instance_id).order_by(executions.id)
    shared = {"process_instance_id": instance_id, "process_definition_id": definition_id}
    activities: list[ActivityInstance] = []
    transitions: list[TransitionInstance] = []
    for token in await connection.execute(tokens):
        node = process.nodes[token.activity_id]
        found = incidents[token.id]
        here: dict[str, Any] = {
            **shared,
            "id": token.activity_instance_id,
            "parent_activity_instance_id": instance_id,
            "activity_id": node.id,
            "activity_name": node.name,
            "activity_type": _TYPES.get(node.kind, node.kind.value),
            "incidents": found,
            "incident_ids": [one.id for one in found],
        }
        if token.in_transition:
            transitions.append(TransitionInstance(**here, execution_id=token.id, target_activity_id=node.id))
        else:
            activities.append(ActivityInstance(**here, execution_ids=[token.id], name=node.name))
    return ActivityInstance(
        **shared,
        id=instance_id,
        parent_activity_instance_id=None,
        activity_id=definition_id,
        activity_type="processDefinition",
        child_activity_instances=activities,
        child_transition_instances=transitions,
        execution_ids=[instance_id],
        activity_name=process.name,
        incident_ids=[],
        incidents=[],
        name=process.name,
    )


async def _incidents(connection: AsyncConnection, instance_id: str) -> dict[str, list[IncidentThere]]:
    """The open incidents of an instance by their executions."""
    found: dict[str, list[IncidentThere]] = defaultdict(list)
    here = (col(Incident.process_instance_id) == instance_id, col(Incident.end_time).is_(None))
    columns = (col(Incident.id), col(Incident.execution_id), col(Incident.activity_id))
    for row in await connection.execute(select(*columns).where(*here).order_by(col(Incident.id))):
        found[row.execution_id].append(IncidentThere(id=row.id, activity_id=row.activity_id))
    return found
