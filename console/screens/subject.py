"""A subject: the table of columns and the few questions that tell one list view from another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from retriage.console.language import SUBJECTS, completed, parse, subject_on
from retriage.console.reading.reading_order import reading_order
from retriage.console.reading.row_filter import RowFilter
from retriage.console.screens.filter_advice import advised
from retriage.console.screens.row_filters import cell_words
from retriage.console.widgets.columns import Column
from retriage.console.widgets.filter_line import Advice
from retriage.console.widgets.pane import Item
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.engine.capabilities import Capabilities
    from retriage.console.engine.client import EngineClient
    from retriage.console.language import Parsed
    from retriage.console.language import Subject as Words
    from retriage.console.reading.incident_tasks import TaskFacts
    from retriage.console.reading.reading_order import ReadingOrder
    from retriage.console.reading.row_filter import Retried
    from retriage.store.contract.queries import Query

R = TypeVar("R")


@dataclass(frozen=True)
class SortKey:
    """A sort key of the contract and what the screen calls it."""

    key: str
    label: str
    descending: bool = False


class ListSubject(ABC, Generic[R]):
    """What a list view shows. ``R`` is the record of the contract."""

    name: ClassVar[str]
    """The view, and the subject of the filter language."""
    title: ClassVar[str]
    thing: ClassVar[str]
    """One of them, in words."""
    columns: ClassVar[Sequence[Column]]
    questions: int = 1
    """Questions to the engine that one reading of a page takes."""
    sorts: ClassVar[Sequence[SortKey]]
    legend: ClassVar[str] = ""
    """What the state letters mean."""

    capabilities: Callable[[], Capabilities]
    """Answers what the engine can; nothing is asked of it that it would ignore. Set by whoever knows the engine."""

    now: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))
    """Answers the moment that times are compared with. Set by whoever knows the engine: a snapshot stands still."""

    @property
    def words(self) -> Words[Any]:
        """The words that filter it on this engine."""
        told = getattr(self, "capabilities", None)
        return SUBJECTS[self.name] if told is None else subject_on(self.name, told())

    def parsed(self, text: str) -> Parsed[Any]:
        """What a filter text says: the contract's query, what the console looks for itself, and mistakes."""
        return parse(text, self.words, self.now())

    def row_filter(
        self, parsed: Parsed[Any], retried: Retried | None = None, facts: TaskFacts | None = None
    ) -> RowFilter:
        """What the console looks for itself in the records.

        Args:
            parsed: a text that was read.
            retried: which of some tasks were retried from here before.
            facts: tasks of incidents that are known.
        """
        return RowFilter(parsed.conditions, self.words, retried, facts)

    def cell_words(self, record: R) -> Mapping[str, str]:
        """Title of a column -> the word of the filter that fits the records that are like this one there."""
        return cell_words(self.name, record, self.now())

    def advise(self, text: str, cursor: int, values: Mapping[str, Sequence[str]] | None = None) -> Advice:
        """What the filter language says about a text while it is typed.

        Args:
            text: the text.
            cursor: place of the cursor.
            values: name of a word -> values that are known to exist.
        """
        return advised(text, cursor, self.words, values)

    def completed(self, text: str, cursor: int, word: str) -> tuple[str, int]:
        """The text with the word under the cursor replaced, and the new place of the cursor."""
        return completed(text, cursor, word)

    def sorted(self, query: Query, sort: SortKey) -> Query:
        """The query in this order, unless its text names another one."""
        if query.sorting:
            return query
        sort = self.sortable(sort)
        return query.model_copy(
            update={"sort_by": sort.key, "sort_order": "desc" if sort.descending else "asc", "sorting": None}
        )

    def reading_order(self, query: Query) -> ReadingOrder:
        """How all rows of a query of this list are read, while rows end and appear."""
        return reading_order(query)

    def sortable(self, sort: SortKey) -> SortKey:
        """This sort, or the first one that the engine knows."""
        told = getattr(self, "capabilities", None)
        unsortable = told().unsortable(self.name) if told is not None else frozenset()
        if sort.key not in unsortable:
            return sort
        return next((other for other in self.sorts if other.key not in unsortable), sort)

    @abstractmethod
    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[R]:
        """A page of records."""

    @abstractmethod
    async def count(self, client: EngineClient, query: Query) -> int:
        """How many match."""

    @abstractmethod
    def identify(self, record: R) -> str:
        """The id of a record."""

    @abstractmethod
    def cells(self, record: R, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""

    @abstractmethod
    def brief(self, record: R, now: datetime) -> list[Item]:
        """What the pane beside the table says about a record."""

    @abstractmethod
    def summary(self, record: R, now: datetime) -> list[Item]:
        """The same in two lines, for narrow screens."""

    def row(self, record: R, now: datetime) -> Row:
        """A record as a row of the table."""
        return Row(self.identify(record), self.cells(record, now), record)
