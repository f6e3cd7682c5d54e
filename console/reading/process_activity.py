"""What the BPMN file of a process says of one activity: whether an instance can go on behind it.

The file is an author's, and may be anything: a document type is refused, so that no entity is expanded, and its size
and number of elements are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from xml.parsers import expat

from retriage.console.engine.errors import Refused

if TYPE_CHECKING:
    from retriage.store.contract.deployments import ProcessDefinitionXml

MOST_CHARACTERS = 8_000_000
MOST_ELEMENTS = 200_000
CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway", "complexGateway"})
"""Gateways that decide by conditions which way an instance takes."""
_BETWEEN = "\x1f"


class ProcessFiles(Protocol):
    """The part of the client that reads the file of a process."""

    async def process_definition_xml(self, id: str) -> ProcessDefinitionXml:
        """The BPMN file of a process definition."""
        ...


@dataclass(frozen=True)
class ProcessActivity:
    """An activity of one version of a process.

    Attributes:
        readable: the file could be read, and has it; else nothing of the rest is known.
        ways: sequence flows that leave it.
        repeated: it is a multi-instance activity.
        chooses: the id of a gateway right behind it that decides by conditions; empty where there is none.
    """

    readable: bool = False
    ways: int = 0
    repeated: bool = False
    chooses: str = ""


async def activity_of_process(client: ProcessFiles, definition_id: str, activity: str) -> ProcessActivity:
    """What a version of a process says of an activity.

    Args:
        client: reads its file.
        definition_id: the version.
        activity: id of the activity.

    Raises:
        EngineProblem: the engine did not answer. Where this user may not read the file, nothing is raised: it is not
            readable.
    """
    try:
        return read_activity((await client.process_definition_xml(definition_id)).bpmn20_xml, activity)
    except Refused as problem:
        if not problem.says_never:
            raise
        return ProcessActivity()


def read_activity(xml: str, activity: str) -> ProcessActivity:
    """The same of a file; not readable where it is no XML, has a document type, is too large, or has no such id."""
    if len(xml) > MOST_CHARACTERS:
        return ProcessActivity()
    reader = _Reader(activity)
    try:
        reader.parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, _NotRead):
        return ProcessActivity()
    if not reader.found:
        return ProcessActivity()
    chooses = next((target for target in reader.targets if target in reader.choosing), "")
    return ProcessActivity(True, len(reader.targets), reader.repeated, chooses)


class _NotRead(Exception):
    pass


class _Reader:
    def __init__(self, activity: str) -> None:
        self._activity = activity
        self._open: list[bool] = []
        """Of each open element: it is the activity."""
        self._elements = 0
        self.found = self.repeated = False
        self.targets: list[str] = []
        self.choosing: set[str] = set()
        self.parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._begins
        self.parser.EndElementHandler = self._ends

    def _doctype(self, *_: object) -> None:
        raise _NotRead

    def _begins(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise _NotRead
        name, is_it = tag.rpartition(_BETWEEN)[2], attributes.get("id") == self._activity
        if name == "sequenceFlow" and attributes.get("sourceRef") == self._activity:
            self.targets.append(attributes.get("targetRef", ""))
        elif name in CHOOSING:
            self.choosing.add(attributes.get("id", ""))
        elif name == "multiInstanceLoopCharacteristics" and self._open and self._open[-1]:
            self.repeated = True
        self.found = self.found or is_it
        self._open.append(is_it)

    def _ends(self, _: str) -> None:
        self._open.pop()
