"""A value as a field of a CSV file that does nothing to whoever opens it."""

import json
import re
from typing import Any

_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control and direction characters; a line end may stand in a quoted field."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""


def plain(value: Any) -> str:
    """A value as a CSV field: inert on a terminal, no formula in a spreadsheet, and still exact.

    A backslash is doubled and what cannot be seen is written as its escape; an apostrophe stands before a text that a
    spreadsheet might take for a formula, that is empty, or that begins with one. An empty field is no value. So the
    text is had back by taking one apostrophe away and then reading the escapes.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    told_apart = not text or text.lstrip(" ").startswith(_FORMULA) or text.startswith("'")
    text = _UNSEEN.sub(lambda found: found.group().encode("unicode_escape").decode(), text.replace("\\", "\\\\"))
    return f"'{text}" if told_apart else text
