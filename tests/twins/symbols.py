"""Requests that two engines can be sent alike: what an engine made up itself stands in them by its common name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Pick:
    """The id of one thing of a kind: the n-th of all that ever were, or of those that still live, counted round.

    A made-up id if there is none.
    """

    kind: str
    number: int
    living: bool = False


@dataclass(frozen=True)
class At:
    """A moment of the world's life: between its steps (counted round), and so many milliseconds later.

    ``as_number`` writes it as milliseconds since 1970, which bodies may.
    """

    step: int
    later: int = 0
    as_number: bool = False


@dataclass(frozen=True)
class Text:
    """A text with symbols inside: ``%s`` in turn."""

    pattern: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Joined:
    """Texts joined by commas, as lists are in a query string."""

    parts: tuple[Any, ...]


class Reader(Protocol):
    """Who knows what symbols mean on one engine."""

    def id_of(self, pick: Pick) -> str:
        """The id on this engine."""

    def moment_of(self, at: At) -> str | int:
        """The moment, written as the contract does."""


@dataclass(frozen=True)
class Ask:
    """One request. ``rows`` names the subject whose rows the answer lists, if it does.

    ``parts`` are the parts of a form (name, file name or none, content); ``raw`` is a body that is no JSON.
    """

    method: str
    path: Any
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    raw: str | None = None
    parts: tuple[tuple[str, str | None, str], ...] = ()
    rows: str | None = None

    def resolved(self, reader: Reader) -> dict[str, Any]:
        """What to hand to an HTTP client of that engine."""
        sent: dict[str, Any] = {"method": self.method, "url": resolve(self.path, reader)}
        if self.params:
            sent["params"] = {name: resolve(value, reader) for name, value in self.params.items()}
        if self.parts:
            sent["files"] = [
                (name, (file, content, "text/plain")) if file else (name, (None, content))
                for name, file, content in self.parts
            ]
        elif self.raw is not None:
            sent |= {"content": self.raw, "headers": {"content-type": "application/json"}}
        elif self.body is not None:
            sent["json"] = resolve(self.body, reader)
        return sent


def resolve(value: Any, reader: Reader) -> Any:
    """The same value with all symbols read."""
    match value:
        case Pick():
            return reader.id_of(value)
        case At():
            return reader.moment_of(value)
        case Text():
            return value.pattern % tuple(resolve(part, reader) for part in value.parts)
        case Joined():
            return ",".join(str(resolve(part, reader)) for part in value.parts)
        case dict():
            return {name: resolve(inner, reader) for name, inner in value.items()}
        case list() | tuple():
            return [resolve(inner, reader) for inner in value]
    return value
