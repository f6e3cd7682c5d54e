"""Ids as parts of a path."""

from urllib.parse import quote

from retriage.console.engine.errors import EngineProblem


def part(id: str) -> str:
    """An id as one part of a path, percent-encoded.

    Raises:
        EngineProblem: it is empty or made of dots, and the path would mean something else.
    """
    if id in ("", ".", ".."):
        raise EngineProblem("An id is missing.")
    return quote(id, safe="")
