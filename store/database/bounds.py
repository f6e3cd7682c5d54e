"""Statements that are longer, or deeper, than a database takes."""

from sqlalchemy.exc import DBAPIError

_PASSED = ("Expression tree is too large", "too many SQL variables", "too many terms", "parser stack overflow")
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
