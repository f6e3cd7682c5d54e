"""What the operator took: some tasks by id, everything that a query matches, or what a composed request names; or
process instances."""

from dataclasses import dataclass, field

from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, JobQuery, ProcessInstanceQuery, Query


@dataclass(frozen=True)
class Marked:
    """Tasks or jobs by id.

    Attributes:
        ids: their ids.
        said: what they are, in words; empty for tasks that were marked one by one.
        origin: the query that they were found with: of tasks to see later whether more match by now; of jobs it says
            as much as the ids, and those without retries are meant.
    """

    ids: frozenset[str]
    said: str = ""
    origin: ExternalTaskQuery | JobQuery | None = None

    @property
    def every_job(self) -> bool:
        """They are all failed jobs of the engine."""
        return isinstance(self.origin, JobQuery) and matches_all(self.origin)

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        return self.said or ("1 marked task" if len(self.ids) == 1 else f"{len(self.ids):,} marked tasks")


@dataclass(frozen=True)
class Everything:
    """All tasks that match a query, but those taken out again by hand.

    Attributes:
        query: what matches.
        but: ids of those taken out.
        said: the query as the operator wrote it; may be empty.
    """

    query: ExternalTaskQuery
    but: frozenset[str] = frozenset()
    said: str = ""

    @property
    def every_task(self) -> bool:
        """The query matches every task of the engine."""
        return matches_all(self.query)

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        what = "every external task of the engine" if self.every_task else self.said or "all tasks that match"
        return f"{what} but {len(self.but):,}" if self.but else what


@dataclass(frozen=True)
class Composed:
    """The union of everything that a request names, which the operator has put together himself.

    Attributes:
        sources: the request; its retries do not matter.
        said: what it is, in words; may be empty.
    """

    sources: SetExternalTaskRetries
    said: str = ""

    @property
    def every_task(self) -> bool:
        """One of its queries matches every task of the engine, or every instance and so all their tasks."""
        sources = self.sources
        queries = (
            sources.external_task_query,
            sources.process_instance_query,
            sources.historic_process_instance_query,
        )
        return any(query is not None and matches_all(query) for query in queries)

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        return self.said or "what the request names"


@dataclass(frozen=True)
class Instances:
    """Process instances: by id, or all that match a query but those taken out again by hand.

    Attributes:
        ids: their ids; ``None`` where the query says which.
        query: what matches.
        but: ids of those taken out.
        said: what they are, in words; may be empty.
    """

    ids: frozenset[str] | None = None
    query: ProcessInstanceQuery = field(default_factory=ProcessInstanceQuery)
    but: frozenset[str] = frozenset()
    said: str = ""

    @property
    def every_instance(self) -> bool:
        """The query matches every running instance of the engine."""
        return self.ids is None and not self.but and matches_all(self.query)

    def describe(self) -> str:
        """In words, for the head of a dialog."""
        if self.ids is not None:
            one = len(self.ids) == 1
            return self.said or ("1 marked instance" if one else f"{len(self.ids):,} marked instances")
        what = "every running instance of the engine" if matches_all(self.query) else self.said or "all that match"
        return f"{what} but {len(self.but):,}" if self.but else what


Selection = Marked | Everything | Composed


def ids_of(selection: Selection | Instances) -> frozenset[str] | None:
    """The ids of what was chosen; ``None`` where a query says what that is."""
    if isinstance(selection, Marked):
        return None if isinstance(selection.origin, JobQuery) else selection.ids
    return selection.ids if isinstance(selection, Instances) else None


def matches_all(query: Query) -> bool:
    """The query filters nothing: no filter, or only ones that the engine passes over (false flags, empty lists)."""
    return not any(value is not False and value != [] for value in query.chosen().values())


def named_by_query(selection: Selection) -> bool:
    """The engine can be told the selection as a query, so that no id has to be listed.

    It cannot when tasks were taken out by hand; nor when the query compares process variables, for Camunda 7 fails on
    those inside ``retries-async`` (observed on 7.24.0: 500, ProcessEnginePersistenceException).
    """
    return isinstance(selection, Everything) and not selection.but and not selection.query.process_variables
