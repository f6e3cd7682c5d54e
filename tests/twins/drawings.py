"""Small processes, of everything that makes external tasks, as hypothesis draws them."""

import re
from dataclasses import dataclass, replace
from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st

KEYS = ("alpha", "beta", "alphabet")
TOPICS = ("charge", "ship", "char_e")
NAMES = (None, "Order", "Order 100%", "order_x")
TAGS = (None, "1.0", "v_2", "v%")
PRIORITIES = (None, "0", "7", "-3", "${prio}")
ERROR_CODES = ("E1", "E2")
_PLACES = re.compile(r"\b(Begin|End|Split|Join|Which|Known|Other|Task\d)\b")


@dataclass(frozen=True)
class Process:
    """One process. ``shape`` says how its activities stand; the topics and priorities go to them in turn."""

    key: str
    shape: str
    topics: tuple[str, ...]
    priorities: tuple[str | None, ...]
    name: str | None = None
    tag: str | None = None
    own_priority: str | None = None
    suffix: str = ""

    def xml(self) -> str:
        """The process element."""
        attributes = {"name": self.name, "camunda:versionTag": self.tag, "camunda:taskPriority": self.own_priority}
        given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items() if value is not None)
        return (
            f'<process id="{self.key}" isExecutable="true" camunda:historyTimeToLive="30"{given}>\n'
            f"{self._elements()}\n</process>\n"
        )

    def _elements(self) -> str:
        """Ids of a second process in a file end with a letter of its own: a file has no id twice."""
        return _PLACES.sub(rf"\g<0>{self.suffix}", SHAPES[self.shape](self))

    def task(self, number: int) -> str:
        """The n-th external task."""
        topic = self.topics[number % len(self.topics)]
        priority = self.priorities[number % len(self.priorities)]
        given = f" camunda:taskPriority={quoteattr(priority)}" if priority is not None else ""
        more = (
            '<extensionElements><camunda:properties><camunda:property name="n" value="1"/></camunda:properties>'
            "</extensionElements>"
            if number % 2
            else ""
        )
        return (
            f'<serviceTask id="Task{number}" camunda:type="external" camunda:topic={quoteattr(topic)}{given}>{more}'
            "</serviceTask>"
        )


def _flow(source: str, target: str, condition: str | None = None) -> str:
    inner = f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>' if condition else ""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


_ENDS = '<startEvent id="Begin"/><endEvent id="End"/>'


def _row(process: Process) -> str:
    flows = _flow("Begin", "Task0") + _flow("Task0", "Task1") + _flow("Task1", "End")
    return _ENDS + process.task(0) + process.task(1) + flows


def _one(process: Process) -> str:
    return _ENDS + process.task(0) + _flow("Begin", "Task0") + _flow("Task0", "End")


def _nothing(_process: Process) -> str:
    return _ENDS + _flow("Begin", "End")


def _fork(process: Process) -> str:
    tasks = "".join(process.task(number) for number in range(4))
    flows = _flow("Begin", "Split") + _flow("Join", "Task3") + _flow("Task3", "End")
    flows += "".join(_flow("Split", f"Task{number}") + _flow(f"Task{number}", "Join") for number in range(3))
    return _ENDS + '<parallelGateway id="Split"/><parallelGateway id="Join"/>' + tasks + flows


def _choice(process: Process) -> str:
    tasks = "".join(process.task(number) for number in range(3))
    flows = _flow("Begin", "Which") + "".join(_flow(f"Task{number}", "End") for number in range(3))
    flows += _flow("Which", "Task0", "${amount == 5}") + _flow("Which", "Task1", "${amount > 5}")
    flows += _flow("Which", "Task2")
    return _ENDS + '<exclusiveGateway id="Which" default="Which-Task2"/>' + tasks + flows


def _caught(process: Process) -> str:
    tasks = "".join(process.task(number) for number in range(3))
    caught = (
        '<boundaryEvent id="Known" attachedToRef="Task0"><errorEventDefinition errorRef="error1" '
        'camunda:errorCodeVariable="code" camunda:errorMessageVariable="why"/></boundaryEvent>'
        '<boundaryEvent id="Other" attachedToRef="Task1"><errorEventDefinition/></boundaryEvent>'
    )
    flows = _flow("Begin", "Task0") + _flow("Task0", "Task1") + _flow("Task1", "End") + _flow("Task2", "End")
    return _ENDS + tasks + caught + flows + _flow("Known", "Task2") + _flow("Other", "End")


SHAPES = {"one": _one, "nothing": _nothing, "row": _row, "fork": _fork, "choice": _choice, "caught": _caught}


def file(processes: tuple[Process, ...]) -> str:
    """A BPMN file with these processes."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="http://retriage/twins">\n'
        '<error id="error1" errorCode="E1"/>\n'
        + "".join(
            replace(process, suffix="ABC"[number] if number else "").xml() for number, process in enumerate(processes)
        )
        + "</definitions>\n"
    )


PROCESSES = st.builds(
    Process,
    key=st.sampled_from(KEYS),
    shape=st.sampled_from(("one", "fork", "caught", "choice", "row", "nothing")),
    topics=st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3).map(tuple),
    priorities=st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=2).map(tuple),
    name=st.sampled_from(NAMES),
    tag=st.sampled_from(TAGS),
    own_priority=st.sampled_from((None, None, "4", "${prio}")),
)
"""Any of them."""
