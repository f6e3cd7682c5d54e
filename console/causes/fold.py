"""Error messages folded to their cause: what varies from task to task becomes ``<*>``.

``HTTP 503 from psp: no route to 10.0.3.17:8443 after 30000 ms`` and the same with another address and time are one
cause. Codes that name an error (``HTTP 503``, ``SMTP 421``, ``ORA-00060``, ``ENGINE-03005``) are no variation and stay,
as do digits inside a name (``SHA256``, ``utf8``).
"""

import re
from collections.abc import Collection

NO_MESSAGE = "(no message)"
"""Cause of a failure that came without a word."""

HOLE = "<*>"

WHOLE = -1
"""Stands for the end of a long cause where numbers of holes are named."""

LONGEST = 400
"""Characters of a message that are looked at; what follows is a stack trace or a payload."""

TELLING = 160
"""Characters of a folded message that tell causes apart; the tails of long ones are lists of details."""

_VARYING = re.compile(
    r"""
      \b ( (?: HTTP(?:/\d(?:\.\d)?)? | SMTP | SQLSTATE | status | code ) [ :=]{1,2} \d{3,5} | (?:ORA|ENGINE)-\d{5} ) \b
    | (?<!\w) (?: "[^"]*" | '[^']*' | `[^`]*` | “[^”]*” | ‘[^’]*’ | «[^»]*» ) (?!\w)
    | (?<!\w) (?=[0-9a-fA-F]{3}) (?=[0-9a-fA-F-]{4,}+\b) (?=[a-fA-F-]*+\d) (?=[0-9-]*[a-fA-F])
      [0-9a-fA-F]{3,} (?:-[0-9a-fA-F]{2,})* \b (?![\w.])
    | (?<!\w) [-+]? \d [\w.:,/+-]* (?<=\w)
      (?: [ ]? (?: % | (?: ms | s | secs? | seconds? | min | minutes? | h | hours? | d | days? | bytes? | [kKMG]?i?B )
      \b ) )?
    | \b [a-zA-Z][a-zA-Z0-9+.]{1,9} :// [^\s"'<>)\]]+
    | (?<![\w.+-]) [\w.+-]{1,64} @ [\w-]{1,63} (?: \. [\w-]{1,63} )+
    | (?<!\w) (?: PT? (?: \d+ (?:\.\d+)? [YMWDHS] T? )+ | P (?: \d+ [YMWD] )+ T (?: \d+ (?:\.\d+)? [HMS] )+ ) (?!\w)
    | \b (?: [0-9a-fA-F]{12,} | [A-Z]\d{2,} | [A-Za-z_]{0,20}\d{4}\w* ) \b
    | (?<=[a-z]) \d+ (?=\.[a-z])
    """,
    re.VERBOSE,
)
_FRAME = re.compile(r"(?<=\S)\s+at [\w.$/<>]{3,}\([^()\n]{0,80}\)|(?<=\S)\s*Traceback \(most recent call last\):")
_RUNS = re.compile(r"<\*>(?:[\s,;/|-]{1,2}<\*>)*")
_RUN = re.compile(r"<\*>(?:[\s,;/|-]{1,2}<\*>)+")


def fold(message: str | None) -> str:
    """The cause of a message. Pure, and fast enough for a hundred thousand messages a second and more."""
    text = _line(message)
    if not text:
        return NO_MESSAGE
    return _RUN.sub(HOLE, _VARYING.sub(_hole, text))[:TELLING].rstrip()


def holes(message: str | None) -> tuple[str, tuple[str, ...]]:
    """The cause in its whole length, and the text that each of its holes stands for."""
    text = _line(message)
    if not text:
        return NO_MESSAGE, ()
    found: list[str] = []

    def hole(varying: re.Match[str]) -> str:
        if varying[1] is not None:
            return str(varying[1])
        found.append(varying[0])
        return HOLE

    values: list[str] = []

    def run(together: re.Match[str]) -> str:
        number = together[0].count(HOLE)
        values.append(" ".join(found[:number]))
        del found[:number]
        return HOLE

    whole = _RUNS.sub(run, _VARYING.sub(hole, text))
    return whole, tuple(values)


def fold_but(message: str | None, kept: Collection[int]) -> str:
    """The cause of a message in which some holes are not dug: their texts tell causes apart.

    Args:
        message: the message.
        kept: numbers of holes, the first one is 0; with :data:`WHOLE` the end of a long cause tells causes apart too.
    """
    whole, values = holes(message)
    parts = whole.split(HOLE)
    filled = [values[at] if at in kept and at < len(values) else HOLE for at in range(len(parts) - 1)]
    text = "".join(part + hole for part, hole in zip(parts, [*filled, ""], strict=True))
    return (text if WHOLE in kept else text[:TELLING]).rstrip()


def _line(message: str | None) -> str:
    """What is looked at of a message, on one line. It is cut before anything else is done with it.

    Frames of a stack trace, and what comes after them, say where it was noticed and not what is wrong.
    """
    if not message:
        return ""
    said = message[:LONGEST]
    frame = _FRAME.search(said)
    return " ".join((said if frame is None else said[: frame.start()]).split())


def _hole(found: re.Match[str]) -> str:
    code: str | None = found[1]
    return HOLE if code is None else code
