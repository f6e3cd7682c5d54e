"""What demo instances are about: the variables of each process, two or three of them.

An instance has few variables because each is a row with two index entries; what it has is enough for every type of the
contract, and for filters by name and value.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from retriage.store.contract.records import VariableValue
from retriage.store.contract.values import format_moment

DAY = 86_400_000
"""Milliseconds of a day."""

AMOUNT = "amount"
"""The variable that workers look at before they begin."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST = ("Ada", "Bela", "Chloé", "Dario", "Emine", "Femke", "Göran", "Hana", "Íñigo", "Jūra", "Kofi", "Lena", "Mirek")
_LAST = ("Ahlström", "Bianchi", "Çelik", "de Vries", "Eriksen", "Fischer", "García", "Horák", "Ito", "Jansen", "Okafor")
_ASCII = str.maketrans("éöÍñūçÇáí", "eoInucCai")
_PLANS = ("basic", "plus", "pro", "team")
_TEMPLATES = ("welcome", "password-reset", "price-change", "survey")
_COUNTRIES = ("SE", "NL", "ES", "DE", "CZ", "TR")


class Variable(NamedTuple):
    """A variable as its table keeps it: the value stands in the column of its type, in none if it is null."""

    name: str
    type: str
    text_value: str | None = None
    long_value: int | None = None
    double_value: float | None = None

    def value(self) -> VariableValue:
        """The variable as an order of the contract brings it."""
        value: str | float | bool | None = self.double_value
        if self.text_value is not None:
            value = self.text_value
        elif self.long_value is not None:
            value = bool(self.long_value) if self.type == "Boolean" else self.long_value
        return VariableValue(type=self.type, value=value)


Variables = tuple[Variable, ...]

_FULL_NAMES = tuple(f"{first} {last}" for first in _FIRST for last in _LAST)
_CUSTOMERS = tuple(Variable("customer", "String", name) for name in _FULL_NAMES)
_MAILBOXES = tuple(name.lower().replace(" ", ".", 1).replace(" ", "").translate(_ASCII) for name in _FULL_NAMES)
_EXPOSED = tuple(Variable("politicallyExposed", "Boolean", None, flag) for flag in (0, 1))
_NOTES = (
    (Variable("note", "Null"),),
    *((Variable("note", "String", f"please quote PO {po}"),) for po in (7, 81)),
    *[()] * 7,
)
"""What an invoice says about quoting; most say nothing."""


def amount_of(variables: Variables) -> float | None:
    """The amount of an instance; ``None`` where its process has none."""
    return next((variable.double_value for variable in variables if variable.name == AMOUNT), None)


def with_negative_amount(variables: Variables) -> Variables:
    """The same with a minus sign before the amount."""
    return tuple(
        one._replace(double_value=-one.double_value) if one.name == AMOUNT and one.double_value is not None else one
        for one in variables
    )


def _customer(random: Random) -> Variable:
    return _CUSTOMERS[int(random.random() * len(_CUSTOMERS))]


def _amount(random: Random) -> Variable:
    return Variable(AMOUNT, "Double", None, None, round(5.0 + 40.0 * random.expovariate(0.7), 2))


@lru_cache(maxsize=1024)
def _date(name: str, day: int) -> Variable:
    at = _EPOCH + timedelta(days=day)
    return Variable(name, "Date", format_moment(at), day * DAY)


def _order(random: Random, number: int, at: int) -> Variables:
    return (
        _customer(random),
        _amount(random),
        Variable("orderId", "Long", None, 4_000_000_000 + number),
    )


def _shipping(random: Random, number: int, at: int) -> Variables:
    house, code = int(random.random() * 199) + 1, int(random.random() * 90_000) + 10_000
    return (
        Variable("parcels", "Short", None, (1, 1, 1, 2, 3)[int(random.random() * 5)]),
        Variable("address", "Json", f'{{"street":"Hauptstr. {house}","postalCode":"{code}"}}'),
    )


def _invoicing(random: Random, number: int, at: int) -> Variables:
    return (
        _amount(random),
        _date("dueDate", at // DAY + 30),
        *_NOTES[int(random.random() * len(_NOTES))],
    )


def _kyc(random: Random, number: int, at: int) -> Variables:
    return (
        Variable("country", "String", _COUNTRIES[int(random.random() * len(_COUNTRIES))]),
        Variable("risk", "Integer", None, min(99, int(random.expovariate(0.06)))),
        _EXPOSED[random.random() < 0.02],
    )


def _subscription(random: Random, number: int, at: int) -> Variables:
    return (
        _amount(random),
        Variable("plan", "String", _PLANS[int(random.random() * len(_PLANS))]),
        _date("renewsOn", at // DAY),
    )


def _notification(random: Random, number: int, at: int) -> Variables:
    mailbox = _MAILBOXES[int(random.random() * len(_MAILBOXES))]
    return (
        Variable("email", "String", f"{mailbox}{number % 1000}@mail.example"),
        Variable("template", "String", _TEMPLATES[int(random.random() * len(_TEMPLATES))]),
    )


_VARIABLES: dict[str, Callable[[Random, int, int], Variables]] = {
    "order": _order,
    "shipping": _shipping,
    "invoicing": _invoicing,
    "kyc": _kyc,
    "subscription": _subscription,
    "notification": _notification,
}


def variables_of(key: str, random: Random, number: int, at: int) -> Variables:
    """The variables of the instance with this number of a process, started at ``at`` (milliseconds)."""
    return _VARIABLES[key](random, number, at)
