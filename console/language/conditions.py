"""What the engine cannot filter and the console looks for in the rows it reads."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from console.language.tokens import Token


@dataclass(frozen=True)
class Condition:
    """One condition on a row.

    Attributes:
        word: the word of the console that understands it.
        sign: how the row is compared: ``:``, ``*`` (with stars), ``~``, a comparison; empty for a word without value.
        texts: what it is compared with; one of several has to fit.
        negated: the opposite is wanted.
    """

    word: str
    sign: str = ""
    texts: tuple[str, ...] = ()
    negated: bool = False


Finds = Callable[[Any], bool]
"""Says of a record whether it is wanted."""


class ConsoleWord(Protocol):
    """A word that the console itself applies, to rows that it has read."""

    @property
    def name(self) -> str:
        """As it is typed."""
        ...

    @property
    def help(self) -> str:
        """What it looks for, in one sentence."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names for the same."""
        ...

    @property
    def remembered(self) -> bool:
        """Only rows that were retried from here before can fit, which the operator's journal knows."""
        ...

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Fields of the record that it looks at and that an older engine may not have."""
        ...

    def read(self, token: Token) -> Condition:
        """The condition that a token says.

        Raises:
            Wrong: it says something that this word cannot.
        """
        ...

    def write(self, condition: Condition) -> str:
        """A condition as the line says it."""
        ...

    def finds(self, condition: Condition, now: datetime) -> Finds:
        """How to tell the rows that fit; times count from ``now``."""
        ...

    def forms(self) -> tuple[str, ...]:
        """How it may begin, for completion."""
        ...

    def choices(self) -> tuple[str, ...]:
        """Values that are known beforehand."""
        ...


def sieve(
    conditions: Sequence[Condition], words: Sequence[ConsoleWord], now: datetime, retried: Container[str] = frozenset()
) -> Finds:
    """The test that holds for rows that fit all conditions.

    Args:
        conditions: as a line was read.
        words: the console's words of the same subject.
        now: the moment that relative times count from.
        retried: ids of rows that were retried from here before.
    """
    by_name = {word.name: word for word in words}
    finds = [_finds(by_name[condition.word], condition, now, retried) for condition in conditions]
    return lambda record: all(find(record) for find in finds)


def _finds(word: ConsoleWord, condition: Condition, now: datetime, retried: Container[str]) -> Finds:
    finds = word.finds(condition, now)
    if not word.remembered:
        return finds
    return lambda record: (record.id in retried and finds(record)) != condition.negated


def said(conditions: Sequence[Condition], words: Sequence[ConsoleWord]) -> Iterator[str]:
    """The conditions as the line says them, one after the other."""
    by_name = {word.name: word for word in words}
    return (by_name[condition.word].write(condition) for condition in conditions)
