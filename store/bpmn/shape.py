"""Checks of the whole drawing, once every part of it has been read."""

from retriage.store.bpmn.model import Kind, Node
from retriage.store.bpmn.problems import Problem
from retriage.store.bpmn.xml import Element


def check_shape(process: Element, nodes: dict[str, Node], problems: list[Problem]) -> None:
    """Add what is wrong between nodes: entries, exits, defaults, what boundary events sit on, and endless loops."""
    for element in process.children:
        node = nodes.get(element.id)
        if node is not None:
            problems.extend(element.problem(message, *others) for message, others in _wrong(node, nodes))
    loop = _endless(nodes)
    if loop:
        problems.append(process.problem("A loop in which no token ever waits would never end.", *loop))


def _wrong(node: Node, nodes: dict[str, Node]) -> list[tuple[str, tuple[str, ...]]]:
    wrong: list[tuple[str, tuple[str, ...]]] = []
    if node.kind in (Kind.START, Kind.BOUNDARY) and node.incoming:
        wrong.append((f"A {node.kind.value} can not have incoming sequence flows.", ()))
    if node.kind is Kind.END and node.outgoing:
        wrong.append(("An endEvent can not have outgoing sequence flows.", ()))
    if node.kind is Kind.BOUNDARY:
        host = nodes.get(node.attached or "")
        if host is None or host.kind is not Kind.TASK:
            wrong.append((f"Invalid reference in boundary event: no service task '{node.attached or ''}'.", ()))
    if node.kind is Kind.CHOICE:
        wrong.extend(_choices(node))
    return wrong


def _choices(gateway: Node) -> list[tuple[str, tuple[str, ...]]]:
    name = f"Exclusive Gateway '{gateway.id}'"
    if not gateway.outgoing:
        return [(f"{name} has no outgoing sequence flows.", ())]
    if gateway.default is not None and gateway.default not in {flow.id for flow in gateway.outgoing}:
        return [(f"{name} has the default sequence flow '{gateway.default}', which does not leave it.", ())]
    if len(gateway.outgoing) == 1:
        (only,) = gateway.outgoing
        if only.condition is None:
            return []
        sentence = f"{name} has only one outgoing sequence flow ('{only.id}'). This is not allowed to have a condition."
        return [(sentence, ())]
    subject = f"{name} has outgoing sequence flow"
    wrong: list[tuple[str, tuple[str, ...]]] = []
    for flow in gateway.outgoing:
        if flow.id == gateway.default and flow.condition is not None:
            sentence = f"{subject} '{flow.id}' which is the default flow but has a condition too."
            wrong.append((sentence, (flow.id,)))
    bare = [flow for flow in gateway.outgoing if flow.condition is None and flow.id != gateway.default]
    if gateway.default is None and len(bare) == 1:
        # It is taken where it is reached, before the flows that are drawn later (observed on Camunda 7.24.0).
        return wrong
    for flow in bare:
        sentence = f"{subject} '{flow.id}' without condition which is not the default flow."
        wrong.append((sentence, (flow.id,)))
    return wrong


def _endless(nodes: dict[str, Node]) -> list[str]:
    """One loop that passes no task and no job, so that a token in it would never wait; empty when there is none."""
    before: dict[str, list[str]] = {
        name: [] for name, node in nodes.items() if node.kind is not Kind.TASK and not node.pauses
    }
    for name in before:
        for flow in nodes[name].outgoing:
            if flow.target in before:
                before[flow.target].append(name)
    left = _behind_loops(nodes, {name: len(sources) for name, sources in before.items()})
    if not left:
        return []
    path = [next(iter(left))]
    seen = {path[0]: 0}
    while True:
        source = next(name for name in before[path[-1]] if name in left)
        if source in seen:
            return path[seen[source] :]
        seen[source] = len(path)
        path.append(source)


def _behind_loops(nodes: dict[str, Node], entering: dict[str, int]) -> dict[str, int]:
    """What remains when nodes without a way in are taken away, again and again: each has a way in that remains."""
    free = [name for name, count in entering.items() if not count]
    while free:
        name = free.pop()
        del entering[name]
        for flow in nodes[name].outgoing:
            if flow.target in entering:
                entering[flow.target] -= 1
                if not entering[flow.target]:
                    free.append(flow.target)
    return entering
