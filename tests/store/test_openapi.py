"""The description of the API is true: requests made from it get no answer that it does not describe, and no accident.

The requests are drawn from the document by schemathesis and sent over a socket to a store with a demo world, so that
many of them name things that are there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from retriage.console.cli import app
from retriage.store.api.app import described
from tests.engines.processes import free_port, serving

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case

EXAMPLES, MANY = 2, 40
"""Requests per operation and mode; many of them in `.ci/run`."""

LONGEST_POLL = 20
"""Milliseconds that a drawn ``fetchAndLock`` may wait for tasks."""

Ids = dict[str, list[str]]
Operation: TypeAlias = "APIOperation[Any, Any, Any, Any]"

OPERATIONS = [f"{method.upper()} {path}" for path, methods in described()["paths"].items() for method in methods]


@cache
def operations() -> dict[str, Operation]:
    """All operations of the document, by method and path."""
    import schemathesis  # 0.7 s, which each worker would need to collect these tests

    read = [found.ok() for found in schemathesis.openapi.from_dict(described()).get_all_operations()]
    return {operation.label: operation for operation in read}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The REST root of a store with a demo world."""
    folder = tmp_path_factory.mktemp("openapi")
    store = ["--store", str(folder / "store.db")]
    command = [sys.executable, "-m", "retriage.console"]
    filled = CliRunner().invoke(app, ["demo-data", *store, "--tasks", "300", "--seed", "7"])
    assert filled.exit_code == 0, filled.output
    address = f"http://127.0.0.1:{(port := free_port())}/engine-rest"
    serve = [*command, "serve", "--port", str(port), *store]
    with serving(serve, f"{address}/version", folder / "serve.log", within=60):
        yield address


@pytest.fixture(scope="module")
def ids(root: str) -> Ids:
    """Ids of things that are there, by the path that lists them."""
    found: Ids = {}
    with httpx.Client(base_url=root, trust_env=False) as http:
        for path in {path_of_ids(operation) for operation in operations().values()} - {None}:
            rows = http.get(f"{path}?maxResults=40").raise_for_status().json()
            found[str(path)] = [row["id"] for row in rows]
    return found


def path_of_ids(operation: Operation) -> str | None:
    """The list that has the ids which the first parameter of a path stands for; none if it stands for no id."""
    before, braces, after = operation.path.partition("/{")
    if not braces or after.startswith("key}") or "operation" in after or before not in described()["paths"]:
        return None
    return before.removeprefix("/engine-rest")


def test_every_operation_is_asked() -> None:
    assert set(operations()) == set(OPERATIONS)
    assert len(OPERATIONS) > 100


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_answer_outside_the_description(label: str, root: str, ids: Ids) -> None:
    ask_many(operations()[label], root, ids, EXAMPLES)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_answer_to_many_requests_outside_the_description(label: str, root: str, ids: Ids) -> None:
    ask_many(operations()[label], root, ids, MANY)


def ask_many(operation: Operation, root: str, ids: Ids, examples: int) -> None:
    """Send so many requests; every answer is one that the document describes."""
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi import checks as described_by

    checks = [
        described_by.content_type_conformance,
        described_by.response_schema_conformance,
        described_by.status_code_conformance,
    ]
    known = ids.get(path_of_ids(operation) or "", [])
    drawn = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    chosen = st.sampled_from(known) if known else st.none()

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=drawn, there=st.one_of(st.none(), chosen))
    def ask(case: Case, there: str | None) -> None:
        if there is not None:
            case.path_parameters = {**case.path_parameters, next(iter(case.path_parameters)): there}
        if isinstance(case.body, dict) and isinstance(case.body.get("asyncResponseTimeout"), int):
            case.body["asyncResponseTimeout"] %= LONGEST_POLL
        response = case.call(base_url=root.removesuffix("/engine-rest"))
        case.validate_response(response, checks=checks)

    ask()


def test_every_filter_and_field_is_described() -> None:
    """What the document says is what a person can read: no parameter of a query is without a sentence."""
    bare = [
        (method, path, parameter["name"])
        for path, operations in described()["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and not parameter.get("description")
    ]
    assert not bare
