"""Texts compared in any case, which SQLite on its own does for ASCII and PostgreSQL as its locale has it."""

from typing import Any

from sqlalchemy import ColumnElement, Text, func

FOLD = "retriage_folded"
"""A function of the database: on SQLite every connection brings it, on PostgreSQL a migration has made it."""


def fold(text: str | None) -> str | None:
    """A text as it is compared in any case."""
    return None if text is None else text.upper()


def folded(text: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """A text as it is compared in any case, as an expression of the database. Fold both sides of a comparison."""
    return getattr(func, FOLD)(text, type_=Text)  # type: ignore[no-any-return]
