"""A subject of the filter line: the table of its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from retriage.console.language.conditions import ConsoleWord
from retriage.console.language.words import Word
from retriage.store.contract.queries import Query

Q = TypeVar("Q", bound=Query, covariant=True)


@dataclass(frozen=True)
class Apart:
    """Fields of which a query should hold one only.

    Attributes:
        fields: the fields; none of them may stand next to another of them.
        reason: why, as the end of a sentence.
    """

    fields: frozenset[str]
    reason: str = "they contradict each other"


@dataclass(frozen=True)
class Subject(Generic[Q]):
    """What a line can filter.

    Attributes:
        name: "tasks".
        query: class of the query that a line becomes.
        words: the table.
        by_get: the engine is asked by query string, where a list value cannot hold a comma.
        apart: fields that exclude each other.
        left_out: field of the query without a word -> the reason.
        cannot: word that operators try -> why the engine has no such filter.
        searched: word that a text without an operator is searched with: ``psp`` is ``error~psp``.
        plain: where there is none, the word that such a text was probably meant for.
        local: words that the console applies to the rows it reads, since the engine cannot. One may have the name of a
            word of the engine; it is asked when that one cannot say something.
        unreliable: fields of the query that this engine ignores, or may ignore: no word puts anything there.
        unsortable: sort keys that this engine refuses.
        absent: fields that the records of this engine do not have: no word looks there.
        task_id: field of a record that holds the id of the external task that it is about.
        absent_of_tasks: as ``absent``, for words that look at that task.
    """

    name: str
    query: type[Q]
    words: tuple[Word, ...]
    by_get: bool = False
    apart: tuple[Apart, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)
    searched: str | None = None
    plain: str | None = None
    local: tuple[ConsoleWord, ...] = ()
    unreliable: frozenset[str] = frozenset()
    unsortable: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    task_id: str = "id"
    absent_of_tasks: frozenset[str] = frozenset()

    @cached_property
    def by_name(self) -> dict[str, Word]:
        """Every name and alias of the engine's words -> its word."""
        return {name: word for word in self.words for name in (word.name, *word.aliases)}

    @cached_property
    def local_by_name(self) -> dict[str, ConsoleWord]:
        """Every name and alias of the console's words -> its word."""
        return {name: word for word in self.local for name in (word.name, *word.aliases)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name and alias of a word."""
        return tuple(dict.fromkeys((*self.by_name, *self.local_by_name)))

    def help(self, word: Word) -> str:
        """What a word of the engine filters: the descriptions of its fields in the contract."""
        told = (self.query.model_fields[name].description or "" for name in word.fields())
        return " ".join(dict.fromkeys(told))
