"""Text that came from elsewhere, made harmless for a terminal.

Error messages are written by workers. They may hold escape sequences that move the cursor or set the title,
overrides that turn the reading direction, characters without width that hide others. On a screen they are shown as
signs and do nothing. (Markup needs no care: the widgets draw segments and never parse a text.)
"""

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import category

LONGEST = 4000
"""Characters of a line that are kept: more than any line of a screen can show. The full text is for a text view."""
_PIECE = 4096
_SHORT = 500
"""Characters of a text that is worth to be remembered."""
_BLANKS = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029\u00a0")
_REPLACEMENT = "\ufffd"
_EMOJI_SWITCHES = frozenset("\ufe0e\ufe0f")
_COMBINING_IN_A_ROW = 2


class _Signs(dict[int, str]):
    """What is shown for a character, by its number; filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        sign = self[code] = _sign(chr(code))
        return sign


_SIGNS = _Signs()


def inert(text: str) -> str:
    """One line that a terminal only prints: blanks for line ends, signs for control and direction characters.

    A control character becomes its picture (escape is ``␛``), other invisible characters ``�``. Piles of combining
    marks are cut, since terminals disagree about where they end. Of a text that no screen can hold the beginning is
    kept, so that it costs what a short one costs.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if text.isascii() and text.isprintable():
        return text
    return _remembered(text) if len(text) <= _SHORT else _shown(text)


def inert_lines(text: str) -> Iterator[str]:
    """The lines of a longer text, each one whole and inert; tabs are four blanks."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].removesuffix("\r").replace("\t", "    ")
        yield "".join(_shown(line[at : at + _PIECE]) for at in range(0, len(line), _PIECE))
        start = end + 1


def _shown(text: str) -> str:
    if any(map(_is_mark, set(text))):
        text = _without_piles(text)
    return text.translate(_SIGNS)


_remembered = lru_cache(maxsize=4096)(_shown)


def _without_piles(text: str) -> str:
    kept: list[str] = []
    combining = 0
    for character in text:
        combining = combining + 1 if _is_mark(character) else 0
        if combining <= _COMBINING_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    return category(character) in ("Mn", "Me")


def _sign(character: str) -> str:
    if character in _BLANKS:
        return " "
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if character in _EMOJI_SWITCHES:
        return ""
    return _REPLACEMENT if category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") else character
