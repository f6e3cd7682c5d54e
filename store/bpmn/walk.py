"""What happens next: from a token that leaves a node to the places where tokens wait.

Pure functions. A token goes on until it stands at an external task, at a join that misses tokens, or is at its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from store.bpmn.model import Flow, Kind, Node, Process
from store.bpmn.problems import CanNotGoOn

MAX_STEPS = 10_000
"""Nodes that one order may pass through; forks behind forks can double the tokens again and again."""


@dataclass(slots=True)
class Steps:
    """Where tokens arrived. ``tasks`` are ids of tasks entered, once per token; ``waiting`` is the number of tokens
    at each join after the steps, 0 where they went on."""

    tasks: list[str] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)


def begin(process: Process, variables: Mapping[str, Any]) -> Steps:
    """The steps of a new instance.

    Raises:
        CanNotGoOn: see :func:`leave`.
    """
    return leave(process, process.start, variables, {})


def leave(process: Process, node: str, variables: Mapping[str, Any], waiting: Mapping[str, int]) -> Steps:
    """The steps of a token that leaves a node.

    Args:
        node: id of the start event, task or boundary event.
        variables: values of the instance's variables by name, at least those in ``process.reads``.
        waiting: tokens that wait at joins now, by id of the gateway.

    Raises:
        CanNotGoOn: no flow of an exclusive gateway can be taken, or there are too many steps.
    """
    steps = Steps(waiting=dict(waiting))
    moving = [flow.target for flow in reversed(process.nodes[node].outgoing)]
    passed = 0
    while moving:
        passed += 1
        if passed + len(moving) > MAX_STEPS:
            raise CanNotGoOn(f"The process takes more than {MAX_STEPS} steps without reaching an external task.")
        here = process.nodes[moving.pop()]
        if here.kind is Kind.TASK:
            steps.tasks.append(here.id)
        elif here.kind is Kind.CHOICE:
            chosen = _choose(here, variables)
            if chosen is not None:
                moving.append(chosen.target)
        elif here.kind is not Kind.FORK or _complete(here, steps):
            moving.extend(flow.target for flow in reversed(here.outgoing))
    return steps


def _complete(join: Node, steps: Steps) -> bool:
    """Count a token in; true when it was the last one missing. The engine counts tokens, not flows."""
    arrived = steps.waiting.get(join.id, 0) + 1
    whole = arrived >= join.incoming
    if not whole or join.id in steps.waiting:
        steps.waiting[join.id] = 0 if whole else arrived
    return whole


def _choose(gateway: Node, variables: Mapping[str, Any]) -> Flow | None:
    if not gateway.outgoing:
        return None
    for flow in gateway.outgoing:
        if flow.id != gateway.default and (flow.condition is None or flow.condition.holds(variables)):
            return flow
    for flow in gateway.outgoing:
        if flow.id == gateway.default:
            return flow
    raise CanNotGoOn(
        f"ENGINE-02004 No outgoing sequence flow for the element with id '{gateway.id}' could be selected for "
        "continuing the process."
    )
