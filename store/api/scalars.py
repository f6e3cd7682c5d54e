"""Values of a query string. Numbers and truth values are read by the engine as the beginning of a JSON text.

So ``5.9`` is 5, ``"5"`` with its quotes is 5, any whole number but 0 is true and ``null`` is absent, while an empty
text, ``05`` and ``TRUE`` are refused (observed on Camunda 7.24.0).
"""

import re
from typing import Any

from pydantic_core import from_json

_FIRST = re.compile(
    r'\s*(?P<value>true|false|null|"[^"\\]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?P<after>.|$)',
    re.DOTALL,
)


def first_scalar(text: str) -> Any:
    """The JSON scalar with which a text begins.

    Raises:
        ValueError: it begins with none.
    """
    found = _FIRST.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not a JSON value")
    written, after = found["value"], found["after"]
    joined = not after.isspace() if written[-1].isdigit() else after.isalnum() or after == "_"
    if after and joined and not written.endswith('"'):
        raise ValueError(f"'{text}' is not a JSON value")
    return from_json(written)


def split(text: str, separator: str = ",") -> list[str]:
    """The parts between separators; empty ones at the end do not count, but a text without any is one part."""
    parts = text.split(separator)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [] if text and parts == [""] else parts
