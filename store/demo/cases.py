"""What demo instances are about: business keys and variables of each process."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from store.contract.values import format_moment

Facts = dict[str, tuple[str, Any]]
"""Variables by name, each with its type of the contract and its value; dates as aware times."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST = ("Ada", "Bela", "Chloé", "Dario", "Emine", "Femke", "Göran", "Hana", "Íñigo", "Jūra", "Kofi", "Lena", "Mirek")
_LAST = ("Ahlström", "Bianchi", "Çelik", "de Vries", "Eriksen", "Fischer", "García", "Horák", "Ito", "Jansen", "Okafor")
_ASCII = str.maketrans("éöÍñūçÇáí", "eoInucCai")
_CURRENCIES = ("EUR",) * 7 + ("SEK", "USD", "GBP")
_PLANS = ("basic", "plus", "pro", "team")


def customer(random: Random) -> tuple[str, str]:
    """A name and a mail address."""
    first, last = random.choice(_FIRST), random.choice(_LAST)
    mailbox = f"{first}.{last}{random.randrange(1000)}".lower().replace(" ", "").translate(_ASCII)
    return f"{first} {last}", f"{mailbox}@mail.example"


def _amount(random: Random) -> float:
    return round(random.lognormvariate(4.0, 0.9), 2)


def _money(random: Random) -> Facts:
    name, email = customer(random)
    return {
        "customer": ("String", name),
        "email": ("String", email),
        "amount": ("Double", _amount(random)),
        "currency": ("String", random.choice(_CURRENCIES)),
    }


def _order(random: Random, number: int, at: int) -> Facts:
    items = 1 + int(random.expovariate(0.6))
    return _money(random) | {
        "orderId": ("Long", 4_000_000_000 + number),
        "items": ("Integer", items),
        "express": ("Boolean", random.random() < 0.2),
    }


def _shipping(random: Random, number: int, at: int) -> Facts:
    name, email = customer(random)
    return {
        "customer": ("String", name),
        "email": ("String", email),
        "weight": ("Double", round(random.uniform(0.1, 28.0), 1)),
        "parcels": ("Short", random.choice((1, 1, 1, 2, 3))),
        "address": (
            "Json",
            f'{{"street":"Hauptstr. {random.randrange(1, 200)}","postalCode":"{random.randrange(10_000, 99_999)}"}}',
        ),
    }


def _invoicing(random: Random, number: int, at: int) -> Facts:
    note = ("Null", None) if random.random() < 0.7 else ("String", "please quote PO " + str(random.randrange(10_000)))
    return _money(random) | {
        "dueDate": ("Date", _EPOCH + timedelta(milliseconds=at // 86_400_000 * 86_400_000, days=30)),
        "note": note,
    }


def _kyc(random: Random, number: int, at: int) -> Facts:
    name, email = customer(random)
    return {
        "customer": ("String", name),
        "email": ("String", email),
        "country": ("String", random.choice(("SE", "NL", "ES", "DE", "CZ", "TR"))),
        "risk": ("Integer", min(99, int(random.expovariate(0.06)))),
        "politicallyExposed": ("Boolean", random.random() < 0.02),
    }


def _subscription(random: Random, number: int, at: int) -> Facts:
    return _money(random) | {
        "plan": ("String", random.choice(_PLANS)),
        "renewsOn": ("Date", _EPOCH + timedelta(milliseconds=at)),
    }


def _notification(random: Random, number: int, at: int) -> Facts:
    name, email = customer(random)
    return {
        "customer": ("String", name),
        "email": ("String", email),
        "template": ("String", random.choice(("welcome", "password-reset", "price-change", "survey"))),
    }


_FACTS: dict[str, Callable[[Random, int, int], Facts]] = {
    "order": _order,
    "shipping": _shipping,
    "invoicing": _invoicing,
    "kyc": _kyc,
    "subscription": _subscription,
    "notification": _notification,
}


def facts_of(key: str, random: Random, number: int, at: int) -> Facts:
    """The variables of the instance with this number of a process, started at ``at`` (milliseconds)."""
    return _FACTS[key](random, number, at)


def columns_of(type_: str, value: Any) -> tuple[str | None, int | None, float | None]:
    """Text, whole number and decimal number as the variable table keeps a value."""
    if value is None:
        return None, None, None
    if isinstance(value, datetime):
        return format_moment(value), (value - _EPOCH) // timedelta(milliseconds=1), None
    if isinstance(value, str):
        return value, None, None
    if type_ == "Double":
        return None, None, value
    return None, int(value), None
