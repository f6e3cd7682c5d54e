"""No query is launched that the engine does not heed: each filter is proven, and the first page is held against it."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.engine.capabilities import Capabilities, ListCapabilities
from retriage.console.engine.errors import EngineProblem, Forbidden, Unreachable
from retriage.console.launch.query_check import _FITS, check_queries, contradicted
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    ProcessInstanceQuery,
    VariableFilter,
)
from retriage.store.contract.records import ExternalTask
from tests.console.fake import FakeEngine, instance, task
from tests.console.settle import console, lines, until

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Unheeding(FakeEngine):
    """Counts and lists as if a filter by topic were not there, and takes no notice of it in an order either."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        return await super().external_tasks(query.model_copy(update={"topic_name": None}), first, size)

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        return await super().count_external_tasks(query.model_copy(update={"topic_name": None}))


def session_of(engine: FakeEngine) -> Session:
    session = Session(ConnectionIdentity("TEST"))
    session.connection.open(engine)  # type: ignore[arg-type]
    return session


def order(**sources: Any) -> SetExternalTaskRetries:
    return SetExternalTaskRetries(retries=1, **sources)


@pytest.mark.parametrize(
    "query",
    [
        ExternalTaskQuery(topic_name="charge-card", no_retries_left=True),
        ExternalTaskQuery(),
        ExternalTaskQuery(suspended=True, locked=True),
    ],
)
async def test_what_an_engine_heeds_passes(query: ExternalTaskQuery) -> None:
    await check_queries(session_of(FakeEngine()), order(external_task_query=query))


async def test_ids_are_not_checked() -> None:
    engine = FakeEngine()
    await check_queries(session_of(engine), order(external_task_ids=["a", "b"]))
    assert engine.reads == []


async def test_one_task_that_contradicts_stops_it() -> None:
    query = ExternalTaskQuery(topic_name="charge-card", no_retries_left=True)
    with pytest.raises(
        Forbidden, match=r"Nothing was sent\. The engine returned external task .* does not match topicName"
    ):
        await check_queries(session_of(Unheeding()), order(external_task_query=query))


def seen(**known: Any) -> Capabilities:
    """An engine whose list of tasks is known so far."""
    full = {subject: ListCapabilities(asked=True, seen=True) for subject in ("instances", "jobs")}
    return Capabilities({**full, "tasks": ListCapabilities(asked=True, seen=True, **known)})


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [
        (seen(ignored=frozenset({"process_variables"})), "would ignore processVariables"),
        (seen(ignored=frozenset({"process_variables"}), heeded=frozenset({"topic_name"})), "would ignore"),
        (seen(heeded=frozenset({"process_variables"})), "not known whether this engine heeds topicName"),
    ],
)
async def test_a_filter_that_is_ignored_or_not_proven_stops_it(capabilities: Capabilities, said: str) -> None:
    engine = FakeEngine()
    engine.can = capabilities
    variable = VariableFilter(name="amount", operator="gt", value=1)
    query = ExternalTaskQuery(topic_name="charge-card", process_variables=[variable])
    with pytest.raises(Forbidden, match=said):
        await check_queries(session_of(engine), order(external_task_query=query))


async def test_a_filter_inside_or_queries_is_checked_too() -> None:
    engine = FakeEngine()
    engine.can = Capabilities(
        {**seen().lists, "instances": ListCapabilities(True, ignored=frozenset({"root_process_instance_id"}))}
    )
    inner = ProcessInstanceQuery(root_process_instance_id="x")
    query = ProcessInstanceQuery(process_instance_ids=["pi-0000001"], or_queries=[inner])
    with pytest.raises(Forbidden, match="rootProcessInstanceId"):
        await check_queries(session_of(engine), order(process_instance_query=query))


async def test_a_check_that_cannot_be_made_stops_it() -> None:
    class Gone(FakeEngine):
        async def prove(self, known: Capabilities, subject: str, fields: Iterable[str]) -> Capabilities:
            raise Unreachable("The engine cannot be reached.")

    engine = Gone()
    engine.can = seen()
    query = ExternalTaskQuery(topic_name="charge-card")
    with pytest.raises(Forbidden, match="could not be checked: The engine cannot be reached") as stopped:
        await check_queries(session_of(engine), order(external_task_query=query))
    assert isinstance(stopped.value, EngineProblem)


@pytest.mark.parametrize(
    ("changes", "contradiction"),
    [
        ({}, ""),
        ({"topic_name": "send-mail"}, "topic_name"),
        ({"retries": 3}, "no_retries_left"),
        ({"retries": None}, "no_retries_left"),
        ({"process_definition_key": "claim"}, "process_definition_key_in"),
        ({"process_definition_key": ""}, ""),
        ({"priority": 49}, "priority_higher_than_or_equals"),
        ({"tenant_id": None}, "tenant_id_in"),
        ({"lock_expiration_time": NOW - timedelta(minutes=1)}, "lock_expiration_after"),
        ({"lock_expiration_time": None}, "lock_expiration_after"),
        ({"activity_id": "Ship"}, "activity_id"),
    ],
)
def test_tasks_and_filters(changes: dict[str, Any], contradiction: str) -> None:
    fitting = {
        "topic_name": "charge-card", "retries": 0, "process_definition_key": "order", "priority": 50,
        "tenant_id": "a", "lock_expiration_time": NOW, "activity_id": "Charge",
    }  # fmt: skip
    query = ExternalTaskQuery(
        topic_name="charge-card", no_retries_left=True, process_definition_key_in=["order", "x"], tenant_id_in=["a"],
        priority_higher_than_or_equals=50, lock_expiration_after=NOW, activity_id="Charge", not_locked=False,
        external_task_id_in=[], active=True,
    )  # fmt: skip
    assert contradicted("tasks", query, task(0).model_copy(update=fitting | changes)) == contradiction


def test_instances_and_filters() -> None:
    record = instance(task(0))
    assert contradicted("instances", ProcessInstanceQuery(process_definition_key="OrderProcess"), record) == ""
    other = ProcessInstanceQuery(process_definition_key_not_in=["OrderProcess"])
    assert contradicted("instances", other, record) == "process_definition_key_not_in"
    assert contradicted("instances", ProcessInstanceQuery(process_definition_key_not_in=["x"]), record) == ""
    older = record.model_copy(update={"definition_key": ""})
    assert contradicted("instances", other, older) == ""


def test_every_filter_that_is_looked_at_is_one_of_the_contract() -> None:
    for subject, query in (
        ("tasks", ExternalTaskQuery),
        ("instances", ProcessInstanceQuery),
        ("history", HistoricProcessInstanceQuery),
    ):
        assert set(_FITS[subject]) <= set(query.filters())


async def test_the_operator_reads_why_nothing_was_sent() -> None:
    engine = Unheeding(100)

    def news(app: RetriageApp) -> list[str]:
        return [event.sentence for event in app.session.news]

    async with console(engine) as (app, pilot):
        await pilot.press(
            "slash",
            *("colon" if sign == ":" else "minus" if sign == "-" else sign for sign in "topic:charge-card"),
            "enter",
        )
        await until(pilot, lambda: app.screen.matching == 100)  # type: ignore[attr-defined]
        await pilot.press("A", "R")
        await until(pilot, lambda: "in the launch" in "\n".join(lines(app)))
        deadline = asyncio.get_running_loop().time() + 30
        while not any("does not match topicName" in one for one in news(app)):
            assert asyncio.get_running_loop().time() < deadline, lines(app)
            await pilot.press("L")
            await pilot.pause(0.3)
    assert engine.orders == []
