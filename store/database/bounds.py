"""Statements that a database does not take, or not to their end, and files that it can not read."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

_PASSED = (
    "Expression tree is too large",
    "LIKE or GLOB pattern too complex",
    "too many SQL variables",
    "too many terms",
    "parser stack overflow",
)
"""How SQLite begins or words that a bound is passed; it has no code for them."""

_LIMITS = "54"
"""PostgreSQL's class of codes for the same."""


def is_too_long(error: BaseException) -> bool:
    """Whether a statement failed because the request that it was made of says too much."""
    if not isinstance(error, DBAPIError):
        return False
    said = str(error.orig)
    code: str = getattr(error.orig, "sqlstate", None) or ""
    return code.startswith(_LIMITS) or any(words in said for words in _PASSED) or "65535" in said


_CANCELED = "57014"
"""PostgreSQL's code of a statement that was stopped: it took too long, or somebody asked for its end."""

_DAMAGED = {"XX001", "XX002"}
"""PostgreSQL's codes of damaged data, and of a damaged index."""


def is_interrupted(error: BaseException) -> bool:
    """Whether a statement was stopped before its end."""
    if not isinstance(error, DBAPIError):
        return False
    return (
        getattr(error.orig, "sqlstate", None) == _CANCELED
        or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    )


def is_damaged(error: BaseException) -> bool:
    """Whether a statement failed because a page of the database can not be what it is."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or getattr(error.orig, "sqlstate", None) in _DAMAGED


_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
_LOST = ("08", "53", "57")
"""PostgreSQL's classes of codes of a connection that is lost, of means that are used up, and of an operator who ends
what runs."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the database itself could not serve: not reached, ended, its disk full. No fault of the statement."""
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE:
        return True
    if not isinstance(error, OperationalError | InterfaceError) or hasattr(error.orig, "sqlite_errorcode"):
        return False
    code = getattr(error.orig, "sqlstate", None)
    return code is None or code.startswith(_LOST)
