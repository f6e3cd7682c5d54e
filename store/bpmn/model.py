"""A process as the store runs it: nodes joined by flows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from retriage.store.bpmn.expressions import Condition, Priority
from retriage.store.bpmn.timers import RetryCycle, Timer

_ZERO = Priority()


class Kind(Enum):
    """What a node does with a token."""

    START = "startEvent"
    END = "endEvent"
    TASK = "serviceTask"
    FORK = "parallelGateway"
    CHOICE = "exclusiveGateway"
    BOUNDARY = "boundaryEvent"
    TIMER = "intermediateCatchEvent"


class Pause(Enum):
    """Where a token waits for a job, in the words of the contract's job definitions."""

    BEFORE = "async-before"
    AFTER = "async-after"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow, seen from its source."""

    id: str
    target: str
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class ErrorCatch:
    """What an error boundary event catches. Without a code it catches every error."""

    code: str | None = None
    code_variable: str | None = None
    message_variable: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node. ``incoming`` is the number of flows into it; ``attached`` the task that a boundary event sits on.

    ``pauses`` are the jobs that a token may wait for here, ``job_priority`` and ``retry_cycle`` are theirs.
    """

    id: str
    kind: Kind
    name: str | None = None
    incoming: int = 0
    outgoing: tuple[Flow, ...] = ()
    default: str | None = None
    topic: str = ""
    priority: Priority = _ZERO
    properties: Mapping[str, str] = field(default_factory=dict)
    attached: str | None = None
    catch: ErrorCatch | None = None
    pauses: frozenset[Pause] = frozenset()
    job_priority: Priority = _ZERO
    timer: Timer | None = None
    retry_cycle: RetryCycle | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """An executable process of a file. ``history_time_to_live`` is in days; ``reads`` names the variables that its
    expressions use, ``initiator`` the one that keeps who has started an instance."""

    key: str
    name: str | None
    category: str | None
    description: str | None
    version_tag: str | None
    history_time_to_live: int | None
    start: str
    nodes: Mapping[str, Node]
    reads: frozenset[str]
    initiator: str | None = None
    startable_in_tasklist: bool = True

    def flow(self, flow_id: str) -> Flow | None:
        """The sequence flow with this id."""
        flows = (flow for node in self.nodes.values() for flow in node.outgoing)
        return next((flow for flow in flows if flow.id == flow_id), None)

    def jobs(self) -> Iterator[tuple[Node, Pause]]:
        """The kinds of jobs that its tokens may wait for, in the order of the drawing."""
        return ((node, pause) for node in self.nodes.values() for pause in Pause if pause in node.pauses)

    def catcher(self, task: str, code: str) -> Node | None:
        """The boundary event of a task that catches an error with this code: one that names it, else one for all."""
        there = [node for node in self.nodes.values() if node.attached == task and node.catch is not None]
        for wanted in (code, None):
            for node in there:
                if node.catch is not None and node.catch.code == wanted:
                    return node
        return None
