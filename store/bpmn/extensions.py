"""What the vocabulary of the engines adds to BPMN, where the store does not carry it out."""

from store.bpmn.names import BPMN, EXTENSIONS, HARMLESS_ATTRIBUTES
from store.bpmn.problems import Problem
from store.bpmn.xml import Element


def check_attributes(element: Element, problems: list[Problem], also: frozenset[str] = frozenset()) -> None:
    """Add a problem for each extension attribute that the store does not carry out."""
    for (namespace, name), value in element.attributes.items():
        if namespace not in EXTENSIONS or name in HARMLESS_ATTRIBUTES or name in also:
            continue
        if name in ("asyncBefore", "asyncAfter", "async") and value == "false":
            continue
        problems.append(element.problem(f"Extension attribute '{name}' in a {element.name} is not supported."))


def check_extensions(element: Element, problems: list[Problem]) -> None:
    """Add a problem for each extension element but properties. Those of other vendors mean nothing to the engine."""
    for holder in element.named("extensionElements", BPMN):
        for child in holder.children:
            if child.namespace in EXTENSIONS and child.name != "properties":
                problems.append(
                    element.problem(f"Extension element '{child.name}' in a {element.name} is not supported.")
                )
