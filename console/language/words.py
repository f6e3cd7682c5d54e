"""Kinds of words. A word reads its token into fields of a query, and writes those fields as text again.

A kind raises :class:`Wrong` for a token that it cannot read; the sentence is for the operator.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from retriage.console.language.conditions import Condition
from retriage.console.language.like import ANY, contained, containing, starred, unstarred
from retriage.console.language.tokens import BARE_FIRST, Token, quote, quoted
from retriage.store.contract.queries import Query

EQUAL = frozenset({":", "="})
LONG_MAX = 2**63 - 1


class Wrong(Exception):
    """A mistake in a token, with its place when it is not the whole token."""

    def __init__(self, sentence: str, start: int | None = None, end: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.start = start
        self.end = end


class Beyond(Wrong):
    """The engine has no such filter; the console may apply it itself."""


@dataclass
class Reading:
    """What has been read of a line so far.

    Attributes:
        things: what the line filters, "tasks".
        now: the moment that relative times count from.
        fields: field of the query -> its value.
        conditions: what the console looks for itself.
    """

    things: str
    now: datetime
    fields: dict[str, Any] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)

    def put(self, token: Token, name: str, value: Any) -> None:
        """Set a field, once."""
        if name in self.fields:
            raise Wrong(f"{token.name} is given twice; keep one.")
        self.fields[name] = value

    def add(self, name: str, value: Any) -> None:
        """Append to a field that holds a list of comparisons."""
        self.fields.setdefault(name, []).append(value)


class Word(Protocol):
    """One word of the filter line."""

    @property
    def name(self) -> str:
        """As it is typed."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names for the same."""
        ...

    def fields(self) -> tuple[str, ...]:
        """Fields of the query that it sets."""
        ...

    def read(self, token: Token, reading: Reading) -> None:
        """Put what the token says into the reading.

        Raises:
            Wrong: the token says something that this word cannot.
        """
        ...

    def write(self, query: Query) -> Iterator[str]:
        """The words that say what the query's fields hold."""
        ...

    def forms(self) -> tuple[str, ...]:
        """How it may begin, for completion: ``topic:``, ``locked``, ``-locked``."""
        ...

    def choices(self) -> tuple[str, ...]:
        """Values that are known beforehand."""
        ...


@dataclass(frozen=True)
class Flag:
    """``locked``, ``-locked``: a field and value for yes, and one for no where the engine has it."""

    name: str
    yes: tuple[str, bool]
    no: tuple[str, bool] | None = None
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.yes[0],) if self.no is None else (self.yes[0], self.no[0])

    def read(self, token: Token, reading: Reading) -> None:
        if token.operator is not None:
            raise Wrong(f"{self.name} takes no value; write {' or '.join(self.forms())}.")
        said = self.no if token.negated else self.yes
        if said is None:
            raise Beyond(f"The engine cannot filter {reading.things} by the opposite of {self.name}.")
        reading.put(token, *said)

    def write(self, query: Query) -> Iterator[str]:
        if getattr(query, self.yes[0]) is self.yes[1]:
            yield self.name
        if self.no is not None and getattr(query, self.no[0]) is self.no[1]:
            yield f"-{self.name}"

    def forms(self) -> tuple[str, ...]:
        return (self.name,) if self.no is None else (self.name, f"-{self.name}")

    def choices(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Text:
    """``topic:x``, ``process:a,b``, ``error~x``, ``key:ord-*``, ``-process:a``, ``-tenant``: texts.

    Each form is there where the engine has it.


    Attributes:
        one: field for a single value.
        many: field for a list of values.
        like: field for a pattern.
        none_of: field for a list of values that must not be.
        absent: flag for having no value at all.
        known: values known beforehand.
    """

    name: str
    one: str | None = None
    many: str | None = None
    like: str | None = None
    none_of: str | None = None
    absent: str | None = None
    known: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in (self.one, self.many, self.like, self.none_of, self.absent) if name is not None)

    def read(self, token: Token, reading: Reading) -> None:
        if token.operator is None:
            self._read_bare(token, reading)
        elif token.operator in EQUAL:
            self._read_equal(token, reading)
        elif token.operator in ("~", "~~"):
            self._read_like(token, reading)
        else:
            raise Beyond(f"The engine cannot compare {self.name} with {token.operator}; write {self.forms()[0]}value.")

    def write(self, query: Query) -> Iterator[str]:
        one, many = self._held(query, self.one), self._held(query, self.many)
        if one is not None:
            yield f"{self.name}:{_exact(one)}"
        if many:
            yield f"{self.name}:{_list(many, marked=self.one is not None)}"
        if (pattern := self._held(query, self.like)) is not None:
            yield f"{self.name}{_sought(pattern, plain=self.one is not None)}"
        if others := self._held(query, self.none_of):
            yield f"-{self.name}:{_list(others, marked=False)}"
        if self._held(query, self.absent):
            yield f"-{self.name}"

    def forms(self) -> tuple[str, ...]:
        said = [f"{self.name}:"] if self.one or self.many else []
        said += [f"{self.name}~"] if self.like else []
        said += [f"-{self.name}:"] if self.none_of else []
        return (*said, f"-{self.name}") if self.absent else tuple(said)

    def choices(self) -> tuple[str, ...]:
        return self.known

    def _held(self, query: Query, name: str | None) -> Any:
        return None if name is None else getattr(query, name)

    def _read_bare(self, token: Token, reading: Reading) -> None:
        if not token.negated:
            raise Wrong(f"{self.name} needs a value: {self.forms()[0]}value.")
        if self.absent is None:
            raise Beyond(f"The engine cannot filter {reading.things} by having no {self.name}.")
        reading.put(token, self.absent, True)

    def _read_equal(self, token: Token, reading: Reading) -> None:
        texts = [value.text for value in token.values]
        if not texts:
            raise Wrong(f"{self.name}: needs a value.")
        star = any(ANY in value.text and not value.quoted for value in token.values)
        if star and (self.like is None or token.negated or token.listed):
            raise Beyond(f"The engine takes no star in {self.name}; quotes make it a plain character.")
        if token.negated:
            if self.none_of is None:
                raise Beyond(f"The engine cannot exclude {reading.things} by {self.name}.")
            reading.put(token, self.none_of, texts)
        elif star and self.like is not None:
            reading.put(token, self.like, starred(texts[0]))
        elif self.one is not None and not token.listed:
            reading.put(token, self.one, texts[0])
        elif self.many is not None:
            reading.put(token, self.many, texts)
        elif self.one is not None:
            raise Beyond(
                f"{self.name}: takes one value, the engine filters {reading.things} by one only; "
                "a value that holds a comma goes in double quotes."
            )
        else:
            raise Wrong(f"{self.name} is searched for, write {self.name}~text.")

    def _read_like(self, token: Token, reading: Reading) -> None:
        if self.like is None:
            raise Beyond(f"The engine cannot search inside {self.name}; write the whole of it: {self.forms()[0]}value.")
        if token.negated:
            raise Beyond(f"The engine cannot exclude {reading.things} by a part of {self.name}.")
        text = single(token, f"{self.name}{token.operator}").text
        reading.put(token, self.like, text if token.operator == "~~" else containing(text))


def single(token: Token, said: str) -> Any:
    """The only value of a token."""
    if not token.values:
        raise Wrong(f"{said} needs a value.")
    if len(token.values) > 1 or token.listed:
        raise Wrong(f"{said} takes one value; a value that holds a comma goes in double quotes.")
    return token.values[0]


def within(number: int, name: str) -> int:
    """A number that the contract can carry (64 bits)."""
    if not -LONG_MAX - 1 <= number <= LONG_MAX:
        raise Wrong(f"That number is too large for {name}.")
    return number


def _list(texts: list[str], *, marked: bool) -> str:
    """Values with commas; a single one is marked as a list where it could be taken for the single form."""
    return ",".join(_exact(text) for text in texts) + ("," if marked and len(texts) == 1 else "")


def _exact(text: str) -> str:
    """A value that is meant letter by letter: a star outside quotes would stand for any characters."""
    return quoted(text) if ANY in text else quote(text)


def _sought(pattern: str, *, plain: bool) -> str:
    """The operator and text of a pattern; with stars only where the word has a plain form, which they belong to."""
    text = contained(pattern)
    if text is not None:
        return f"~{quote(text)}"
    star = unstarred(pattern) if plain else None
    if star is not None and quote(star) == star and star[0] not in BARE_FIRST:
        return f":{star}"
    return f"~~{quote(pattern)}"
