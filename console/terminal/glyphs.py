"""Characters for terminals that cannot show all of them."""

import locale
import os
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len

_ASCII: Mapping[str, str] = {
    **dict.fromkeys("─━┄╌", "-"), **dict.fromkeys("│┃", "|"), **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    **dict.fromkeys("▐█▓▇▆▅", "#"), **dict.fromkeys("▒░▄▃▂▁", ":"), "❯": ">", "●": "*", "○": "o", "◌": ".", "▲": "^",
    "▼": "v", "▶": ">", "◀": "<", "…": "~", "·": ".", "•": "*", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"',
    "”": '"', "→": ">", "←": "<", "↑": "^", "↓": "v", "✓": "+", "✗": "x", "×": "x", "≥": ">", "≤": "<", "≈": "~",
    "�": "?",
}  # fmt: skip


class Glyphs:
    """Writes text in a character set.

    Args:
        charset: name of a codec; one that Python does not know is taken as ASCII.
    """

    def __init__(self, charset: str) -> None:
        self.charset = charset
        try:
            "".encode(charset)
        except LookupError:
            self.charset = "ascii"
        self.everything = self.charset.lower().replace("-", "").startswith("utf")
        self._written = lru_cache(maxsize=4096)(self._write)

    def written(self, text: str) -> str:
        """The text with every character that the set lacks replaced by others of the same width."""
        if self.everything or text.isascii():
            return text
        return self._written(text)

    def _write(self, text: str) -> str:
        return "".join(map(self._one, text))

    def _one(self, character: str) -> str:
        try:
            character.encode(self.charset)
        except UnicodeEncodeError:
            return _ASCII.get(character, "?" * cell_len(character))
        return character


def terminal_charset(stream_encoding: str | None) -> str:
    """The character set of the terminal.

    The environment decides: ``C`` or ``POSIX`` said on purpose is ASCII, though Python itself writes UTF-8 then
    (PEP 540). Where nothing is said, what Python writes to the stream is taken for true.

    Args:
        stream_encoding: what Python encodes with when it writes to the terminal.
    """
    said = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if said in ("C", "POSIX"):
        return "ascii"
    return stream_encoding or locale.getpreferredencoding(False)
