"""What can go wrong between the console and an engine, each as one sentence for the screen.

::

    EngineProblem
    ├── Unreachable       no connection: refused, name unknown, certificate not trusted
    │   └── NoCredentials  nothing that logs in could be had; nothing was sent
    ├── Slow              a question was not answered in time
    ├── Unintelligible    an answer came, but not one of the contract
    │   └── TooLarge      an answer was larger than the console reads
    ├── Forbidden         the console's own safety holds the order back; nothing was sent
    ├── Unsayable         the question cannot be said in the contract's query string; nothing was sent
    ├── Unanswered        an order was sent and no answer proves what became of it: it may have been carried out
    └── Refused           the engine (or a proxy before it) said no
        ├── Denied        403, or one of these two
        │   ├── LoginRefused  401, 407: nothing is asked any more until somebody says so
        │   └── NoLogin       401 to a question about the login, where an engine has none
        ├── RanAndFailed  the order was carried out, and what it ran has failed
        └── NotThere      404
"""

from datetime import datetime

LONGEST = 400
"""Most characters of somebody else's text that a sentence takes in."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, limit: int = LONGEST) -> str:
    """Somebody else's text as one harmless line.

    White space is folded; terminal controls and characters that turn the writing direction become ``\ufffd``; what is
    longer than ``limit`` characters is cut and marked with an ellipsis.
    """
    folded = " ".join(text[: limit * 4].split())
    inert = "".join(character if _harmless(character) else "\ufffd" for character in folded)
    return inert if len(inert) <= limit else inert[: limit - 1] + "…"


def _harmless(character: str) -> bool:
    code = ord(character)
    return code >= 0x20 and not 0x7F <= code <= 0x9F and not 0xD800 <= code <= 0xDFFF and character not in _BIDI


class EngineProblem(Exception):
    """Something the engine could not be asked, or did not do. ``sentence`` is ready for the screen.

    Attributes:
        retry_after: seconds for which nothing is asked, as the answer told; infinite where it must not be asked again
            before somebody says so; ``None`` where it is for the console to choose.
    """

    retry_after: float | None = None

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "not asked"


class Unreachable(EngineProblem):
    """No connection: nothing was carried out."""

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "no connection"


class NoCredentials(Unreachable):
    """Nothing that logs in could be had, from a command or from a service that gives tokens: nothing was sent."""

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "no token"


class Slow(EngineProblem):
    """A question was not answered in time."""

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "no answer"


class Unintelligible(EngineProblem):
    """Something answered, but it does not speak the contract."""

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "no engine"


class TooLarge(Unintelligible):
    """An answer was larger than the console reads; the rest of it was not waited for."""

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return "too large"


class Unsayable(EngineProblem):
    """The contract's query string has no way to say this; nothing was sent."""


class Forbidden(EngineProblem):
    """The console's own safety holds an order back; nothing was sent."""


class Unanswered(EngineProblem):
    """An order was sent, and no answer proves what became of it: it may have been carried out, or may still be.

    Attributes:
        since: when the order was sent, on the engine's clock as far as the console knows it. What the order made
            cannot be older; look for it from here on.
        what: the order in words, "launch of a batch".
        status: status of an answer that proves nothing, ``None`` where none came.
    """

    def __init__(self, sentence: str, what: str, since: datetime, status: int | None = None) -> None:
        super().__init__(sentence)
        self.what = what
        self.since = since
        self.status = status


TOO_LARGE = 413
"""Status of a proxy that does not take in a request of this size, so that the engine never sees it."""


class Refused(EngineProblem):
    """A status of 300 or more.

    Attributes:
        status: HTTP status.
        type: simple name of the engine's exception; ``None`` when the answer was no error body of the contract.
        message: the whole message, untouched (it may hold anything).
        code: error code of the engine, ``None`` when it gave none.
    """

    def __init__(
        self,
        sentence: str,
        status: int,
        type: str | None = None,
        message: str = "",
        code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after
        self.between = type is None
        """It may come from something between here and the engine, which may or may not have passed the request on."""
        self.type = type
        self.message = message
        self.code = code

    @property
    def brief(self) -> str:
        """The cause in a word or two, for line 1."""
        return str(self.status)

    def once_more(self, retry_after: float) -> "Refused":
        """The same answer, for a question that was not sent because of it.

        Args:
            retry_after: seconds for which none is sent from now on.
        """
        return type(self)(self.sentence, self.status, self.type, self.message, self.code, retry_after)

    @property
    def proves_nothing_done(self) -> bool:
        """The answer proves that an order was not carried out: it is an error body of the contract, or a proxy found
        the request too large to pass it on. Every other answer may stand in the place of one that told of success."""
        return self.type is not None or self.status == TOO_LARGE

    @property
    def says_never(self) -> bool:
        """The engine itself will refuse the same question again: it does not know it, or may not answer this user."""
        return not self.between and self.status in (400, 403, 404, 405)


class RanAndFailed(Refused):
    """The order was carried out, and what it ran has failed: the engine answers as if it had refused the order."""


class Denied(Refused):
    """Not logged in, or not allowed."""


class LoginRefused(Denied):
    """The user, the password or the token is not accepted. Trying on would lock the account."""


class NoLogin(Denied):
    """There is no login: what was asked is only known about somebody who has logged in."""


class NotThere(Refused):
    """The thing is gone, or never was."""
