"""Why tasks of the demo world fail: a few root causes with very uneven weights, and texts that vary in their details.

The texts are what workers would send; the last cause sends what no screen should ever obey.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from store.demo import traces
from store.demo.timeline import DAY, HOUR, MINUTE, Ages

MESSAGE_LIMIT = 666
"""Characters of an error message that the engine keeps (``errorMessage`` of the external task reference)."""


@dataclass(frozen=True)
class Cause:
    """A root cause.

    ``share`` is its part of all tasks without retries, ``ages`` when such tasks were made, ``again`` the probability
    that a retried task fails once more, ``fresh`` that a task of its topics fails in its first attempt.
    ``marks`` are the fragments by which a message is recognised as its own.
    """

    name: str
    topics: tuple[str, ...]
    share: float
    ages: Ages
    message: Callable[[Random], str | None]
    trace: Callable[[Random, str], str] | None
    again: float
    fresh: float
    marks: tuple[str, ...]

    def error(self, random: Random) -> str | None:
        """One error message, cut as the engine cuts it."""
        message = self.message(random)
        return None if message is None else message[:MESSAGE_LIMIT]

    def details(self, random: Random, message: str | None) -> str | None:
        """The long text that goes with a message, or nothing."""
        return None if self.trace is None else self.trace(random, message or "")


def _hex(random: Random, digits: int) -> str:
    return f"{random.getrandbits(4 * digits):0{digits}x}"


def _outage(random: Random) -> str:
    request = f"{_hex(random, 8)}-{_hex(random, 4)}"
    return f"HTTP 503 from psp.example: upstream connect error (request {request}, {random.randrange(101, 120)})"


def _card(random: Random) -> str:
    month, year = random.randrange(1, 13), random.randrange(23, 26)
    return f"card {random.choice('245')}*** **** **** {random.randrange(10_000):04d} expired {month:02d}/{year}"


def _smtp(random: Random) -> str:
    return (
        f"SMTP 421 4.7.0 mx{random.randrange(1, 5)}.mail.example: too many connections from "
        f"10.20.{random.randrange(8)}.{random.randrange(1, 255)}, try again later (queue {_hex(random, 8).upper()})"
    )


def _deadlock(random: Random) -> str:
    mine, other = random.randrange(11_000, 32_000), random.randrange(11_000, 32_000)
    return (
        f"deadlock detected: process {mine} waits for ShareLock on transaction {random.getrandbits(27)}; "
        f"blocked by process {other} (db-stock-{random.randrange(1, 4)}.internal:5432)"
    )


def _null_pointer(random: Random) -> str:
    what = random.choice(('"example.crm.Address.country()"', '"example.crm.Address.postalCode()"'))
    number = random.randrange(10_000, 99_999)
    return f'NullPointerException: Cannot invoke {what} because "address" of customer {number} is null'


def _timeout(random: Random) -> str:
    return (
        f"timeout after {30_000 + random.randrange(400)} ms: "
        f"GET https://screening.example/v2/persons/{random.getrandbits(24)}?trace={_hex(random, 12)}"
    )


def _nothing(_random: Random) -> None:
    return None


def _address(random: Random) -> str:
    street = random.choice(("Hauptstr.", "Rue Haute", "Calle Mayor", "Kungsgatan", "Dorpsstraat"))
    return (
        f'carrier "{random.choice(("NordPost", "ParcelOne", "Veloz"))}" rejected address '
        f"'{street} {random.randrange(1, 190)}, {random.randrange(1000, 99_999):05d}': "
        f"unknown house number (code E{random.randrange(200, 260)})"
    )


def _long(random: Random) -> str:
    lines = (
        f"line {number}: element 'cac:TaxTotal' has amount {random.randrange(100_000) / 100:.2f}, "
        f"expected {random.randrange(100_000) / 100:.2f} (rule BR-CO-{random.randrange(10, 27)})"
        for number in sorted(random.sample(range(10, 900), 12))
    )
    return f"document {_hex(random, 16)} violates the invoice schema in 12 places: " + "; ".join(lines)


_HOSTILE = (
    "\x1b[2J\x1b[31mACCOUNT {0} OVERDRAWN\x1b[0m\x07 please call",
    "[red]account {0}[/] refused: [b]limit[/b] [link=https://evil.example/{0}]details[/link] [/nope]",
    "account {0} \u202egnp.tnuocca/elpmaxe.live//:sptth\u202c is not known",
    "account {0} refused\r\n\tby rule \x1b]0;owned\x07 42 \x9b31m and \x1b]8;;https://evil.example\x1b\\this\x1b]8;;\x1b\\",
    "ac\u200bcount {0} \u2066\u2067hidden\u2069\u2069 ﷽ 👩‍👩‍👧‍👦 e\u0301\u0301\u0301 $(reboot) `id` %s %n {{0}}",
)


def _hostile(random: Random) -> str:
    return random.choice(_HOSTILE).format(random.randrange(100_000, 999_999))


OUTAGE_BEGAN = 3.2 * HOUR
OUTAGE_ENDED = 25 * MINUTE

_OUTAGE_AGES: Ages = (
    (OUTAGE_ENDED, HOUR, 0.16),
    (HOUR, 2 * HOUR, 0.42),
    (2 * HOUR, 2.75 * HOUR, 0.3),
    (2.75 * HOUR, OUTAGE_BEGAN, 0.12),
)
_LONG_TAIL: Ages = (
    (35 * MINUTE, 6 * HOUR, 0.3),
    (6 * HOUR, DAY, 0.25),
    (DAY, 3 * DAY, 0.22),
    (3 * DAY, 8 * DAY, 0.15),
    (8 * DAY, 26 * DAY, 0.08),
)
_MAIL_AGES: Ages = (
    (2 * HOUR, 5 * HOUR, 0.15),
    (27 * HOUR, 30 * HOUR, 0.55),
    (30 * HOUR, 5 * DAY, 0.2),
    (5 * DAY, 14 * DAY, 0.1),
)

OUTAGE = Cause(
    "outage of the payment provider",
    ("charge-card",), 0.56, _OUTAGE_AGES, _outage, traces.http, 0.03, 0.0, ("HTTP 503 from psp",),
)  # fmt: skip
CARD_EXPIRED = Cause(
    "card expired",
    ("charge-card",), 0.09, _LONG_TAIL, _card, None, 0.93, 0.05, (" expired ",),
)  # fmt: skip
CAUSES: tuple[Cause, ...] = (
    OUTAGE,
    Cause("mail server refuses", ("send-mail",), 0.12, _MAIL_AGES, _smtp, traces.node, 0.2, 0.05, ("SMTP 421",)),
    CARD_EXPIRED,
    Cause("deadlock", ("reserve-stock",), 0.07, _LONG_TAIL, _deadlock, traces.database, 0.1, 0.06, ("deadlock",)),
    Cause(
        "missing address",
        ("open-account", "create-invoice"), 0.05, _LONG_TAIL, _null_pointer, traces.java, 0.97, 0.02,
        ("NullPointerException",),
    ),
    Cause(
        "screening is slow",
        ("screen-customer", "fraud-check"), 0.04, _LONG_TAIL, _timeout, traces.python, 0.25, 0.07, ("timeout after",),
    ),
    Cause(
        "legacy journal says nothing",
        ("legacy-sync",), 0.03, ((7.5 * DAY, 9 * DAY, 0.8), (DAY, 7 * DAY, 0.2)), _nothing, None, 0.5, 0.02, (),
    ),
    Cause(
        "carrier rejects the address",
        ("ship-parcel", "book-carrier"), 0.02, _LONG_TAIL, _address, None, 0.85, 0.02, ("carrier ",),
    ),
    Cause(
        "invoice violates its schema",
        ("archive-document",), 0.012, _LONG_TAIL, _long, traces.java, 0.95, 0.01, ("violates the invoice schema",),
    ),
    Cause(
        "text that must stay inert",
        ("open-account", "create-invoice"), 0.008, _LONG_TAIL, _hostile, traces.hostile, 0.6, 0.01,
        ("ACCOUNT", "account ", "count "),
    ),
)  # fmt: skip
"""All root causes, the most frequent first."""


def cause_of(topic: str, message: str | None) -> Cause | None:
    """The root cause that a failed task of this topic shows, or ``None`` if its message is of no known kind."""
    for cause in CAUSES:
        if topic in cause.topics and (
            not cause.marks if message is None else any(mark in message for mark in cause.marks)
        ):
            return cause
    return None
