"""From the XML of a file to its processes, or to the list of all that stands against it."""

import re
from collections import Counter

from retriage.store.bpmn.extensions import check_attributes, check_extensions
from retriage.store.bpmn.flows import Flows, read_flows
from retriage.store.bpmn.model import Kind, Node, Process
from retriage.store.bpmn.names import BPMN, BPMNDI, DECLARATIONS, EXTENSIONS, PICTURES, extension
from retriage.store.bpmn.nodes import KINDS, read_node
from retriage.store.bpmn.problems import NotSupported, Problem
from retriage.store.bpmn.schema import check_schema
from retriage.store.bpmn.shape import check_shape
from retriage.store.bpmn.xml import Element, read

_DAYS = re.compile(r"P0*(\d{1,10})D|([+-]?)0*(\d{1,10})", re.ASCII)
_NAME = re.compile(r"[^\W\d][\w.-]*")
_INT_MAX = 2**31 - 1

MAX_ID = 255
"""Characters of an id; the engine's columns hold as many."""

NO_TIME_TO_LIVE = (
    "ENGINE-12018 History Time To Live (TTL) cannot be null. TTL is necessary for the History Cleanup to work. "
    "The following options are possible:\n"
    "* Set historyTimeToLive in the model\n"
    "* Set a default historyTimeToLive as a global process engine configuration\n"
    "* (Not recommended) Deactivate the enforceTTL config to disable this check"
)


def parse(xml: bytes, resource: str) -> list[Process]:
    """Read the executable processes of a BPMN file, in the order of the file. Others are not looked at.

    Args:
        xml: content of the file.
        resource: its name, for the refusal.

    Raises:
        NotSupported: the file is not well-formed, or contains what the store does not run.
    """
    root = read(xml, resource)
    problems: list[Problem] = []
    if root.tag != (BPMN, "definitions"):
        raise NotSupported(resource, [root.problem("The file is not BPMN 2.0: its root must be 'definitions'.")])
    check_schema(root, problems)
    for child in root.children:
        if child.namespace == BPMN and child.name not in DECLARATIONS:
            problems.append(child.problem(f"Element '{child.name}' is not supported."))
        elif child.namespace not in (BPMN, BPMNDI) and child.namespace in EXTENSIONS:
            problems.append(child.problem(f"Extension element '{child.name}' is not supported."))
    found = [child for child in root.named("process", BPMN) if (child.get("isExecutable") or "").strip() == "true"]
    if wrong := _ids(found):
        raise NotSupported(resource, [*problems, *wrong])
    errors = {error.id: error.get("errorCode") for error in root.named("error", BPMN)}
    made = [_process(element, root.get("targetNamespace"), errors, problems) for element in found]
    if problems:
        raise NotSupported(resource, problems)
    return [process for process in made if process is not None]


def _ids(processes: list[Element]) -> list[Problem]:
    """Elements must have ids where the store names them, and ids must be short, and unique over the whole file."""
    elements = [part for process in processes for part in (process, *process.children) if part.namespace == BPMN]
    times = Counter(part.id for part in elements)
    problems = []
    for part in elements:
        if not part.id:
            if part.name in KINDS or part.name == "process":
                problems.append(part.problem(f"Element '{part.name}' needs an id."))
        elif len(part.id) > MAX_ID:
            problems.append(Problem(f"An id is longer than {MAX_ID} characters.", part.line, part.column))
        elif _NAME.fullmatch(part.id) is None:
            problems.append(part.problem(f"'{part.id}' is not an id: only letters, digits, '.', '-' and '_'."))
        elif times[part.id] > 1:
            problems.append(part.problem(f"There are several elements with the id '{part.id}'."))
    return problems


def _process(
    element: Element, category: str | None, errors: dict[str, str | None], problems: list[Problem]
) -> Process | None:
    before = len(problems)
    check_attributes(element, problems, also=frozenset({"taskPriority"}))
    check_extensions(element, problems)
    for child in element.children:
        if child.namespace != BPMN or child.name in PICTURES or child.name == "sequenceFlow" or child.name in KINDS:
            continue
        problems.append(child.problem(f"Element '{child.name}' is not supported."))
    flows = read_flows(element, problems)
    nodes = _nodes(element, flows, errors, problems)
    days = _time_to_live(element, problems)
    start = _start(element, nodes, problems)
    if len(problems) == before:
        check_shape(element, nodes, problems)
    if len(problems) > before or start is None:
        return None
    return Process(
        key=element.id,
        name=element.get("name"),
        category=category,
        description=_documentation(element),
        version_tag=extension(element, "versionTag"),
        history_time_to_live=days,
        start=start,
        nodes=nodes,
        reads=_reads(nodes),
        initiator=_initiator(element),
        startable_in_tasklist=_flag(element, "isStartableInTasklist", default=True),
    )


def _nodes(process: Element, flows: Flows, errors: dict[str, str | None], problems: list[Problem]) -> dict[str, Node]:
    defaults = {name: extension(process, name) for name in ("taskPriority", "jobPriority")}
    nodes = {}
    for child in process.children:
        if child.namespace == BPMN and child.name in KINDS:
            nodes[child.id] = read_node(child, flows, errors, defaults, problems)
    flows.check_ends(process, nodes, problems)
    return nodes


def _start(element: Element, nodes: dict[str, Node], problems: list[Problem]) -> str | None:
    starts = [node.id for node in nodes.values() if node.kind is Kind.START]
    if not starts:
        problems.append(element.problem("process must define a startEvent element"))
        return None
    if len(starts) > 1:
        problems.append(element.problem("Several start events in one process are not supported.", *starts))
    return starts[0]


def _time_to_live(element: Element, problems: list[Problem]) -> int | None:
    text = extension(element, "historyTimeToLive")
    if not text:
        problems.append(element.problem(f"{NO_TIME_TO_LIVE}: {NO_TIME_TO_LIVE}"))
        return None
    found = _DAYS.fullmatch(text)
    days = int(found[1] or found[2] + found[3]) if found else None
    sentence = None
    if days is None or days > _INT_MAX:
        sentence = f'Cannot parse historyTimeToLive: For input string: "{text[:200]}"'
    elif days < 0:
        sentence = "Cannot parse historyTimeToLive: negative value is not allowed"
    if sentence is not None:
        problems.append(element.problem(f"{sentence}: {sentence}"))
        return None
    return days


def _flag(element: Element, name: str, *, default: bool) -> bool:
    """A flag of the engine's own: what is not ``true``, in any case, is false (observed on Camunda 7.24.0)."""
    text = extension(element, name)
    return default if text is None else text.lower() == "true"


def _initiator(element: Element) -> str | None:
    for child in element.named("startEvent", BPMN):
        return extension(child, "initiator")
    return None


def _documentation(element: Element) -> str | None:
    for child in element.named("documentation", BPMN):
        return child.text or None
    return None


def _reads(nodes: dict[str, Node]) -> frozenset[str]:
    conditions = {flow.condition.name for node in nodes.values() for flow in node.outgoing if flow.condition}
    priorities = {one.variable for node in nodes.values() for one in (node.priority, node.job_priority)}
    timers = {node.timer.variable for node in nodes.values() if node.timer}
    return frozenset(name for name in conditions | priorities | timers if name is not None)
