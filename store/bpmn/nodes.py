"""Nodes: from the XML of one flow element to a :class:`Node`."""

from collections.abc import Iterator

from store.bpmn.expressions import Priority, priority
from store.bpmn.extensions import check_attributes, check_extensions
from store.bpmn.flows import Flows
from store.bpmn.model import ErrorCatch, Kind, Node
from store.bpmn.names import BPMN, EXTENSIONS, extension
from store.bpmn.problems import Problem
from store.bpmn.xml import Element

KINDS = {kind.value: kind for kind in Kind}

_INNER = frozenset({"documentation", "extensionElements", "incoming", "outgoing"})
_TASK_ATTRIBUTES = frozenset({"type", "topic", "taskPriority"})


def read_node(
    element: Element,
    flows: Flows,
    errors: dict[str, str | None],
    default_priority: str | None,
    problems: list[Problem],
) -> Node:
    """Read one node, adding what is not supported to ``problems``.

    Args:
        element: the flow element; its name is one of ``KINDS``.
        flows: all flows of the process.
        errors: code of each declared error by its id; None where it has none.
        default_priority: the process's own ``taskPriority``.
    """
    kind = KINDS[element.name]
    task = kind is Kind.TASK
    check_attributes(element, problems, also=_TASK_ATTRIBUTES if task else frozenset())
    check_extensions(element, problems)
    allowed = _INNER | {"errorEventDefinition"} if kind is Kind.BOUNDARY else _INNER
    for child in element.children:
        if child.namespace == BPMN and child.name not in allowed:
            problems.append(element.problem(f"Element '{child.name}' in a {element.name} is not supported."))
    if element.get("isForCompensation") in ("true", "1"):
        problems.append(element.problem("Compensation is not supported."))
    return Node(
        id=element.id,
        kind=kind,
        incoming=flows.entering[element.id],
        outgoing=tuple(flows.leaving.get(element.id, ())),
        default=element.get("default"),
        topic=_topic(element, problems) if task else "",
        priority=_priority(element, default_priority, problems) if task else Priority(),
        properties=dict(_properties(element)) if task else {},
        attached=element.get("attachedToRef") if kind is Kind.BOUNDARY else None,
        catch=_catch(element, errors, problems) if kind is Kind.BOUNDARY else None,
    )


def _topic(element: Element, problems: list[Problem]) -> str:
    if extension(element, "type") != "external":
        problems.append(element.problem("Only service tasks of the type 'external' are supported."))
        return ""
    topic = extension(element, "topic")
    if not topic:
        problems.append(element.problem("External tasks must specify a 'topic' attribute in the camunda namespace"))
    elif "${" in topic or "#{" in topic:
        problems.append(element.problem("Expressions as topics are not supported."))
    return topic or ""


def _priority(element: Element, default: str | None, problems: list[Problem]) -> Priority:
    text = extension(element, "taskPriority")
    text = default if text is None else text
    if text is None:
        return Priority()
    made = priority(text)
    if made is None:
        problems.append(
            element.problem(
                f"Value '{text[:200]}' for attribute 'taskPriority' is not a valid number or ${{variable}}."
            )
        )
    return made or Priority()


def _properties(element: Element) -> Iterator[tuple[str, str]]:
    for holder in element.named("extensionElements", BPMN):
        for properties in holder.named("properties", *EXTENSIONS):
            for entry in properties.named("property", *EXTENSIONS):
                if (name := entry.get("name")) is not None:
                    yield name, entry.get("value") or ""


def _catch(element: Element, errors: dict[str, str | None], problems: list[Problem]) -> ErrorCatch | None:
    if element.get("cancelActivity") in ("false", "0"):
        problems.append(element.problem("Boundary events that do not interrupt are not supported."))
    definitions = list(element.named("errorEventDefinition", BPMN))
    if len(definitions) != 1:
        problems.append(element.problem("A boundary event must have exactly one error event definition."))
        return None
    reference = definitions[0].get("errorRef")
    return ErrorCatch(
        code=None if reference is None else errors.get(reference, reference) or None,
        code_variable=extension(definitions[0], "errorCodeVariable"),
        message_variable=extension(definitions[0], "errorMessageVariable"),
    )
