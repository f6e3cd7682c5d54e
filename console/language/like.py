"""Text that is searched for, as a pattern of SQL's LIKE.

``%`` stands for any characters, ``_`` for one, and a backslash takes the next character as it is. In a filter line a
star stands for any characters: ``key:ord-*``.
"""

from collections.abc import Iterator

_SPECIAL = "\\%_"
ANY = "*"


def containing(text: str) -> str:
    """The pattern of everything that contains the text."""
    return f"%{_escaped(text)}%"


def contained(pattern: str) -> str | None:
    """The text of a pattern that :func:`containing` makes, ``None`` for any other pattern."""
    if len(pattern) < 2 or pattern[0] != "%" or pattern[-1] != "%":
        return None
    letters = []
    for letter, plain in _letters(pattern[1:-1]):
        if not plain:
            return None
        letters.append(letter)
    return "".join(letters)


def starred(text: str) -> str:
    """The pattern of a text with stars."""
    return "%".join(_escaped(part) for part in text.split(ANY))


def unstarred(pattern: str) -> str | None:
    """The text with stars of a pattern that :func:`starred` makes, ``None`` for any other pattern."""
    letters = []
    for letter, plain in _letters(pattern):
        if letter == ANY or (not plain and letter != "%"):
            return None
        letters.append(letter if plain else ANY)
    return "".join(letters) if ANY in letters else None


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


def _letters(pattern: str) -> Iterator[tuple[str, bool]]:
    """The characters of a pattern and whether each one stands for itself; a stray backslash never does."""
    inner = iter(pattern)
    for letter in inner:
        if letter != "\\":
            yield letter, letter not in _SPECIAL
            continue
        following = next(inner, "")
        if following and following in _SPECIAL:
            yield following, True
        else:
            yield letter, False
