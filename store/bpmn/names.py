"""Names of BPMN 2.0 and of the engines' extensions to it."""

from retriage.store.bpmn.xml import Element

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
EXTENSIONS = ("http://camunda.org/schema/1.0/bpmn", "http://operaton.org/schema/1.0/bpmn")
"""The two names of one vocabulary; an attribute of the first is preferred where both are given."""

HARMLESS_ATTRIBUTES = frozenset(
    {
        "candidateStarterGroups",
        "candidateStarterUsers",
        "exclusive",
        "formKey",
        "historyTimeToLive",
        "initiator",
        "isStartableInTasklist",
        "jobPriority",  # of a process: the default of its nodes
        "modelerTemplate",
        "modelerTemplateIcon",
        "modelerTemplateVersion",
        "versionTag",
    }
)
"""Extension attributes that change nothing about how tokens move and tasks are made."""

PICTURES = frozenset({"documentation", "laneSet", "textAnnotation", "association", "group", "extensionElements"})
"""Children of a process that only explain or draw (extension elements are looked at on their own)."""

DECLARATIONS = frozenset(
    {
        "category",
        "collaboration",
        "dataStore",
        "error",
        "escalation",
        "itemDefinition",
        "message",
        "process",
        "signal",
    }
)
"""Children of ``definitions`` that do nothing by themselves; what uses them is refused where it stands."""


def extension(element: Element, name: str) -> str | None:
    """An extension attribute, in the vocabulary of either engine."""
    return element.get(name, *EXTENSIONS)
