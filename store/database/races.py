"""Transactions that PostgreSQL takes back because they stood in the way of another. Nothing of them is kept."""

from enum import Enum

from sqlalchemy.exc import DBAPIError


class Race(Enum):
    """How a transaction lost, by the database's own code."""

    DEADLOCK = "40P01"
    """It and another waited for each other."""

    STALE = "40001"
    """It saw what another has changed since."""


def lost_race(error: BaseException) -> Race | None:
    """How a transaction lost, none where it failed for another reason."""
    if not isinstance(error, DBAPIError):
        return None
    code = getattr(error.orig, "sqlstate", None)
    return next((race for race in Race if race.value == code), None)
