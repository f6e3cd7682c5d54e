"""Which part of an engine a snapshot is of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retriage.store.contract.records import VariableValue

MASK = "***"
"""What is written in place of a value that is masked."""
MASKED = ("*password*", "*passwd*", "*secret*", "*token*", "*iban*", "*card*", "*cvv*", "*ssn*")
"""Names of variables whose values nobody should hand on."""


@dataclass(frozen=True)
class SnapshotPart:
    """What the operator has chosen.

    Attributes:
        query: which tasks, in the filter language, and then only what belongs to them; empty for all there is.
        variables: names of the variables that are written, with ``*`` for any letters; none without.
        masked: names of those whose values are not written; upper and lower case are the same.
        details: error details of so many tasks of each cause; each costs a request.
    """

    query: str = ""
    variables: tuple[str, ...] = ()
    masked: tuple[str, ...] = MASKED
    details: int = 1

    def chosen(self, values: Iterable[tuple[str, VariableValue]]) -> dict[str, VariableValue]:
        """What is written of the variables of an instance: those that were asked for, masked where they are to be."""
        return {
            name: _masked(value) if _named(name.lower(), (one.lower() for one in self.masked)) else value
            for name, value in values
            if _named(name, self.variables)
        }


def names(text: str) -> tuple[str, ...]:
    """Names that were typed with commas between them."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _named(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _masked(value: VariableValue) -> VariableValue:
    """That it is there, and nothing else: neither its type nor what is known of a file."""
    return value.model_copy(update={"type": "String", "value": MASK, "value_info": {}})
