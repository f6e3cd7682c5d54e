"""The text of a filter line, cut into words.

::

    line     = { blank } word { blank word }
    word     = [ "-" ] ( name [ operator [ value { "," value } ] ] | plain )
    plain    = any other characters without blanks, or any in double quotes
    name     = letters, or "var." and the name of a variable (in quotes if it holds blanks or operators)
    operator = ":" "=" "!=" "~" "~~" "!~" ">" ">=" "<" "<="      (":" may stand before another one, as in retries:>0)
    value    = characters without blanks and commas, or any in double quotes, where \\" is a quote and \\\\ a backslash

Cutting never fails: what does not fit is marked as a flaw of its word.
"""

import re
from dataclasses import dataclass

OPERATOR = re.compile(r"!~|!=|:?~~|:?~|:?>=|:?<=|:?>|:?<|:|=")
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
VARIABLE = re.compile(r"""[^\s:<>=!~",]+""")
BARE_FIRST = frozenset('~<>=!:"')


@dataclass(frozen=True)
class Value:
    """One value with its place; ``quoted`` tells ``"5"`` from ``5``."""

    text: str
    quoted: bool
    start: int
    end: int


@dataclass(frozen=True)
class Token:
    """One word of the line.

    Attributes:
        start: where it begins in the text, its minus included.
        end: where it ends.
        negated: a minus stands before it.
        name: in lower case; empty when the word does not begin with a name.
        variable: what follows ``var.``, ``None`` for other words.
        operator: without a leading colon; ``None`` when only a name was given.
        values: what follows the operator.
        listed: a comma stands among the values, be it the last character.
        plain: the whole of a word that has no operator, as it is searched for: ``psp``, ``/503``, ``"time out"``; not
            its minus, not its quotes.
        flaw: what is wrong with its form, as a sentence; ``None`` when nothing is.
    """

    start: int
    end: int
    negated: bool = False
    name: str = ""
    variable: str | None = None
    operator: str | None = None
    values: tuple[Value, ...] = ()
    listed: bool = False
    flaw: str | None = None
    plain: str = ""


def tokens(text: str) -> list[Token]:
    """The words of a line, in order."""
    found, at = [], 0
    while (at := _past_blanks(text, at)) < len(text):
        token = _Scanner(text, at).word()
        found.append(token)
        at = max(token.end, at + 1)
    return found


def quote(text: str) -> str:
    """A value as it is written in a line: in quotes only where it must be."""
    bare = text and text[0] not in BARE_FIRST and not any(c.isspace() or c in ',"\\' for c in text)
    return text if bare else quoted(text)


def quoted(text: str) -> str:
    """A value in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


class _Scanner:
    """Reads one word from a place on."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._start = self._at = at
        self._flaw: str | None = None

    def word(self) -> Token:
        negated = self._take("-")
        first = self._at
        name = self._name()
        if not name:
            return self._plain(first, negated)
        variable = self._variable() if name == "var" and self._take(".") else None
        operator = self._operator()
        if operator is None and variable is None:
            return self._plain(first, negated, name)
        values, listed = self._values() if operator is not None else ((), False)
        if operator is None and self._here():
            self._flaw = self._flaw or f"{name} needs an operator or a space after it."
            self._rest()
        return Token(self._start, self._at, negated, name, variable, operator, values, listed, self._flaw)

    def _plain(self, first: int, negated: bool, name: str = "") -> Token:
        """A word without an operator; its name is kept only where it consists of that."""
        if self._here() == '"' and self._at == first:
            plain = self._quoted()
            if self._here():
                self._flaw = self._flaw or "A closing quote needs a space after it."
                self._rest()
            return Token(self._start, self._at, negated, flaw=self._flaw, plain=plain)
        name = "" if self._here() else name
        while self._here():
            self._at += 1
        return Token(self._start, self._at, negated, name, plain=self._text[first : self._at])

    def _here(self) -> str:
        """The character to read next; empty at the end of the word."""
        return "" if self._at >= len(self._text) or self._text[self._at].isspace() else self._text[self._at]

    def _take(self, character: str) -> bool:
        if self._here() != character:
            return False
        self._at += 1
        return True

    def _name(self) -> str:
        found = NAME.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0].lower()

    def _variable(self) -> str:
        if self._here() == '"':
            return self._quoted()
        found = VARIABLE.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _operator(self) -> str | None:
        found = OPERATOR.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0].removeprefix(":") or ":"

    def _values(self) -> tuple[tuple[Value, ...], bool]:
        values: list[Value] = []
        listed = False
        while self._here():
            if self._take(","):
                listed = True
                continue
            values.append(self._value())
            if self._here() not in ("", ","):
                self._flaw = self._flaw or "A closing quote needs a space or a comma after it."
                self._rest()
        return tuple(values), listed

    def _value(self) -> Value:
        start = self._at
        if self._here() == '"':
            text = self._quoted()
            return Value(text, True, start, self._at)
        while self._here() not in ("", ","):
            self._at += 1
        return Value(self._text[start : self._at], False, start, self._at)

    def _quoted(self) -> str:
        self._at += 1
        letters: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == '"':
                return "".join(letters)
            if letter == "\\" and self._text[self._at : self._at + 1] in ('"', "\\"):
                letter = self._text[self._at]
                self._at += 1
            letters.append(letter)
        self._flaw = self._flaw or "A closing quote is missing."
        return "".join(letters)

    def _rest(self) -> None:
        while self._here():
            if self._here() == '"':
                self._quoted()
            else:
                self._at += 1
