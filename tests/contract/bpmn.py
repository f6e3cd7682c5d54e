"""BPMN drawings for the tests, in the subset that every engine here runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True)
class Step:
    """An external service task."""

    id: str
    topic: str
    priority: int | None = None


@dataclass(frozen=True)
class Drawing:
    """A process: its steps one after the other, or side by side between two parallel gateways."""

    key: str
    steps: Sequence[Step]
    side_by_side: bool = False
    name: str | None = None
    version_tag: str | None = None

    @property
    def resource(self) -> str:
        """File name of the drawing."""
        return f"{self.key}.bpmn"

    def xml(self) -> str:
        """The drawing as BPMN 2.0."""
        label = f" name={quoteattr(self.name)}" if self.name is not None else ""
        tag = f" camunda:versionTag={quoteattr(self.version_tag)}" if self.version_tag is not None else ""
        body = self._wide() if self.side_by_side else self._long()
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
            'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
            'targetNamespace="http://retriage/tests">\n'
            f'<process id="{self.key}" isExecutable="true" camunda:historyTimeToLive="30"{label}{tag}>\n'
            '<startEvent id="Begin"/>\n<endEvent id="Done"/>\n'
            f"{body}\n</process>\n</definitions>\n"
        )

    def _long(self) -> str:
        stations = ["Begin", *(step.id for step in self.steps), "Done"]
        flows = [_flow(one, other) for one, other in pairwise(stations)]
        return "\n".join([*map(_task, self.steps), *flows])

    def _wide(self) -> str:
        gateways = ['<parallelGateway id="Split"/>', '<parallelGateway id="Join"/>']
        flows = [_flow("Begin", "Split"), _flow("Join", "Done")]
        for step in self.steps:
            flows += [_flow("Split", step.id), _flow(step.id, "Join")]
        return "\n".join([*gateways, *map(_task, self.steps), *flows])


def _task(step: Step) -> str:
    priority = f' camunda:taskPriority="{step.priority}"' if step.priority is not None else ""
    return f'<serviceTask id="{step.id}" camunda:type="external" camunda:topic={quoteattr(step.topic)}{priority}/>'


def _flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'
