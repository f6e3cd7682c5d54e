"""What happens next: from the next move of a token to the places where tokens wait.

Pure functions. A token goes on until it waits at an external task, for a job or at a join that misses tokens, or is at
its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from retriage.store.bpmn.model import Flow, Kind, Node, Pause, Process
from retriage.store.bpmn.problems import CanNotGoOn, at_node

MAX_STEPS = 10_000
"""Nodes that one order may pass through; forks behind forks can double the tokens again and again."""


class How(Enum):
    """What a token does next."""

    ENTER = 1
    """Arrive at a node, and wait for the job before it where there is one."""
    RESUME = 2
    """Enter a node after the job before it."""
    LEAVE = 3
    """Leave a node whose work is done, and wait for the job after it where there is one."""
    TAKE = 4
    """Go along a flow."""


class Move(NamedTuple):
    """The next move of a token: ``place`` is the id of a node, or of the flow that it takes."""

    how: How
    place: str


class Waiting(NamedTuple):
    """A token waits for a job at a node. After it, it goes along ``flow``; without one it ends, or is at a timer."""

    node: str
    pause: Pause
    flow: str | None = None


@dataclass(slots=True)
class Steps:
    """Where tokens arrived. ``tasks`` are ids of tasks entered, once per token; ``jobs`` are what tokens wait for;
    ``waiting`` is the number of tokens at each join after the steps, 0 where they went on."""

    tasks: list[str] = field(default_factory=list)
    jobs: list[Waiting] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)


def walk(process: Process, move: Move, variables: Mapping[str, Any], waiting: Mapping[str, int]) -> Steps:
    """The steps of a token.

    Args:
        process: where it moves.
        move: its next move; the node, or the flow, is there.
        variables: values of the instance's variables by name, at least those in ``process.reads``.
        waiting: tokens that wait at joins now, by id of the gateway.

    Raises:
        CanNotGoOn: no flow of an exclusive gateway can be taken, or there are too many steps.
    """
    steps = Steps(waiting=dict(waiting))
    moving: list[str] = []
    if move.how is How.LEAVE:
        _leave(process.nodes[move.place], process.nodes[move.place].outgoing, steps, moving)
    elif move.how is How.TAKE:
        flow = process.flow(move.place)
        assert flow is not None
        moving.append(flow.target)
    else:
        moving.append(move.place)
    resumed = move.how is How.RESUME
    passed = 0
    while moving:
        passed += 1
        here = process.nodes[moving.pop()]
        if passed + len(moving) > MAX_STEPS:
            raise CanNotGoOn(f"The process takes more than {MAX_STEPS} steps without reaching an external task.")
        if Pause.BEFORE in here.pauses and not resumed:
            steps.jobs.append(Waiting(here.id, Pause.BEFORE))
        elif here.kind is Kind.TASK:
            steps.tasks.append(here.id)
        elif here.kind is Kind.TIMER:
            steps.jobs.append(Waiting(here.id, Pause.TIMER))
        elif here.kind is Kind.CHOICE:
            with at_node(here.id):
                chosen = _choose(here, variables)
            _leave(here, () if chosen is None else (chosen,), steps, moving)
        elif here.kind is not Kind.FORK or _complete(here, steps):
            _leave(here, here.outgoing, steps, moving)
        resumed = False
    return steps


def _leave(node: Node, flows: tuple[Flow, ...], steps: Steps, moving: list[str]) -> None:
    """Let a token go along flows out of a node, or wait for the job after it: one for each flow."""
    if Pause.AFTER not in node.pauses:
        moving.extend(flow.target for flow in reversed(flows))
    else:
        ways = [Waiting(node.id, Pause.AFTER, flow.id) for flow in flows]
        steps.jobs.extend(ways or [Waiting(node.id, Pause.AFTER)])


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
