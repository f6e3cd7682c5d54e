"""What the operator took: some tasks by id, or everything that a query matches."""

from dataclasses import dataclass

from store.contract.queries import ExternalTaskQuery


@dataclass(frozen=True)
class Marked:
    """Tasks by id."""

    ids: frozenset[str]

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        return "1 marked task" if len(self.ids) == 1 else f"{len(self.ids):,} marked tasks"


@dataclass(frozen=True)
class Everything:
    """All tasks that match a query, but those taken out again by hand."""

    query: ExternalTaskQuery
    but: frozenset[str] = frozenset()

    @property
    def every_task(self) -> bool:
        """The query matches every task of the engine."""
        return matches_all(self.query)

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        what = "every external task of the engine" if self.every_task else "all tasks that match"
        return f"{what} but {len(self.but):,}" if self.but else what


Selection = Marked | Everything


def matches_all(query: ExternalTaskQuery) -> bool:
    """The query filters nothing: no filter, or only ones that the engine passes over (false flags, empty lists)."""
    return not any(value is not False and value != [] for value in query.chosen().values())


def named_by_query(selection: Selection) -> bool:
    """The engine can be told the selection as a query, so that no id has to be listed.

    It cannot when tasks were taken out by hand; nor when the query compares process variables, for Camunda 7 fails on
    those inside ``retries-async`` (observed on 7.24.0: 500, ProcessEnginePersistenceException).
    """
    return isinstance(selection, Everything) and not selection.but and not selection.query.process_variables
