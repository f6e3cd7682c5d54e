"""The filter line: text <-> query of the contract, with completion and the explanation of mistakes.

``topic:charge-card retries:0 -suspended priority>=50 var.amount>100 sort:created-desc``
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, overload

from console.language.complete import completed, offers
from console.language.parse import Mistake, Parsed, read
from console.language.subject import Subject
from console.language.subjects.batches import BATCHES
from console.language.subjects.incidents import INCIDENTS
from console.language.subjects.instances import INSTANCES
from console.language.subjects.jobs import JOBS
from console.language.subjects.tasks import TASKS
from store.contract.queries import Query

__all__ = [
    "BATCHES",
    "INCIDENTS",
    "INSTANCES",
    "JOBS",
    "SUBJECTS",
    "TASKS",
    "Mistake",
    "Parsed",
    "Subject",
    "complete",
    "completed",
    "parse",
    "write",
]

Q = TypeVar("Q", bound=Query)

SUBJECTS: dict[str, Subject[Any]] = {subject.name: subject for subject in (TASKS, INCIDENTS, INSTANCES, BATCHES, JOBS)}
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


def write(query: Query, subject: Subject[Any] | str) -> str:
    """The line that says a query: reading it again gives the same query.

    Raises:
        ValueError: the query holds a "not like" pattern that is no search for a text.
    """
    return " ".join(said for word in _subject(subject).words for said in word.write(query))


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


def _subject(subject: Subject[Any] | str) -> Subject[Any]:
    return SUBJECTS[subject] if isinstance(subject, str) else subject
