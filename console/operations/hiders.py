"""Variables that hide those of a process instance from its tasks.

An input mapping, or a worker, gives a task a variable of its own: it stands at the activity instance of the task, and
its worker sees it instead of the instance's. That of an embedded subprocess stands at an activity instance around the
task; one of a parallel branch seems to stand at that of the process instance (observed on Camunda 7.24.0).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from retriage.console.engine.errors import Refused
from retriage.console.operations.variable_values import Hiders, value_of
from retriage.console.reading.pages import Pages, pages_by_id, pieces
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.variables import VariableInstanceQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.modification import ActivityInstance
    from retriage.store.contract.variables import VariableInstance

Inside = dict[str, list["VariableInstance"]]
"""Process instances -> variables in scopes within them."""


class Place(NamedTuple):
    """A task: its process instance, and its activity instance."""

    task: str
    instance: str
    activity: str | None


async def variables_inside(
    client: EngineClient, ids: Sequence[str], name: str, at_instances: int, found: Inside
) -> None:
    """Add the variables with this name in scopes within these instances.

    Args:
        client: is asked.
        ids: of process instances.
        name: of the variables.
        at_instances: how many of the instances have it themselves; where there are no more, none is read.
        found: is added to.

    Raises:
        EngineProblem: the engine did not answer.
    """
    query = VariableInstanceQuery(process_instance_id_in=list(ids), variable_name=name)
    if await client.count_variable_instances(query) <= at_instances:
        return
    async for page in Pages(partial(client.variable_instances, query)):
        for one in page:
            if one.task_id is None and one.process_instance_id in ids and one.execution_id != one.process_instance_id:
                found.setdefault(one.process_instance_id or "", []).append(one)


def by_execution(variables: Iterable[VariableInstance]) -> Hiders:
    """What executions have; ``None`` for what could not be put back."""
    found: Hiders = {}
    for one in variables:
        found.setdefault(one.execution_id or "", {})[one.name] = value_of(one.name, one.type, one.value)
    return found


async def hiders_by_task(client: EngineClient, places: Collection[Place], inside: Inside) -> dict[str, Hiders]:
    """What hides variables of their instances from tasks: task -> executions with what they have.

    Args:
        client: is asked about activity instances, where a variable is of no open task.
        places: of the tasks.
        inside: variables within their instances.

    Raises:
        EngineProblem: the engine did not answer.
    """
    of_tasks = {place.activity for place in places}
    unclear = {id: [one for one in some if one.activity_instance_id not in of_tasks] for id, some in inside.items()}
    unclear = {id: some for id, some in unclear.items() if some}
    for piece in pieces(list(unclear)):
        async for page in pages_by_id(client.external_tasks, ExternalTaskQuery(process_instance_id_in=piece)):
            of_tasks |= {task.activity_instance_id for task in page}
    around: dict[str, Mapping[str, str]] = {}
    for id, some in unclear.items():
        if any(one.activity_instance_id not in of_tasks for one in some):
            around[id] = await _parents(client, id)
    found: dict[str, Hiders] = {}
    for place in places:
        if hidden := inside.get(place.instance):
            above = set(_chain(around.get(place.instance, {}), place.activity))
            found[place.task] = by_execution(one for one in hidden if one.activity_instance_id in above)
    return {task: hiders for task, hiders in found.items() if hiders}


async def _parents(client: EngineClient, instance: str) -> Mapping[str, str]:
    """The activity instance around each of those of a process instance; none where that has ended."""
    try:
        waiting: list[ActivityInstance] = [await client.activity_instances(instance)]
    except Refused:
        return {}
    found: dict[str, str] = {}
    while waiting:
        one = waiting.pop()
        found |= {child.id: one.id for child in one.child_activity_instances}
        waiting += one.child_activity_instances
    return found


def _chain(parents: Mapping[str, str], activity: str | None) -> Iterable[str]:
    """An activity instance, and those around it."""
    while activity is not None:
        yield activity
        activity = parents.get(activity)
