"""Every sort that the console sends tells any two rows apart, where the endpoint can be told so."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.total_order import LISTS, in_order_of_ids, in_total_order, sort_keys
from retriage.console.reading.pages import pages_by_id
from retriage.console.reading.reading_order import reading_order
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
from tests.contract.engine import Engine, client
from tests.contract.world import World
from tests.engines import camunda

SIZE = 20
MANY = 800


def by(*keys: tuple[str, str]) -> list[Sorting]:
    return [Sorting(sort_by=key, sort_order=order) for key, order in keys]


@pytest.mark.parametrize("kind", list(LISTS), ids=lambda kind: str(kind.__name__))
def test_every_key_of_a_list_is_one_that_the_contract_names(kind: type[Query]) -> None:
    assert set(LISTS[kind].apart) <= set(kind.SORT_KEYS)


def test_the_wanted_order_stays_and_ids_come_last() -> None:
    created = ExternalTaskQuery(topic_name="a", sort_by="createTime", sort_order="desc")
    assert sort_keys(in_total_order(created)) == [("createTime", "desc"), ("id", "asc")]
    assert in_total_order(created).topic_name == "a"
    of_filter = JobQuery(sorting=by(("jobRetries", "asc"), ("jobDueDate", "desc")))
    assert sort_keys(in_total_order(of_filter)) == [("jobRetries", "asc"), ("jobDueDate", "desc"), ("jobId", "asc")]
    log = HistoricJobLogQuery(sorting=by(("timestamp", "desc")))
    assert sort_keys(in_total_order(log)) == [("timestamp", "desc"), ("jobId", "asc"), ("occurrence", "asc")]


def test_an_order_that_is_total_already_is_left_alone() -> None:
    for query in (
        ExternalTaskQuery(),
        ExternalTaskQuery(sort_by="id", sort_order="desc"),
        ProcessInstanceQuery(sorting=by(("instanceId", "desc"), ("businessKey", "asc"))),
        IncidentQuery(sort_by="incidentTimestamp", sort_order="desc"),
    ):
        assert in_total_order(query) == query


def test_a_list_that_takes_one_key_is_read_by_id_and_put_into_order_here() -> None:
    incidents = reading_order(IncidentQuery(sort_by="incidentMessage", sort_order="desc"))
    assert sort_keys(incidents.query) == [("incidentId", "asc")]
    assert incidents.keys == (("incidentMessage", "desc"),)
    locks = reading_order(ExternalTaskQuery(sort_by="lockExpirationTime", sort_order="asc"))
    assert sort_keys(locks.query) == [("id", "asc")]
    created = ExternalTaskQuery(sort_by="createTime", sort_order="asc")
    assert (reading_order(created).query, reading_order(created).keys) == (created, ())
    with pytest.raises(KeyError):
        in_order_of_ids(HistoricJobLogQuery())


# -- on a real engine -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The reference engine, or the one that the environment names."""
    if missing := camunda.what_is_missing():
        pytest.skip(f"the reference engine {missing}")
    with camunda.running(tmp_path_factory.mktemp("engine") / "camunda.log") as root:
        yield root


@pytest.fixture
async def engine(root: str) -> AsyncIterator[Engine]:
    """The engine, asked by a client of this test."""
    async with client(root) as http:
        yield Engine("camunda", http)


Read = Callable[[EngineClient], Callable[[Any, int, int], Awaitable[list[Any]]]]
LISTED: list[tuple[Read, Query]] = [
    (lambda one: one.external_tasks, ExternalTaskQuery()),
    (lambda one: one.process_instances, ProcessInstanceQuery()),
    (lambda one: one.historic_process_instances, HistoricProcessInstanceQuery()),
    (lambda one: one.jobs, JobQuery()),
    (lambda one: one.job_log, HistoricJobLogQuery()),
    (lambda one: one.external_task_log, HistoricExternalTaskLogQuery()),
    (lambda one: one.incidents, IncidentQuery()),
    (lambda one: one.historic_incidents, HistoricIncidentQuery()),
    (lambda one: one.batches, BatchStatisticsQuery()),
    (lambda one: one.historic_batches, HistoricBatchQuery()),
]


@pytest.mark.engine
@pytest.mark.timeout(600)
async def test_a_real_engine_takes_every_sort_that_the_console_sends(engine: Engine) -> None:
    console = EngineClient(engine.http)
    for method, query in LISTED:
        for key in type(query).SORT_KEYS:
            for order in ("asc", "desc"):
                await method(console)(query.model_copy(update={"sort_by": key, "sort_order": order}), 0, 2)
    for query in (JobDefinitionQuery(sort_by="jobType", sort_order="asc"), in_order_of_ids(JobDefinitionQuery())):
        await console.job_definitions(query)


@pytest.mark.engine
@pytest.mark.timeout(600)
async def test_a_real_engine_repeats_and_drops_no_task_of_pages_by_their_creation(engine: Engine) -> None:
    scene = await World(engine).wide(MANY)
    console = EngineClient(engine.http)
    query = ExternalTaskQuery(topic_name=scene.topic, sort_by="createTime", sort_order="asc")
    listed: list[str] = []
    for first in range(0, MANY, SIZE):
        listed += [task.id for task in await console.external_tasks(query, first, SIZE)]
    assert [id for id, times in Counter(listed).items() if times > 1] == []
    assert set(listed) == set(scene.tasks)
    read = [one.id async for page in pages_by_id(console.external_tasks, query, SIZE) for one in page]
    assert read == sorted(scene.tasks)
