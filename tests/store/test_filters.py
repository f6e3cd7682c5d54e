"""Every filter is declared once and meant everywhere: condition, description, case."""

import ast
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from retriage.store import commands, queries
from retriage.store.contract.queries import Query
from retriage.store.queries.listing import Listing

TESTS = Path(__file__).parent.parent
CASES = {
    "ExternalTaskQuery": "contract/test_external_tasks.py contract/test_variable_filters.py",
    "ProcessInstanceQuery": "contract/test_process_instances.py contract/test_variable_filters.py",
    "HistoricProcessInstanceQuery": "contract/test_historic_process_instances.py contract/test_variable_filters.py",
    "IncidentQuery": "contract/test_incidents.py",
    "HistoricIncidentQuery": "contract/test_history_incidents.py",
    "BatchQuery": "contract/test_batch_queries.py",
    "BatchStatisticsQuery": "contract/test_batch_queries.py",
    "HistoricBatchQuery": "contract/test_batch_queries.py",
    "JobQuery": "contract/test_jobs.py",
    "JobDefinitionQuery": "contract/test_jobs.py",
    "HistoricJobLogQuery": "contract/test_job_log.py",
    "HistoricExternalTaskLogQuery": "contract/test_external_task_log.py",
    "UserOperationQuery": "contract/test_user*.py contract/test_*operation*.py",
    "VariableInstanceQuery": "contract/test_variable_instances.py",
    "HistoricVariableInstanceQuery": "contract/test_history_variables.py",
    "HistoricActivityInstanceQuery": "contract/test_history_activities.py",
    "DeploymentQuery": "contract/test_definitions.py",
    "ProcessDefinitionQuery": "contract/test_definitions.py",
}
"""Where the cases of a query are: patterns of files."""


def listings() -> Iterator[Listing[Any, Any]]:
    """Every query that the store answers."""
    for room in (queries, commands):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            for value in vars(import_module(module.name)).values():
                if isinstance(value, Listing):
                    yield value


LISTINGS = {listing.query.__name__: listing for listing in listings()}


def wire(query: type[Query], filters: set[str]) -> set[str]:
    """Filters by their names on the wire."""
    return {str(query.model_fields[name].alias) for name in filters}


def names_in(source: str) -> Iterator[str]:
    """The names that a module writes as a text, as one of several in a text, or as a keyword."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg is not None:
            yield node.arg
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
            yield from words if all(word.isidentifier() for word in words) else ()


def test_no_query_is_forgotten() -> None:
    assert set(LISTINGS) == set(CASES)


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_every_filter_has_a_condition_and_every_sort_key_a_column(listing: Listing[Any, Any]) -> None:
    assert set(listing.query.filters()) == set(listing.conditions)
    assert set(listing.query.SORT_KEYS) <= set(listing.sort_columns)


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_every_filter_says_what_it_matches(listing: Listing[Any, Any]) -> None:
    silent = [name for name, field in listing.query.model_fields.items() if not field.description]
    assert silent == []


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_every_filter_and_every_sort_key_has_a_case(listing: Listing[Any, Any]) -> None:
    files = {file for pattern in CASES[listing.query.__name__].split() for file in TESTS.glob(pattern)}
    used = {name for file in files for name in names_in(file.read_text())}
    names = wire(listing.query, set(listing.query.filters()) | (listing.query.NOT_FILTERS - Query.NOT_FILTERS))
    names |= set(listing.query.SORT_KEYS)
    assert names - used == set()


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_rows_and_records_have_the_same_fields(listing: Listing[Any, Any]) -> None:
    """What a row does not say must have a value without it; what it says beside that must be used by ``build``."""
    said = {column.name for column in listing.rows.selected_columns}
    needed = {name for name, field in listing.shape.model_fields.items() if field.is_required()}
    if listing.build is None:
        assert needed <= said <= set(listing.shape.model_fields)
