"""What the vocabulary of the engines adds to BPMN, where the store does not carry it out."""

from retriage.store.bpmn.names import BPMN, EXTENSIONS, HARMLESS_ATTRIBUTES
from retriage.store.bpmn.problems import Problem
from retriage.store.bpmn.xml import Element

PAUSES = frozenset({"async", "asyncBefore", "asyncAfter"})
"""Attributes that let a token wait for a job, where they are ``true`` (observed on Camunda 7.24.0)."""


def check_attributes(element: Element, problems: list[Problem], also: frozenset[str] = frozenset()) -> None:
    """Add a problem for each extension attribute that the store does not carry out."""
    for namespace, name in element.attributes:
        if namespace not in EXTENSIONS or name in HARMLESS_ATTRIBUTES or name in also:
            continue
        problems.append(element.problem(f"Extension attribute '{name}' in a {element.name} is not supported."))


RETRIES = "failedJobRetryTimeCycle"
"""The element that says how often a job is tried."""


def check_extensions(element: Element, problems: list[Problem], also: frozenset[str] = frozenset()) -> None:
    """Add a problem for each extension element but properties. Those of other vendors mean nothing to the engine."""
    for holder in element.named("extensionElements", BPMN):
        for child in holder.children:
            if child.namespace in EXTENSIONS and child.name not in ("properties", *also):
                problems.append(
                    element.problem(f"Extension element '{child.name}' in a {element.name} is not supported.")
                )
