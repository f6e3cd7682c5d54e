"""Text that is searched for, as a pattern of SQL's LIKE.

``%`` stands for any characters, ``_`` for one, and a backslash takes the next character as it is.
"""

_SPECIAL = "\\%_"


def containing(text: str) -> str:
    """The pattern of everything that contains the text."""
    escaped = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
    return f"%{escaped}%"


def contained(pattern: str) -> str | None:
    """The text of a pattern that :func:`containing` makes, ``None`` for any other pattern."""
    if len(pattern) < 2 or pattern[0] != "%" or pattern[-1] != "%":
        return None
    letters, inner = [], iter(pattern[1:-1])
    for letter in inner:
        if letter == "\\":
            letter = next(inner, "")
            if not letter or letter not in _SPECIAL:
                return None
        elif letter in _SPECIAL:
            return None
        letters.append(letter)
    return "".join(letters)
