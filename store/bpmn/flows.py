"""Sequence flows: from the XML to what leaves and enters each node."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from retriage.store.bpmn.expressions import condition
from retriage.store.bpmn.extensions import check_extensions
from retriage.store.bpmn.model import Flow, Kind, Node
from retriage.store.bpmn.names import BPMN
from retriage.store.bpmn.problems import Problem
from retriage.store.bpmn.xml import Element


@dataclass(slots=True)
class Flows:
    """All flows of a process: ``leaving`` by source, ``entering`` counted by target."""

    leaving: dict[str, list[Flow]] = field(default_factory=lambda: defaultdict(list))
    entering: Counter[str] = field(default_factory=Counter)
    places: list[Element] = field(default_factory=list)

    def check_ends(self, process: Element, nodes: Mapping[str, Node], problems: list[Problem]) -> None:
        """Add a problem for each flow that begins or ends nowhere, and for conditions off exclusive gateways."""
        drawn = {child.id for child in process.children if child.name != "sequenceFlow"}
        for place in self.places:
            source, target = place.get("sourceRef") or "", place.get("targetRef") or ""
            if source not in drawn:
                problems.append(place.problem(f"Invalid source '{source}' of sequence flow '{place.id}'"))
            elif source in nodes and nodes[source].kind is not Kind.CHOICE and _has_condition(place):
                problems.append(place.problem("Conditions are supported on flows out of exclusive gateways only."))
            if target not in drawn:
                problems.append(place.problem(f"Invalid destination '{target}' of sequence flow '{place.id}'"))


def _has_condition(flow: Element) -> bool:
    return any(flow.named("conditionExpression", BPMN))


def read_flows(process: Element, problems: list[Problem]) -> Flows:
    """Read the flows of a process, adding what is not supported to ``problems``."""
    flows = Flows()
    for place in process.named("sequenceFlow", BPMN):
        flows.places.append(place)
        check_extensions(place, problems)
        source, target = place.get("sourceRef") or "", place.get("targetRef") or ""
        flows.entering[target] += 1
        made = Flow(place.id, target)
        for child in place.children:
            if (child.namespace, child.name) == (BPMN, "conditionExpression"):
                made = Flow(place.id, target, condition(child.text))
                if made.condition is None or child.get("language"):
                    problems.append(
                        place.problem(
                            "Only conditions that compare one variable with one literal are supported, "
                            f"like ${{amount > 100}}: {child.text.strip()[:200]}"
                        )
                    )
            elif child.namespace == BPMN and child.name not in ("documentation", "extensionElements"):
                problems.append(place.problem(f"Element '{child.name}' in a sequence flow is not supported."))
        flows.leaving[source].append(made)
    return flows
