"""The nearest word to one that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like the text, ``None`` when none does. A beginning of a word looks like it."""
    words = list(known)
    typed = text[:_LONGEST].lower()
    beginning = [word for word in words if typed and word.lower().startswith(typed)]
    if beginning:
        return min(beginning, key=len)
    close = get_close_matches(typed, words, n=1, cutoff=0.6)
    return close[0] if close else None
