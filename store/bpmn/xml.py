"""XML from strangers, read into small elements that remember their place.

A document type, and so every entity definition, is refused: BPMN needs none, and all attacks of the "billion laughs"
kind stand on them. Size, depth and number of elements are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from retriage.store.bpmn.problems import NotSupported, Problem

MAX_BYTES = 4_000_000
MAX_DEPTH = 100
MAX_ELEMENTS = 50_000
ENCODINGS = frozenset(
    {"utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "latin1", "us-ascii", "ascii"}
    | {"windows-1252", "cp1252"}
)
"""What a file may say that it is written in."""

_SEPARATOR = "\x1f"


@dataclass(slots=True, eq=False)
class Element:
    """An element. ``tag`` and the keys of ``attributes`` are (namespace, local name); no namespace is ``""``."""

    tag: tuple[str, str]
    attributes: dict[tuple[str, str], str]
    line: int
    column: int
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Namespace of the tag."""
        return self.tag[0]

    @property
    def name(self) -> str:
        """Local name of the tag."""
        return self.tag[1]

    @property
    def text(self) -> str:
        """The text directly inside the element."""
        return "".join(self.texts)

    @property
    def id(self) -> str:
        """The element's id, ``""`` when it has none."""
        return self.attributes.get(("", "id"), "")

    def get(self, name: str, *namespaces: str) -> str | None:
        """The attribute of this name in the first of the namespaces that has it; without namespaces a plain one."""
        for namespace in namespaces or ("",):
            if (value := self.attributes.get((namespace, name))) is not None:
                return value
        return None

    def named(self, name: str, *namespaces: str) -> Iterator["Element"]:
        """Children of this name in one of these namespaces."""
        return (child for child in self.children if child.name == name and child.namespace in namespaces)

    def problem(self, message: str, *others: str) -> Problem:
        """A problem at this element's place, about it and the other element ids."""
        return Problem(message, self.line, self.column, tuple(part for part in (self.id, *others) if part))


class _Refused(Exception):
    pass


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            # The parser would ask Python for it, which knows encodings that are no encodings of texts.
            raise _Refused(f"The encoding '{encoding[:40]}' is not supported.")

    def _doctype(self, *_: object) -> None:
        raise _Refused("A document type declaration (DOCTYPE) is not allowed.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Refused(f"The file has more than {MAX_ELEMENTS} elements.")
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(f"The elements are nested deeper than {MAX_DEPTH}.")
        made = Element(
            _split(tag),
            {_split(name): value for name, value in attributes.items()},
            self.parser.CurrentLineNumber,
            self.parser.CurrentColumnNumber + 1,
        )
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        self._open[-1].texts.append(data)


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition(_SEPARATOR)
    return namespace, local


def read(xml: bytes, resource: str) -> Element:
    """Read a document.

    Raises:
        NotSupported: it is too large or too deep, not well-formed, or declares a document type.
    """
    if len(xml) > MAX_BYTES:
        raise NotSupported(resource, [Problem(f"The file is larger than {MAX_BYTES} bytes.")])
    reader = _Reader()
    try:
        reader.parser.Parse(xml, True)
    except _Refused as refusal:
        place = (reader.parser.CurrentLineNumber, reader.parser.CurrentColumnNumber + 1)
        raise NotSupported(resource, [Problem(str(refusal), *place)]) from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "offset", -1) + 1
        sentence = expat.errors.messages.get(getattr(error, "code", 0), str(error))
        raise NotSupported(resource, [Problem(f"The file is not well-formed XML: {sentence}.", line, column)]) from None
    assert reader.root is not None, "a document that parses has a root"
    return reader.root
