"""Nodes: from the XML of one flow element to a :class:`Node`."""

from collections.abc import Iterator

from retriage.store.bpmn.expressions import Priority, is_expression, priority, variable_of
from retriage.store.bpmn.extensions import PAUSES, RETRIES, check_attributes, check_extensions
from retriage.store.bpmn.flows import Flows
from retriage.store.bpmn.model import ErrorCatch, Kind, Node, Pause
from retriage.store.bpmn.names import BPMN, EXTENSIONS, extension
from retriage.store.bpmn.problems import Problem
from retriage.store.bpmn.timers import RetryCycle, Timer, retry_cycle
from retriage.store.bpmn.xml import Element

KINDS = {kind.value: kind for kind in Kind}

_INNER = frozenset({"documentation", "extensionElements", "incoming", "outgoing"})
_TASK_ATTRIBUTES = frozenset({"type", "topic", "taskPriority"})
_DEFINITION = {Kind.BOUNDARY: "errorEventDefinition", Kind.TIMER: "timerEventDefinition"}
_TIMERS = {"timeDate": "DATE", "timeDuration": "DURATION"}


def read_node(
    element: Element,
    flows: Flows,
    errors: dict[str, str | None],
    defaults: dict[str, str | None],
    problems: list[Problem],
) -> Node:
    """Read one node, adding what is not supported to ``problems``.

    Args:
        element: the flow element; its name is one of ``KINDS``.
        flows: all flows of the process.
        errors: code of each declared error by its id; None where it has none.
        defaults: the process's own ``taskPriority`` and ``jobPriority``.
    """
    kind = KINDS[element.name]
    task = kind is Kind.TASK
    check_attributes(element, problems, also=PAUSES | _TASK_ATTRIBUTES if task else PAUSES)
    check_extensions(element, problems, also=frozenset({RETRIES}))
    allowed = _INNER | {_DEFINITION[kind]} if kind in _DEFINITION else _INNER
    for child in element.children:
        if child.namespace == BPMN and child.name not in allowed:
            problems.append(element.problem(f"Element '{child.name}' in a {element.name} is not supported."))
    if element.get("isForCompensation") in ("true", "1"):
        problems.append(element.problem("Compensation is not supported."))
    pauses = frozenset(_pauses(element, kind))
    return Node(
        id=element.id,
        kind=kind,
        name=element.get("name"),
        incoming=flows.entering[element.id],
        outgoing=tuple(flows.leaving.get(element.id, ())),
        default=element.get("default"),
        topic=_topic(element, problems) if task else "",
        priority=_priority(element, "taskPriority", defaults, problems) if task else Priority(),
        properties=dict(_properties(element)) if task else {},
        attached=element.get("attachedToRef") if kind is Kind.BOUNDARY else None,
        catch=_catch(element, errors, problems) if kind is Kind.BOUNDARY else None,
        pauses=pauses,
        job_priority=_priority(element, "jobPriority", defaults, problems) if pauses else Priority(),
        timer=_timer(element, problems) if kind is Kind.TIMER else None,
        retry_cycle=_retry_cycle(element, problems),
    )


def _pauses(element: Element, kind: Kind) -> Iterator[Pause]:
    if "true" in (extension(element, "async"), extension(element, "asyncBefore")):
        yield Pause.BEFORE
    if extension(element, "asyncAfter") == "true":
        yield Pause.AFTER
    if kind is Kind.TIMER:
        yield Pause.TIMER


def _timer(element: Element, problems: list[Problem]) -> Timer | None:
    definitions = list(element.named("timerEventDefinition", BPMN))
    if len(definitions) != 1:
        problems.append(element.problem("Unsupported intermediate catch event type"))
        return None
    times = [child for child in definitions[0].children if child.name not in ("documentation", "extensionElements")]
    if not times:
        sentence = "Timer needs configuration (either timeDate, timeCycle or timeDuration is needed)."
        problems.append(element.problem(sentence))
        return None
    text = times[0].text.strip()
    if times[0].name not in _TIMERS or "/" in text:
        problems.append(element.problem("Timers that repeat are not supported, only timeDate and timeDuration."))
    elif is_expression(text) and variable_of(text) is None:
        problems.append(element.problem(f"Only ${{variable}} is supported as an expression of a timer: {text[:200]}"))
    return Timer(_TIMERS.get(times[0].name, ""), text)


def _retry_cycle(element: Element, problems: list[Problem]) -> RetryCycle | None:
    for holder in element.named("extensionElements", BPMN):
        for one in holder.named(RETRIES, *EXTENSIONS):
            if is_expression(one.text):
                problems.append(element.problem(f"Expressions in a {RETRIES} are not supported: {one.text[:200]}"))
            elif "/" in one.text.partition("/")[2]:
                problems.append(element.problem(f"A {RETRIES} with a date is not supported: {one.text[:200]}"))
            else:
                return retry_cycle(one.text)
    return None


def _topic(element: Element, problems: list[Problem]) -> str:
    if extension(element, "type") != "external":
        problems.append(element.problem("Only service tasks of the type 'external' are supported."))
        return ""
    topic = extension(element, "topic")
    if not topic:
        problems.append(element.problem("External tasks must specify a 'topic' attribute in the camunda namespace"))
    elif is_expression(topic):
        problems.append(element.problem("Expressions as topics are not supported."))
    return topic or ""


def _priority(element: Element, name: str, defaults: dict[str, str | None], problems: list[Problem]) -> Priority:
    text = extension(element, name)
    text = defaults[name] if text is None else text
    if text is None:
        return Priority()
    made = priority(text)
    if made is None:
        problems.append(
            element.problem(f"Value '{text[:200]}' for attribute '{name}' is not a valid number or ${{variable}}.")
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
