"""Words about time. A relative time becomes a moment when the line is read, and stays it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from retriage.console.language.moments import date, duration, shifted, written
from retriage.console.language.tokens import Token
from retriage.console.language.words import Reading, Wrong, single
from retriage.store.contract.queries import Query, TimeFilter
from retriage.store.contract.values import format_moment, parse_moment

_COMPARISONS = frozenset({"<", ">"})


@dataclass(frozen=True)
class Moment:
    """``raised>2026-03-01T09:15``, ``lock<5m``: before and after a moment.

    Attributes:
        before: field for ``<``.
        after: field for ``>``.
        ahead: a duration counts from now into the future (``lock<5m``: within five minutes), otherwise into the past.
    """

    name: str
    before: str
    after: str
    ahead: bool = False
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.before, self.after)

    def read(self, token: Token, reading: Reading) -> None:
        moment = moment_of(self.name, token, reading, ahead=self.ahead)
        reading.put(token, self.before if token.operator == "<" else self.after, moment)

    def write(self, query: Query) -> Iterator[str]:
        for sign, name in (("<", self.before), (">", self.after)):
            moment = getattr(query, name)
            if moment is not None:
                yield f"{self.name}{sign}{written(moment)}"

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}<", f"{self.name}>")

    def choices(self) -> tuple[str, ...]:
        return ("5m", "1h") if self.ahead else ("1h", "1d")


@dataclass(frozen=True)
class Age:
    """``age>1h``: older than, ``age<5m``: younger than; the same two fields as a :class:`Moment`, which writes them."""

    name: str
    before: str
    after: str
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.before, self.after)

    def read(self, token: Token, reading: Reading) -> None:
        reading.put(token, self.before if token.operator == ">" else self.after, birth(self.name, token, reading))

    def write(self, query: Query) -> Iterator[str]:
        return iter(())

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}>", f"{self.name}<")

    def choices(self) -> tuple[str, ...]:
        return ("5m", "1h", "1d")


@dataclass(frozen=True)
class Moments:
    """``due<5m``, ``created>2026-03-01``: any number of comparisons in one field, as the job query has them.

    Attributes:
        field: field that takes them.
        ahead: as in :class:`Moment`.
        age: the word speaks of age instead: ``age>1h`` is created before an hour ago.
    """

    name: str
    field: str
    ahead: bool = False
    age: bool = False
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def read(self, token: Token, reading: Reading) -> None:
        if self.age:
            moment, before = birth(self.name, token, reading), token.operator == ">"
        else:
            moment, before = moment_of(self.name, token, reading, ahead=self.ahead), token.operator == "<"
        reading.add(self.field, TimeFilter(operator="lt" if before else "gt", value=format_moment(moment)))

    def write(self, query: Query) -> Iterator[str]:
        for entry in () if self.age else getattr(query, self.field) or ():
            yield f"{self.name}{'<' if entry.operator == 'lt' else '>'}{written(parse_moment(entry.value))}"

    def forms(self) -> tuple[str, ...]:
        return (f"{self.name}<", f"{self.name}>")

    def choices(self) -> tuple[str, ...]:
        return ("5m", "1h")


def moment_of(name: str, token: Token, reading: Reading, *, ahead: bool) -> datetime:
    """The moment that a comparison names."""
    text = _compared(name, token, f"{name}<5m" if ahead else f"{name}>1h")
    if (moment := date(text)) is not None:
        return moment
    if (span := duration(text)) is not None:
        return _from_now(reading, span if ahead else -span, name)
    raise Wrong(f"{name} needs a duration like 30m or 2h, or a date in UTC like 2026-03-01T09:15.")


def birth(name: str, token: Token, reading: Reading) -> datetime:
    """The moment at which something of that age began."""
    span = duration(_compared(name, token, f"{name}>1h"))
    if span is None or span < timedelta():
        raise Wrong(f"{name} needs a duration like 30m, 2h or 3d.")
    return _from_now(reading, -span, name)


def _compared(name: str, token: Token, example: str) -> str:
    if token.negated or token.operator not in _COMPARISONS:
        raise Wrong(f"{name} is compared with < or >, as in {example}.")
    text: str = single(token, f"{name}{token.operator}").text
    return text


def _from_now(reading: Reading, span: timedelta, name: str) -> datetime:
    moment = shifted(reading.now, span)
    if moment is None:
        raise Wrong(f"That reaches beyond the calendar; {name} takes less.")
    return moment
