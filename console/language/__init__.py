"""The filter line: text <-> query of the contract, with completion and the explanation of mistakes.

``topic:charge-card retries:0 -suspended priority>=50 var.amount>100 error~503 age>1h sort:created-desc``

Some words the engine cannot filter by (``error``, ``age``). They become conditions, which the console applies to the
rows that it reads.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from retriage.console.language.complete import completed, offers
from retriage.console.language.conditions import Beside, Condition, Finds, TaskOf, said, sieve
from retriage.console.language.parse import Mistake, Parsed, read
from retriage.console.language.subject import Subject
from retriage.console.language.subjects.batches import BATCHES
from retriage.console.language.subjects.history import HISTORY
from retriage.console.language.subjects.incidents import INCIDENTS
from retriage.console.language.subjects.instances import INSTANCES
from retriage.console.language.subjects.jobs import JOBS
from retriage.console.language.subjects.tasks import TASKS
from retriage.store.contract.queries import Query

__all__ = [
    "BATCHES",
    "HISTORY",
    "INCIDENTS",
    "INSTANCES",
    "JOBS",
    "SUBJECTS",
    "TASKS",
    "Condition",
    "Mistake",
    "Parsed",
    "Subject",
    "asks_tasks",
    "complete",
    "completed",
    "matcher",
    "parse",
    "remembers",
    "spoken",
    "subject_on",
    "write",
]

if TYPE_CHECKING:
    from retriage.console.engine.capabilities import Capabilities

Q = TypeVar("Q", bound=Query)

SUBJECTS: dict[str, Subject[Any]] = {
    subject.name: subject for subject in (TASKS, INCIDENTS, INSTANCES, BATCHES, JOBS, HISTORY)
}
"""Name of a subject -> its table."""


@overload
def parse(text: str, subject: Subject[Q], now: datetime | None = None) -> Parsed[Q]: ...
@overload
def parse(text: str, subject: str, now: datetime | None = None) -> Parsed[Any]: ...
def parse(text: str, subject: Subject[Any] | str, now: datetime | None = None) -> Parsed[Any]:
    """Read a line. It never raises: what cannot be read is among the mistakes, and the query holds the rest.

    Args:
        text: the line.
        subject: what it filters, one of :data:`SUBJECTS` or its name.
        now: the moment that relative times count from; the present if not given.
    """
    return read(text, _subject(subject), now)


def write(query: Query, subject: Subject[Any] | str, conditions: Sequence[Condition] = ()) -> str:
    """The line that says a query and what the console looks for itself: reading it again gives the same.

    Raises:
        ValueError: the query holds a "not like" pattern that is no search for a text.
    """
    table = _subject(subject)
    words = [text for word in table.words for text in word.write(query)]
    return " ".join([*words, *said(conditions, table.local)])


def spoken(conditions: Sequence[Condition], subject: Subject[Any] | str) -> tuple[str, ...]:
    """What the console looks for itself, each condition as the line says it."""
    return tuple(said(conditions, _subject(subject).local))


def matcher(
    conditions: Sequence[Condition],
    subject: Subject[Any] | str,
    now: datetime,
    retried: Container[str] = frozenset(),
    task_of: TaskOf | None = None,
) -> Finds:
    """Says of a record that was read whether it fits what the console looks for itself.

    Args:
        conditions: of a line that was read.
        subject: what the line filters.
        now: the moment that relative times count from.
        retried: ids of tasks that were retried from here before; may grow while records are looked at.
        task_of: what is known of the external task that a record is about; needed where :func:`asks_tasks`.

    Raises:
        ValueError: a condition looks at tasks, and ``task_of`` is not given.
    """
    table = _subject(subject)
    return sieve(conditions, table.local, now, Beside(retried, table.task_id, task_of))


def remembers(conditions: Sequence[Condition], subject: Subject[Any] | str) -> bool:
    """Whether one has to know which records were retried from here before, to tell which fit."""
    remembered = {word.name for word in _subject(subject).local if word.remembered}
    return any(condition.word in remembered for condition in conditions)


def asks_tasks(conditions: Sequence[Condition], subject: Subject[Any] | str) -> bool:
    """Whether one has to know the external tasks that records are about, to tell which fit."""
    of_tasks = {word.name for word in _subject(subject).local if word.of_task}
    return any(condition.word in of_tasks for condition in conditions)


def complete(
    text: str, cursor: int, subject: Subject[Any] | str, values: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Words that the one under the cursor could become; :func:`completed` puts one in place.

    Args:
        text: the line.
        cursor: place of the cursor.
        subject: what the line filters.
        values: name of a word -> values that the caller knows of, such as topics that were seen.
    """
    return offers(text, cursor, _subject(subject), values)


def subject_on(name: str, capabilities: "Capabilities") -> Subject[Any]:
    """The words of a subject on an engine: what that one would ignore is applied by the console, or refused.

    Args:
        name: a key of :data:`SUBJECTS`.
        capabilities: what the engine can.
    """
    table = SUBJECTS[name]
    of_tasks = any(word.of_task for word in table.local)
    return _limited(
        name,
        capabilities.unreliable(name),
        capabilities.unsortable(name),
        capabilities.absent(name),
        capabilities.absent(TASKS.name) if of_tasks else frozenset(),
    )


@lru_cache(maxsize=64)
def _limited(
    name: str,
    unreliable: frozenset[str],
    unsortable: frozenset[str],
    absent: frozenset[str],
    absent_of_tasks: frozenset[str],
) -> Subject[Any]:
    if not (unreliable or unsortable or absent or absent_of_tasks):
        return SUBJECTS[name]
    return replace(
        SUBJECTS[name],
        unreliable=unreliable,
        unsortable=unsortable,
        absent=absent,
        absent_of_tasks=absent_of_tasks,
    )


def _subject(subject: Subject[Any] | str) -> Subject[Any]:
    return SUBJECTS[subject] if isinstance(subject, str) else subject
