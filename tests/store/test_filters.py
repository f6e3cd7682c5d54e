"""Every filter is declared once and meant everywhere."""

from collections.abc import Mapping
from typing import Any

import pytest

from store.contract.queries import (
    BatchQuery,
    BatchStatisticsQuery,
    ExternalTaskQuery,
    HistoricBatchQuery,
    HistoricProcessInstanceQuery,
    IncidentQuery,
    JobDefinitionQuery,
    JobQuery,
    ProcessInstanceQuery,
    Query,
)
from store.queries import batches, external_tasks, historic_process_instances, incidents, jobs, process_instances

TABLES: list[tuple[type[Query], Mapping[str, Any], Mapping[str, Any]]] = [
    (ExternalTaskQuery, external_tasks.CONDITIONS, external_tasks.SORT_COLUMNS),
    (ProcessInstanceQuery, process_instances.CONDITIONS, process_instances.SORT_COLUMNS),
    (
        HistoricProcessInstanceQuery,
        historic_process_instances.CONDITIONS,
        historic_process_instances.SORT_COLUMNS,
    ),
    (IncidentQuery, incidents.CONDITIONS, incidents.SORT_COLUMNS),
    (BatchQuery, batches.BATCH_CONDITIONS, batches.SORT_COLUMNS),
    (BatchStatisticsQuery, batches.STATISTICS_CONDITIONS, batches.SORT_COLUMNS),
    (HistoricBatchQuery, batches.HISTORY_CONDITIONS, batches.SORT_COLUMNS),
    (JobQuery, jobs.CONDITIONS, jobs.SORT_COLUMNS),
    (JobDefinitionQuery, jobs.DEFINITION_CONDITIONS, jobs.DEFINITION_SORT_COLUMNS),
]


@pytest.mark.parametrize(
    ("query", "conditions", "sort_columns"), TABLES, ids=lambda value: getattr(value, "__name__", "")
)
def test_every_filter_has_a_condition_and_every_sort_key_a_column(
    query: type[Query], conditions: Mapping[str, Any], sort_columns: Mapping[str, Any]
) -> None:
    assert set(query.filters()) == set(conditions)
    assert set(query.SORT_KEYS) <= set(sort_columns)


@pytest.mark.parametrize("query", [query for query, _, _ in TABLES], ids=lambda query: query.__name__)
def test_every_filter_says_what_it_matches(query: type[Query]) -> None:
    silent = [name for name, field in query.model_fields.items() if not field.description]
    assert silent == []
