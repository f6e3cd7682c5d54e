"""Kinds of words that the console applies itself.

A word that the engine knows too comes here for what the engine cannot say of it, such as its opposite. It means the
same in both places then, so that ``-word`` finds exactly what ``word`` passes by.

A whole text is compared letter by letter, as the engine does, so that no other key or name is taken for it. A part of
one, ``error~psp``, is found in any case, as nobody remembers that; but where the engine searches for parts itself it
is found as the engine finds it, in its own case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from retriage.console.language.conditions import Condition, Finds
from retriage.console.language.like import ANY
from retriage.console.language.moments import date, duration, shifted
from retriage.console.language.tokens import Token, Value, quote, quoted
from retriage.console.language.words import EQUAL, Wrong, single, within

NONE = "-"
"""Value that stands for having none: ``retries:-`` never failed."""
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True)
class TextWord:
    """``error~503``, ``-error~card``, ``key:ord-*``, ``-tenant``: a text that the row holds.

    Attributes:
        value: takes the text from a record.
        cased: a part is found in its own case only, since the engine finds it so.
    """

    name: str
    value: Callable[[Any], str | None]
    help: str
    cased: bool = False
    aliases: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    remembered: bool = False
    of_task: bool = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        return _looked_at(self.value)

    def read(self, token: Token) -> Condition:
        if token.operator is None:
            return Condition(self.name, negated=token.negated)
        sign, values = "~", token.values
        if token.operator == "~":
            single(token, f"{self.name}~")
        elif token.operator in EQUAL:
            sign, values = _star(token.values), token.values
        else:
            raise Wrong(f"{self.name} takes : or ~, not {token.operator}.")
        if not values:
            raise Wrong(f"{self.name}: needs a value.")
        return Condition(self.name, sign, tuple(value.text for value in values), token.negated)

    def write(self, condition: Condition) -> str:
        minus = "-" if condition.negated else ""
        if not condition.sign:
            return f"{minus}{self.name}"
        if condition.sign == "~":
            return f"{minus}{self.name}~{quote(condition.texts[0])}"
        # A star in quotes is a star, and any other is none.
        texts = (text if condition.sign == ANY else quoted(text) if ANY in text else quote(text)
                 for text in condition.texts)  # fmt: skip
        return f"{minus}{self.name}:{','.join(texts)}"

    def finds(self, condition: Condition, now: datetime) -> Finds:
        fits = _fitting(condition, self.cased)
        return lambda record: fits(self.value(record)) != condition.negated

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}:", f"{self.name}~", f"-{self.name}~", f"-{self.name}")

    def choices(self) -> tuple[str, ...]:
        return self.known


@dataclass(frozen=True)
class Number:
    """``retries:3``, ``retries<3``, ``retries:-``, ``version>=14``: a whole number that the row holds, or none.

    Attributes:
        value: takes the number from a record.
        none: what having none means, where rows may have none. It counts as more than any number then, as the engine
            reads ``retries>0``.
    """

    name: str
    value: Callable[[Any], int | None]
    help: str
    none: str = ""
    aliases: tuple[str, ...] = ()
    remembered: bool = False
    of_task: bool = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        return _looked_at(self.value)

    def read(self, token: Token) -> Condition:
        if token.operator not in (*EQUAL, *_ORDER) or not token.values:
            raise Wrong(f"{self.name} needs a number: {self.name}:3 or {self.name}>3.")
        sign = ":" if token.operator in EQUAL else str(token.operator)
        if sign != ":":
            single(token, f"{self.name}{sign}")
        texts = tuple(self._number(value, sign) for value in token.values)
        return Condition(self.name, sign, texts, token.negated)

    def write(self, condition: Condition) -> str:
        return f"{'-' if condition.negated else ''}{self.name}{condition.sign}{','.join(condition.texts)}"

    def finds(self, condition: Condition, now: datetime) -> Finds:
        wanted = [None if text == NONE else int(text) for text in condition.texts]
        if condition.sign == ":":
            return lambda record: (self.value(record) in wanted) != condition.negated
        compare, than = _ORDER[condition.sign], wanted[0]
        without = bool(self.none) and condition.sign in (">", ">=")
        return lambda record: (
            without if (number := self.value(record)) is None else compare(number, than)
        ) != condition.negated  # fmt: skip

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}:", f"{self.name}>", f"{self.name}<")

    def choices(self) -> tuple[str, ...]:
        return (NONE,) if self.none else ()

    def _number(self, value: Value, sign: str) -> str:
        if value.text == NONE and self.none and sign == ":":
            return NONE
        digits = value.text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
            or_none = f", or {NONE} ({self.none})" if self.none else ""
            raise Wrong(f"{self.name} needs a whole number{or_none}, not {quote(value.text)}.")
        return str(within(int(value.text), self.name))


@dataclass(frozen=True)
class Since:
    """``age>1h``, ``created>2026-03-01``: when something began. A relative time stays relative.

    Attributes:
        value: takes the moment from a record.
        age: the word speaks of age: ``age>1h`` began before an hour ago; otherwise ``created>1h`` began after that.
    """

    name: str
    value: Callable[[Any], datetime | None]
    help: str
    age: bool = False
    aliases: tuple[str, ...] = ()
    remembered: bool = False
    of_task: bool = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        return _looked_at(self.value)

    def read(self, token: Token) -> Condition:
        if token.operator not in ("<", ">"):
            raise Wrong(f"{self.name} is compared with < or >, as in {self.name}>1h.")
        text = single(token, f"{self.name}{token.operator}").text
        span = duration(text)
        known = (not self.age and date(text) is not None) if span is None else span >= timedelta()
        if not known:
            or_date = "" if self.age else ", or a date in UTC like 2026-03-01T09:15"
            raise Wrong(f"{self.name} needs a duration like 30m, 2h or 3d{or_date}.")
        return Condition(self.name, str(token.operator), (text,), token.negated)

    def write(self, condition: Condition) -> str:
        return f"{'-' if condition.negated else ''}{self.name}{condition.sign}{condition.texts[0]}"

    def finds(self, condition: Condition, now: datetime) -> Finds:
        text = condition.texts[0]
        span = duration(text)
        moment = date(text) if span is None else shifted(now, -span)
        before = (condition.sign == ">") == self.age
        return lambda record: _began(self.value(record), moment, before) != condition.negated

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}>", f"{self.name}<")

    def choices(self) -> tuple[str, ...]:
        return ("5m", "1h", "1d")


@dataclass(frozen=True)
class Is:
    """``failed``, ``-failed``: something that is so or is not.

    Attributes:
        value: says of a record whether it is so.
        remembered: it is so only of rows that were retried from here before.
    """

    name: str
    value: Callable[[Any], bool]
    help: str
    aliases: tuple[str, ...] = ()
    remembered: bool = False
    of_task: bool = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        return _looked_at(self.value)

    def read(self, token: Token) -> Condition:
        if token.operator is not None:
            raise Wrong(f"{self.name} takes no value; write {self.name} or -{self.name}.")
        return Condition(self.name, negated=token.negated)

    def write(self, condition: Condition) -> str:
        return f"-{self.name}" if condition.negated else self.name

    def finds(self, condition: Condition, now: datetime) -> Finds:
        # One that is remembered is turned around where what is remembered is known.
        negated = condition.negated and not self.remembered
        return lambda record: self.value(record) != negated

    def forms(self) -> tuple[str, ...]:
        return (self.name, f"-{self.name}")

    def choices(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class FieldOf:
    """Takes a field from a record, whole or what ``taken`` makes of it."""

    name: str
    taken: Callable[[Any], Any] | None = None

    def __call__(self, record: Any) -> Any:
        value = getattr(record, self.name)
        return value if self.taken is None else self.taken(value)


def field(name: str) -> Callable[[Any], Any]:
    """Takes a field from a record."""
    return FieldOf(name)


def version(name: str) -> Callable[[Any], int | None]:
    """Takes the version out of a process definition id of the form ``key:version:id``."""

    def taken(whole: str | None) -> int | None:
        parts = (whole or "").split(":")
        return int(parts[1]) if len(parts) >= 3 and parts[1].isascii() and parts[1].isdigit() else None

    return FieldOf(name, taken)


def _looked_at(value: Callable[[Any], Any]) -> tuple[str, ...]:
    return (value.name,) if isinstance(value, FieldOf) else ()


def _star(values: tuple[Value, ...]) -> str:
    """How values are compared: with stars if one of them has any outside quotes."""
    if not any(ANY in value.text and not value.quoted for value in values):
        return ":"
    for value in values:
        if value.quoted:
            raise Wrong(
                "A text in quotes cannot stand beside one with a star; write two words.", value.start, value.end
            )
    return ANY


def _fitting(condition: Condition, cased: bool) -> Callable[[str | None], bool]:
    texts = condition.texts
    if not condition.sign:
        return bool
    if condition.sign == "~" and cased:
        return lambda text: text is not None and texts[0] in text
    if condition.sign == "~":
        part = texts[0].casefold()
        return lambda text: text is not None and part in text.casefold()
    if condition.sign == ANY:
        patterns = [text.split(ANY) for text in texts]
        return lambda text: text is not None and any(_in_order(text, parts) for parts in patterns)
    return lambda text: text is not None and text in texts


def _in_order(text: str, parts: list[str]) -> bool:
    """Whether a text consists of the parts with anything between them. One pass, however long the text."""
    first, *inner = parts
    if not inner:
        return text == first
    last = inner.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in inner:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _began(at: datetime | None, moment: datetime | None, before: bool) -> bool:
    if at is None:
        return False
    # A moment before the calendar begins is before everything.
    return (moment is not None and at < moment) if before else (moment is None or at > moment)
