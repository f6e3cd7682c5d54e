"""What the engine cannot filter and the console looks for in the rows it reads."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from retriage.console.language.tokens import Token


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
TaskOf = Callable[[Any], Any]
"""What is known of the external task that a record is about."""


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
    def of_task(self) -> bool:
        """It looks at the external task that the row is about, which the row does not tell."""
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


@dataclass(frozen=True)
class Beside:
    """What is known of rows beside what they tell.

    Attributes:
        retried: ids of tasks that were retried from here before.
        task_id: field of a row that holds the id of its task.
        task_of: what is known of the task of a row; none where rows are not about tasks, or nobody asked for them.
    """

    retried: Container[str] = frozenset()
    task_id: str = "id"
    task_of: TaskOf | None = None


def sieve(
    conditions: Sequence[Condition], words: Sequence[ConsoleWord], now: datetime, beside: Beside | None = None
) -> Finds:
    """The test that holds for rows that fit all conditions.

    Args:
        conditions: as a line was read.
        words: the console's words of the same subject.
        now: the moment that relative times count from.
        beside: what is known of the rows beside what they tell.

    Raises:
        ValueError: a condition looks at tasks, and those were not asked for.
    """
    by_name = {word.name: word for word in words}
    finds = [_finds(by_name[condition.word], condition, now, beside or Beside()) for condition in conditions]
    return lambda record: all(find(record) for find in finds)


def _finds(word: ConsoleWord, condition: Condition, now: datetime, beside: Beside) -> Finds:
    finds, task_of = word.finds(condition, now), beside.task_of
    if word.of_task:
        if task_of is None:
            raise ValueError(f"{word.name} looks at tasks that were not asked for")
        return lambda record: finds(task_of(record))
    if not word.remembered:
        return finds
    return lambda record: (
        getattr(record, beside.task_id) in beside.retried and finds(record)
    ) != condition.negated  # fmt: skip


def said(conditions: Sequence[Condition], words: Sequence[ConsoleWord]) -> Iterator[str]:
    """The conditions as the line says them, one after the other."""
    by_name = {word.name: word for word in words}
    return (by_name[condition.word].write(condition) for condition in conditions)
