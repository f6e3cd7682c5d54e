"""The order in which lists are asked for: always one that tells any two rows apart, where the endpoint can be told so.

An engine appends no tie-break to the sort keys it is given. Rows that are equal by them come in any order, another one
for every page, so that pages of 100 tasks sorted by ``createTime`` alone repeat some and drop others (observed on
Camunda 7.24.0: 796 different ones of 800). Without any sort key the rows come in the order of their ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from retriage.store.contract.history import (
    HistoricExternalTaskLogQuery,
    HistoricIncidentQuery,
    HistoricJobLogQuery,
)
from retriage.store.contract.queries import (
    BatchStatisticsQuery,
    ExternalTaskQuery,
    HistoricBatchQuery,
    HistoricProcessInstanceQuery,
    IncidentQuery,
    JobDefinitionQuery,
    JobQuery,
    ProcessInstanceQuery,
    Query,
    Sorting,
)

Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True)
class RowKeys:
    """How the rows of a list can be told apart.

    Attributes:
        apart: sort keys no two rows share all of, the least significant last.
        several: the endpoint takes more than one key: it does where the list is asked for by POST (observed on
            Camunda 7.24.0 and 7.21.0, whose lists by GET answer 405 to a POST).
    """

    apart: tuple[str, ...]
    several: bool = True

    @property
    def id(self) -> str | None:
        """The sort key that is the id of the row; none where the endpoint has no such key."""
        return self.apart[0] if len(self.apart) == 1 else None


LISTS: Mapping[type[Query], RowKeys] = {
    ExternalTaskQuery: RowKeys(("id",)),
    ProcessInstanceQuery: RowKeys(("instanceId",)),
    HistoricProcessInstanceQuery: RowKeys(("instanceId",)),
    JobQuery: RowKeys(("jobId",)),
    JobDefinitionQuery: RowKeys(("jobDefinitionId",)),
    # Entries of the logs cannot be sorted by their id. One task or job has no two entries of one kind at one moment.
    HistoricExternalTaskLogQuery: RowKeys(("timestamp", "externalTaskId")),
    HistoricJobLogQuery: RowKeys(("timestamp", "jobId", "occurrence")),
    IncidentQuery: RowKeys(("incidentId",), several=False),
    HistoricIncidentQuery: RowKeys(("incidentId",), several=False),
    BatchStatisticsQuery: RowKeys(("batchId",), several=False),
    HistoricBatchQuery: RowKeys(("batchId",), several=False),
}
"""Query -> the keys of its endpoint."""


def sort_keys(query: Query) -> list[tuple[str, str]]:
    """The sort keys of a query, the most significant first, each with ``asc`` or ``desc``."""
    said = [] if not query.sort_by else [(query.sort_by, query.sort_order or "asc")]
    return said + [(entry.sort_by, entry.sort_order or "asc") for entry in query.sorting or [] if entry.sort_by]


def in_total_order(query: Q) -> Q:
    """The query in its own order and then by what tells rows apart.

    Where the endpoint takes one key the query stays as it is, as one without sort keys does: the engine lists that in
    the order of ids.
    """
    keys, known = sort_keys(query), LISTS.get(type(query))
    if not keys or known is None or not known.several:
        return query
    given = {key for key, _ in keys}
    if known.id in given:
        return query
    keys += [(key, "asc") for key in known.apart if key not in given]
    sorting = [Sorting(sort_by=key, sort_order=order) for key, order in keys]
    return query.model_copy(update={"sort_by": None, "sort_order": None, "sorting": sorting})


def in_order_of_ids(query: Q) -> Q:
    """The query in the order of the rows' ids, whatever its own order: the one in which no row ever moves.

    Raises:
        KeyError: the rows of this query cannot be sorted by their id.
    """
    key = LISTS[type(query)].id
    if key is None:
        raise KeyError(type(query))
    return query.model_copy(update={"sorting": None, "sort_by": key, "sort_order": "asc"})
