"""What the XML schema of BPMN 2.0 says of the elements that the store reads: attributes, texts and order of children.

The sentences are those of the engine, whose parser checks every file against that schema. Elements that are not listed
here are not looked at: they are refused where they stand, or only draw.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from retriage.store.bpmn.names import BPMN, BPMNDI
from retriage.store.bpmn.problems import Problem
from retriage.store.bpmn.xml import Element

BOOLEANS = frozenset({"true", "false", "1", "0"})

_BASE = ("documentation", "extensionElements")
_FLOW = (*_BASE, "auditing", "monitoring", "categoryValueRef")
_NODE = (*_FLOW, "incoming", "outgoing")
_CALLABLE = (*_BASE, "supportedInterfaceRef", "ioSpecification", "ioBinding")
_PROCESS = (*_CALLABLE, "auditing", "monitoring", "property", "laneSet")
_ARTIFACTS = ("association", "group", "textAnnotation")


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of an element.

    Attributes:
        attributes: names without namespace that it may have, beside ``id``.
        flags: those of them that are true or false.
        needs: those without which it says nothing.
        first: children that come before all others, in this order.
        last: children that come after all others.
        once: children of which there is one at most.
        mixed: whether it may hold text.
    """

    attributes: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    first: tuple[str, ...] = _BASE
    last: tuple[str, ...] = ()
    once: frozenset[str] = frozenset({"extensionElements"})
    mixed: bool = False

    def rank(self, child: Element) -> int:
        """Where a child stands among its siblings."""
        if child.name in self.first:
            return self.first.index(child.name)
        return len(self.first) + (child.name in self.last)


def _form(attributes: str = "name", flags: str = "", needs: str = "", **more: object) -> _Form:
    words = frozenset(attributes.split()), frozenset(flags.split()), frozenset(needs.split())
    return _Form(words[0] | words[1] | words[2], words[1], words[2], **more)  # type: ignore[arg-type]


_TEXT = _form("textFormat", first=(), mixed=True)
_FORMS = {
    "definitions": _form(
        "name expressionLanguage typeLanguage exporter exporterVersion",
        needs="targetNamespace",
        first=("import", "extension"),
        last=("BPMNDiagram", "relationship"),
    ),
    "process": _form(
        "name processType definitionalCollaborationRef",
        flags="isClosed isExecutable",
        first=_PROCESS,
        last=(*_ARTIFACTS, "resourceRole", "correlationSubscription", "supports"),
    ),
    "startEvent": _form(flags="parallelMultiple isInterrupting", first=_NODE),
    "endEvent": _form(first=_NODE),
    "intermediateCatchEvent": _form(flags="parallelMultiple", first=_NODE),
    "timerEventDefinition": _form(""),
    "timeDate": _form("language evaluatesToTypeRef", mixed=True),
    "timeDuration": _form("language evaluatesToTypeRef", mixed=True),
    "boundaryEvent": _form(flags="parallelMultiple cancelActivity", needs="attachedToRef", first=_NODE),
    "serviceTask": _form(
        "name startQuantity completionQuantity default implementation operationRef",
        flags="isForCompensation",
        first=_NODE,
    ),
    "parallelGateway": _form("name gatewayDirection", first=_NODE),
    "exclusiveGateway": _form("name gatewayDirection default", first=_NODE),
    "sequenceFlow": _form(
        flags="isImmediate",
        needs="sourceRef targetRef",
        first=_FLOW,
        once=frozenset({"extensionElements", "conditionExpression"}),
    ),
    "conditionExpression": _form("language evaluatesToTypeRef", mixed=True),
    "errorEventDefinition": _form("errorRef"),
    "error": _form("name errorCode structureRef"),
    "collaboration": _form(flags="isClosed"),
    "documentation": _TEXT,
}


def check_schema(root: Element, problems: list[Problem]) -> None:
    """Add what the schema does not allow in a document, all elements of it.

    Args:
        root: the document's root, ``definitions``.
        problems: where to add.
    """
    waiting = [root]
    while waiting:
        element = waiting.pop()
        waiting.extend(child for child in reversed(element.children) if child.namespace == BPMN)
        if element.name == "extensionElements":
            problems.extend(_in_extensions(element))
        elif (form := _FORMS.get(element.name)) is not None:
            problems.extend((*_attributes(element, form), *_text(element, form.mixed), *_children(element, form)))


def _in_extensions(element: Element) -> Iterator[Problem]:
    yield from (_not_allowed(element, name) for namespace, name in element.attributes if not namespace)
    yield from _text(element, mixed=False)
    yield from (_misplaced(element, child) for child in element.children if child.namespace in ("", BPMN))


def _attributes(element: Element, form: _Form) -> Iterator[Problem]:
    for (namespace, name), value in element.attributes.items():
        if namespace or name == "id":
            continue
        if name not in form.attributes:
            yield _not_allowed(element, name)
        elif name in form.flags and value.strip() not in BOOLEANS:
            yield element.problem(f"cvc-datatype-valid.1.2.1: '{value[:200]}' is not a valid value for 'boolean'.")
    for name in sorted(form.needs):
        if element.get(name) is None:
            yield element.problem(f"cvc-complex-type.4: Attribute '{name}' must appear on element '{element.name}'.")


def _text(element: Element, mixed: bool) -> Iterator[Problem]:
    if not mixed and element.text.strip(" \t\r\n"):
        yield element.problem(
            f"cvc-complex-type.2.3: Element '{element.name}' cannot have character [children], because the type's "
            "content type is element-only."
        )


def _children(element: Element, form: _Form) -> Iterator[Problem]:
    """One problem at most: after the first misplaced child the order says nothing more."""
    reached, seen = 0, set()
    for child in element.children:
        rank = form.rank(child)
        foreign = child.namespace != BPMN and not (child.namespace == BPMNDI and element.name == "definitions")
        if foreign or rank < reached or (child.name in form.once and child.name in seen):
            yield _misplaced(element, child)
            return
        reached = rank
        seen.add(child.name)


def _not_allowed(element: Element, name: str) -> Problem:
    return element.problem(
        f"cvc-complex-type.3.2.2: Attribute '{name[:200]}' is not allowed to appear in element '{element.name}'."
    )


def _misplaced(element: Element, child: Element) -> Problem:
    name = f'{{"{child.namespace[:200]}":{child.name[:200]}}}' if child.namespace else child.name[:200]
    sentence = f"cvc-complex-type.2.4.a: Invalid content was found starting with element '{name}'."
    return Problem(sentence, child.line, child.column, (element.id,) if element.id else ())
