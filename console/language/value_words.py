"""Words whose values are whole numbers, or one of a few."""

from collections.abc import Iterator
from dataclasses import dataclass

from retriage.console.language.tokens import Token, quote
from retriage.console.language.words import EQUAL, Beyond, Reading, Wrong, single, within
from retriage.store.contract.queries import Query


@dataclass(frozen=True)
class Range:
    """``priority>=50``, ``priority<9``, ``priority:7``: whole numbers between two fields, both inclusive."""

    name: str
    at_least: str
    at_most: str
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.at_least, self.at_most)

    def read(self, token: Token, reading: Reading) -> None:
        if token.negated:
            raise Beyond(f"The engine cannot exclude a {self.name}; write {self.name}>9 or {self.name}<9.")
        if token.operator is None:
            raise Wrong(f"{self.name} needs a number: {self.name}>=50.")
        steps = {">=": (0, None), "<=": (None, 0), ">": (1, None), "<": (None, -1), ":": (0, 0), "=": (0, 0)}
        if token.operator not in steps:
            raise Wrong(f"{self.name} takes >=, <=, >, < or :, not {token.operator}.")
        number = whole(single(token, f"{self.name}{token.operator}").text, self.name)
        for name, step in zip((self.at_least, self.at_most), steps[token.operator], strict=True):
            if step is not None:
                reading.put(token, name, within(number + step, self.name))

    def write(self, query: Query) -> Iterator[str]:
        low, high = getattr(query, self.at_least), getattr(query, self.at_most)
        if low is not None and low == high:
            yield f"{self.name}:{low}"
            return
        if low is not None:
            yield f"{self.name}>={low}"
        if high is not None:
            yield f"{self.name}<={high}"

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}>=", f"{self.name}<=")

    def choices(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class FlagWord:
    """``retries:0``, ``retries:>0``: a few values, each a flag; several are allowed where they can be true together."""

    name: str
    flags: tuple[tuple[str, str], ...]
    listed: bool = False
    aliases: tuple[str, ...] = ()
    why_not: str = ""

    def fields(self) -> tuple[str, ...]:
        return tuple(flag for _, flag in self.flags)

    def read(self, token: Token, reading: Reading) -> None:
        known = dict(self.flags)
        if token.operator is None:
            raise Wrong(self._usage())
        if token.negated or (len(token.values) > 1 and not self.listed):
            raise Beyond(self._usage())
        if not token.values:
            raise Wrong(f"{self.name}: needs a value: {self._said()}.")
        for value in token.values:
            said = value.text if token.operator in EQUAL else f"{token.operator}{value.text}"
            if said not in known:
                raise Beyond(self.why_not.format(things=reading.things) or self._usage(), token.start, value.end)
            reading.put(token, known[said], True)

    def write(self, query: Query) -> Iterator[str]:
        for said, flag in self.flags:
            if getattr(query, flag) is True:
                yield f"{self.name}:{said}"

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}:",)

    def choices(self) -> tuple[str, ...]:
        return tuple(said for said, _ in self.flags)

    def _said(self) -> str:
        return " or ".join(self.choices())

    def _usage(self) -> str:
        return f"{self.name} is {' or '.join(f'{self.name}:{said}' for said in self.choices())}."


def whole(text: str, name: str) -> int:
    """A whole number."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise Wrong(f"{name} needs a whole number, not {quote(text)}.")
    return within(int(text), name)
