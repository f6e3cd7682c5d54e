"""``any:"key~a suspended"``: one of the words in the quotes has to match, not all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retriage.console.language.parse import read
from retriage.console.language.tokens import Token, quoted
from retriage.console.language.words import EQUAL, Reading, Wrong, single
from retriage.store.contract.queries import Query

if TYPE_CHECKING:
    from retriage.console.language.subject import Subject


@dataclass(frozen=True)
class AnyOf:
    """The word ``any``. It may stand several times; each time one of its words must match.

    Attributes:
        field: field that takes the queries.
        subject: answers the table of the words in the quotes, the one that this word is part of.
    """

    field: str
    subject: "Callable[[], Subject[Any]]"
    name: str = "any"
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def read(self, token: Token, reading: Reading) -> None:
        if token.negated or token.operator not in EQUAL:
            raise Wrong('any is written like any:"key~a suspended"; one of its words must match.')
        value = single(token, "any:")
        inner = read(value.text, self.subject(), reading.now)
        if inner.mistakes:
            raise Wrong(f"In any: {inner.mistakes[0].sentence}", value.start, value.end)
        if inner.conditions or inner.query.sorting or getattr(inner.query, self.field) or not inner.query.chosen():
            raise Wrong("any: takes filters of the engine only, one or more.", value.start, value.end)
        reading.add(self.field, inner.query)

    def write(self, query: Query) -> Iterator[str]:
        for entry in getattr(query, self.field) or ():
            if getattr(entry, self.field) or entry.sorting or entry.sort_by:
                raise ValueError("any: can hold neither sort: nor another any:")
            yield f"any:{quoted(' '.join(text for word in self.subject().words for text in word.write(entry)))}"

    def forms(self) -> tuple[str, ...]:
        return ("any:",)

    def choices(self) -> tuple[str, ...]:
        return ()
