"""Error messages folded to their cause: what varies from task to task becomes ``<*>``.

``HTTP 503 from psp: no route to 10.0.3.17:8443 after 30000 ms`` and the same with another address and time are one
cause. Codes that name an error (``HTTP 503``, ``SMTP 421``, ``ORA-00060``, ``ENGINE-03005``) are no variation and stay,
as do digits inside a name (``SHA256``, ``utf8``).
"""

import re

NO_MESSAGE = "(no message)"
"""Cause of a failure that came without a word."""

HOLE = "<*>"

LONGEST = 400
"""Characters of a message that are looked at; what follows is a stack trace or a payload."""

TELLING = 160
"""Characters of a folded message that tell causes apart; the tails of long ones are lists of details."""

_VARYING = re.compile(
    r"""
      \b ( (?: HTTP(?:/\d(?:\.\d)?)? | SMTP | SQLSTATE | status | code ) [ :=]{1,2} \d{3,5} | (?:ORA|ENGINE)-\d{5} ) \b
    | (?<!\w) (?: "[^"]*" | '[^']*' | `[^`]*` | “[^”]*” | ‘[^’]*’ | «[^»]*» ) (?!\w)
    | (?<!\w) (?=[0-9a-fA-F-]{4,}\b) (?=[a-fA-F-]*\d) (?=[0-9-]*[a-fA-F])
      [0-9a-fA-F]{3,} (?:-[0-9a-fA-F]{2,})* \b (?![\w.])
    | (?<!\w) [-+]? \d [\w.:,/+-]* (?<=\w)
      (?: [ ]? (?: % | (?: ms | s | secs? | seconds? | min | minutes? | h | hours? | d | days? | bytes? | [kKMG]?i?B )
      \b ) )?
    | \b [a-zA-Z][a-zA-Z0-9+.]{1,9} :// [^\s"'<>)\]]+
    | \b (?: [0-9a-fA-F]{12,} | [A-Z]\d{2,} | [A-Za-z_]{0,20}\d{4}\w* ) \b
    | (?<=[a-z]) \d+ (?=\.[a-z])
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"<\*>(?:[\s,;/|-]{1,2}<\*>)+")


def fold(message: str | None) -> str:
    """The cause of a message. Pure, and fast enough for a hundred thousand messages a second and more."""
    if message is None:
        return NO_MESSAGE
    text = " ".join(message[:LONGEST].split())
    if not text:
        return NO_MESSAGE
    return _RUN.sub(HOLE, _VARYING.sub(_hole, text))[:TELLING].rstrip()


def _hole(found: re.Match[str]) -> str:
    code: str | None = found[1]
    return HOLE if code is None else code
