"""How long a question or an order may keep the database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds after which the database takes back what it was asked, none for as long as it takes."""

    question: float | None = None
    """One question: everything that is read for one answer."""

    order: float | None = None
    """One order: a whole transaction, in which nobody else may write to an SQLite file."""
