"""Why tasks of the demo world fail: a few root causes with very uneven weights, and texts that vary in their details.

The texts are what workers would send; the last cause sends what no screen should ever obey.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from retriage.store.demo import stack_traces
from retriage.store.demo.ages import DAY, HOUR, MINUTE, Ages
from retriage.store.demo.plot import BAD_RELEASE, IMPORT_BEGAN, OUTAGE_BEGAN

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


def _between(random: Random, first: int, last: int) -> int:
    """A whole number from ``first`` to ``last``; ``randrange`` takes several times as long."""
    return first + int(random.random() * (last - first + 1))


def _one_of(random: Random, choices: tuple[str, ...]) -> str:
    return choices[int(random.random() * len(choices))]


def _outage(random: Random) -> str:
    bits = random.getrandbits(48)
    request = f"{bits >> 16:08x}-{bits & 0xFFFF:04x}"
    return f"HTTP 503 from psp.example: upstream connect error (request {request}, {_between(random, 101, 119)})"


def _card(random: Random) -> str:
    month, year = _between(random, 1, 12), _between(random, 23, 25)
    first, last = _one_of(random, ("2", "4", "5")), _between(random, 0, 9999)
    return f"card {first}*** **** **** {last:04d} expired {month:02d}/{year}"


def _smtp(random: Random) -> str:
    return (
        f"SMTP 421 4.7.0 mx{_between(random, 1, 4)}.mail.example: too many connections from "
        f"10.20.{_between(random, 0, 7)}.{_between(random, 1, 254)}, "
        f"try again later (queue {random.getrandbits(32):08X})"
    )


def _deadlock(random: Random) -> str:
    mine, other = _between(random, 11_000, 31_999), _between(random, 11_000, 31_999)
    return (
        f"deadlock detected: process {mine} waits for ShareLock on transaction {random.getrandbits(27)}; "
        f"blocked by process {other} (db-stock-{_between(random, 1, 3)}.internal:5432)"
    )


_ADDRESS_CALLS = ('"example.crm.Address.country()"', '"example.crm.Address.postalCode()"')


def _null_pointer(random: Random) -> str:
    what, number = _one_of(random, _ADDRESS_CALLS), _between(random, 10_000, 99_998)
    return f'NullPointerException: Cannot invoke {what} because "address" of customer {number} is null'


def amount_refused(amount: float) -> str:
    """What the billing worker says of a negative amount."""
    return f"amount must not be negative: {amount:.2f}"


def _negative_amount(random: Random) -> str:
    return amount_refused(-_between(random, 1_000, 99_999) / 100)


def _timeout(random: Random) -> str:
    return (
        f"timeout after {_between(random, 30_000, 30_399)} ms: "
        f"GET https://screening.example/v2/persons/{random.getrandbits(24)}?trace={_hex(random, 12)}"
    )


def _nothing(_random: Random) -> None:
    return None


_STREETS = ("Hauptstr.", "Rue Haute", "Calle Mayor", "Kungsgatan", "Dorpsstraat")
_CARRIERS = ("NordPost", "ParcelOne", "Veloz")


def _address(random: Random) -> str:
    return (
        f'carrier "{_one_of(random, _CARRIERS)}" rejected address '
        f"'{_one_of(random, _STREETS)} {_between(random, 1, 189)}, {_between(random, 1000, 99_998):05d}': "
        f"unknown house number (code E{_between(random, 200, 259)})"
    )


def _long(random: Random) -> str:
    lines = (
        f"line {number}: element 'cac:TaxTotal' has amount {_between(random, 0, 99_999) / 100:.2f}, "
        f"expected {_between(random, 0, 99_999) / 100:.2f} (rule BR-CO-{_between(random, 10, 26)})"
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


_OUTAGE_AGES: Ages = (
    (4 * MINUTE, 30 * MINUTE, 0.3),
    (30 * MINUTE, HOUR, 0.28),
    (HOUR, 1.6 * HOUR, 0.3),
    (1.6 * HOUR, OUTAGE_BEGAN, 0.12),
)
_LONG_TAIL: Ages = (
    (35 * MINUTE, 6 * HOUR, 0.45),
    (6 * HOUR, DAY, 0.3),
    (DAY, 3 * DAY, 0.18),
    (3 * DAY, 8 * DAY, 0.05),
    (8 * DAY, 26 * DAY, 0.02),
)
_MAIL_AGES: Ages = (
    (20 * MINUTE, 4 * HOUR, 0.65),
    (4 * HOUR, 30 * HOUR, 0.3),
    (30 * HOUR, 6 * DAY, 0.05),
)
_RELEASE_AGES: Ages = ((4 * MINUTE, HOUR, 0.3), (HOUR, BAD_RELEASE, 0.7))
_IMPORT_AGES: Ages = ((40 * MINUTE, IMPORT_BEGAN, 1.0),)
_LEDGER_AGES: Ages = ((7 * HOUR, 30 * HOUR, 0.8), (30 * HOUR, 9 * DAY, 0.2))

OUTAGE = Cause(
    "outage of the payment provider",
    ("charge-card",), 0.56, _OUTAGE_AGES, _outage, stack_traces.provider, 0.03, 0.0, ("HTTP 503 from psp",),
)  # fmt: skip
"""It is over for ``again`` and ``fresh``; as long as it goes on, nearly every attempt fails (``IN_OUTAGE``)."""
IN_OUTAGE = 0.98
"""Probability that an attempt fails while the payment provider is away."""
CARD_EXPIRED = Cause(
    "card expired",
    ("charge-card",), 0.07, _LONG_TAIL, _card, None, 0.93, 0.05, (" expired ",),
)  # fmt: skip
MISSING_ADDRESS = Cause(
    "missing address",
    ("create-invoice",), 0.07, _RELEASE_AGES, _null_pointer, stack_traces.null_address, 0.97, 0.12,
    ("NullPointerException",),
)  # fmt: skip
MAIL_REFUSED = Cause(
    "mail server refuses", ("send-mail",), 0.092, _MAIL_AGES, _smtp, stack_traces.mail_server, 0.2, 0.05, ("SMTP 421",)
)
NEGATIVE_AMOUNT = Cause(
    "negative amount",
    ("create-invoice",), 0.05, _IMPORT_AGES, _negative_amount, stack_traces.negative_amount, 1.0, 0.0,
    ("amount must not be negative",),
)  # fmt: skip
"""Its worker decides by the variable ``amount``, not by chance: retries help once the variable is right."""
DEADLOCK = Cause(
    "deadlock", ("reserve-stock",), 0.05, _LONG_TAIL, _deadlock, stack_traces.deadlock, 0.1, 0.06, ("deadlock",)
)
CAUSES: tuple[Cause, ...] = (
    OUTAGE,
    MISSING_ADDRESS,
    MAIL_REFUSED,
    CARD_EXPIRED,
    NEGATIVE_AMOUNT,
    DEADLOCK,
    Cause(
        "screening is slow",
        ("screen-customer", "fraud-check"), 0.04, _LONG_TAIL, _timeout, stack_traces.screening, 0.25, 0.07,
        ("timeout after",),
    ),
    Cause(
        "legacy ledger says nothing",
        ("legacy-sync",), 0.02, _LEDGER_AGES, _nothing, None, 0.5, 0.02, (),
    ),
    Cause(
        "carrier rejects the address",
        ("ship-parcel", "book-carrier"), 0.016, _LONG_TAIL, _address, None, 0.85, 0.02, ("carrier ",),
    ),
    Cause(
        "invoice violates its schema",
        ("archive-document",), 0.012, _LONG_TAIL, _long, stack_traces.invoice_schema, 0.95, 0.01,
        ("violates the invoice schema",),
    ),
    Cause(
        "text that must stay inert",
        ("open-account", "create-invoice"), 0.02, _LONG_TAIL, _hostile, stack_traces.hostile, 0.6, 0.01,
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
