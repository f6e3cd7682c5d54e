"""``sort:created-desc,priority``: sort keys, the most significant first."""

from collections.abc import Iterator
from dataclasses import dataclass

from retriage.console.language.tokens import Token
from retriage.console.language.words import EQUAL, Reading, Wrong
from retriage.console.text.nearest import nearest
from retriage.store.contract.queries import Query, Sorting


@dataclass(frozen=True)
class SortWord:
    """The word ``sort``.

    Attributes:
        keys: name in the line -> sort key of the contract.
        several: the engine takes more than one key (it does where the list is asked by POST).
    """

    keys: tuple[tuple[str, str], ...]
    several: bool
    name: str = "sort"
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return ("sorting",)

    def read(self, token: Token, reading: Reading) -> None:
        if token.negated or token.operator not in EQUAL or not token.values:
            raise Wrong(f"sort is written like sort:{self.keys[0][0]} or sort:{self.keys[0][0]}-desc.")
        if len(token.values) > 1 and not self.several:
            raise Wrong(f"The engine sorts {reading.things} by one key only.")
        reading.put(token, "sorting", [self._entry(value.text, value.start, value.end) for value in token.values])

    def write(self, query: Query) -> Iterator[str]:
        names = {key: name for name, key in self.keys}
        said = [] if query.sort_by is None else [(query.sort_by or None, query.sort_order)]
        said += [(entry.sort_by, entry.sort_order) for entry in query.sorting or []]
        if said:
            keys = (f"{names[key or '']}-desc" if order == "desc" else names[key or ""] for key, order in said)
            yield f"sort:{','.join(keys)}"

    def forms(self) -> tuple[str, ...]:
        return ("sort:",)

    def choices(self) -> tuple[str, ...]:
        return tuple(said for name, _ in self.keys for said in (name, f"{name}-desc"))

    def _entry(self, text: str, start: int, end: int) -> Sorting:
        name, dash, order = text.partition("-")
        known = dict(self.keys)
        if name not in known or (dash and order not in ("asc", "desc")):
            near = nearest(text, self.choices())
            hint = f"; did you mean {near}?" if near else f"; it has {', '.join(known)}."
            raise Wrong(f"sort has no key {text}{hint}", start, end)
        return Sorting(sort_by=known[name], sort_order=order or "asc")
