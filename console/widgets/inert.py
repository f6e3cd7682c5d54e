"""Text that came from elsewhere, made harmless for a terminal.

Error messages are written by workers. They may hold escape sequences that move the cursor or set the title,
overrides that turn the reading direction, characters without width that hide others. On a screen they are shown as
signs and do nothing. (Markup needs no care: the widgets draw segments and never parse a text.)
"""

from functools import lru_cache
from unicodedata import category

_BLANKS = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029\u00a0")
_REPLACEMENT = "\ufffd"
_EMOJI_SWITCHES = frozenset("\ufe0e\ufe0f")
_COMBINING_IN_A_ROW = 2


@lru_cache(maxsize=4096)
def inert(text: str) -> str:
    """One line that a terminal only prints: blanks for line ends, signs for control and direction characters.

    A control character becomes its picture (escape is ``␛``), other invisible characters ``�``. Piles of combining
    marks are cut, since terminals disagree about where they end.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    combining = 0
    for character in text:
        sign = _sign(character)
        combining = combining + 1 if category(character) in ("Mn", "Me") else 0
        if combining <= _COMBINING_IN_A_ROW:
            shown.append(sign)
    return "".join(shown)


def inert_lines(text: str) -> list[str]:
    """The lines of a longer text, each one inert; tabs are four blanks."""
    return [inert(line) for line in text.replace("\r\n", "\n").replace("\t", "    ").split("\n")]


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
