"""A process as the store runs it: nodes joined by flows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from store.bpmn.expressions import Condition, Priority

_ZERO = Priority()


class Kind(Enum):
    """What a node does with a token."""

    START = "startEvent"
    END = "endEvent"
    TASK = "serviceTask"
    FORK = "parallelGateway"
    CHOICE = "exclusiveGateway"
    BOUNDARY = "boundaryEvent"


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
    """A node. ``incoming`` is the number of flows into it; ``attached`` the task that a boundary event sits on."""

    id: str
    kind: Kind
    incoming: int = 0
    outgoing: tuple[Flow, ...] = ()
    default: str | None = None
    topic: str = ""
    priority: Priority = _ZERO
    properties: Mapping[str, str] = field(default_factory=dict)
    attached: str | None = None
    catch: ErrorCatch | None = None


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

    def catcher(self, task: str, code: str) -> Node | None:
        """The boundary event of a task that catches an error with this code: one that names it, else one for all."""
        there = [node for node in self.nodes.values() if node.attached == task and node.catch is not None]
        for wanted in (code, None):
            for node in there:
                if node.catch is not None and node.catch.code == wanted:
                    return node
        return None
