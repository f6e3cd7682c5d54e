"""The questions that the screens ask all the time find their rows by an index."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import acquire
from retriage.store.batch.batch_type import Plan
from retriage.store.batch.launch import launch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.batch.types.instance_deletion import plan_deletion
from retriage.store.batch.types.instance_suspension import plan_suspension
from retriage.store.batch.types.set_variables import plan_variables
from retriage.store.commands.retries import set_retries
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.history import HistoricExternalTaskLogQuery, HistoricIncidentQuery, HistoricJobLogQuery
from retriage.store.contract.orders import DeleteInstances, SetExternalTaskRetries, SetInstancesVariables
from retriage.store.contract.queries import (
    BatchStatisticsQuery,
    ExternalTaskQuery,
    HistoricBatchQuery,
    IncidentQuery,
    JobQuery,
    ProcessInstanceQuery,
    VariableFilter,
)
from retriage.store.database import Database, open_database
from retriage.store.queries import batches, external_tasks, incidents, jobs, logs, process_instances
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from retriage.store.tables import ExternalTask
from retriage.store.tables.types import col
from tests.store.running import store_at
from tests.support.plain import plain_world

SCAN = re.compile(r"SCAN (\w+)\b(?! USING| VIRTUAL)")
HARMLESS = {"page", "process_definition"}
"""The page that was just picked, and a table with a handful of rows."""


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with statistics, built once."""
    path = tmp_path_factory.mktemp("plans") / "world.db"

    async def build() -> None:
        opened = await open_database(str(path))
        await plain_world(opened, 2000, deployments=3)
        async with opened.writing() as connection:
            await connection.execute(text("UPDATE external_task SET retries = 0 WHERE topic_name = 'topic-3'"))
            await connection.execute(text("ANALYZE"))
        await opened.close()

    asyncio.run(build())
    return path


@pytest.fixture
async def database(world_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A copy of the world."""
    opened = await open_database(str(shutil.copy(world_file, tmp_path / "store.db")))
    yield opened
    await opened.close()


Question = Callable[[AsyncConnection], Awaitable[Any]]

QUESTIONS: dict[str, Question] = {
    "tasks without retries": lambda c: external_tasks.EXTERNAL_TASKS.page(
        c, ExternalTaskQuery(no_retries_left=True), 0, 100
    ),
    "how many tasks have no retries": lambda c: external_tasks.EXTERNAL_TASKS.count(
        c, ExternalTaskQuery(no_retries_left=True)
    ),
    "tasks of a topic without retries": lambda c: external_tasks.EXTERNAL_TASKS.page(
        c, ExternalTaskQuery(topic_name="topic-3", no_retries_left=True), 0, 100
    ),
    "tasks of a process": lambda c: external_tasks.EXTERNAL_TASKS.count(
        c, ExternalTaskQuery(process_definition_key="plain")
    ),
    "tasks of an instance": lambda c: external_tasks.EXTERNAL_TASKS.page(
        c, ExternalTaskQuery(process_instance_id="x"), 0, 100
    ),
    "oldest tasks": lambda c: external_tasks.EXTERNAL_TASKS.page(
        c, ExternalTaskQuery(sort_by="createTime", sort_order="asc"), 0, 100
    ),
    "open incidents": lambda c: incidents.INCIDENTS.page(c, IncidentQuery(), 0, 100),
    "how many open incidents": lambda c: incidents.INCIDENTS.count(c, IncidentQuery()),
    "incident of a task": lambda c: incidents.INCIDENTS.page(c, IncidentQuery(configuration="x"), 0, 100),
    "running instances": lambda c: process_instances.PROCESS_INSTANCES.page(c, ProcessInstanceQuery(), 0, 100),
    "running batches": lambda c: batches.STATISTICS.page(c, BatchStatisticsQuery(), 0, 100),
    "batches of the past": lambda c: batches.HISTORIC_BATCHES.page(
        c, HistoricBatchQuery(sort_by="startTime", sort_order="desc"), 0, 100
    ),
    "failed jobs of a batch": lambda c: jobs.JOBS.page(
        c, JobQuery(job_definition_id="x", no_retries_left=True), 0, 100
    ),
    "failures of a batch": lambda c: logs.JOB_LOG.page(
        c, HistoricJobLogQuery(job_definition_configuration="x", failure_log=True), 0, 100
    ),
    "events of a batch": lambda c: logs.JOB_LOG.count(c, HistoricJobLogQuery(job_definition_configuration="x")),
    "failures of a job": lambda c: logs.JOB_LOG.page(c, HistoricJobLogQuery(job_id="x", failure_log=True), 0, 100),
    "latest failures of jobs": lambda c: logs.JOB_LOG.page(
        c, HistoricJobLogQuery(failure_log=True, sort_by="timestamp", sort_order="desc"), 0, 100
    ),
    "log of a task": lambda c: logs.EXTERNAL_TASK_LOG.page(
        c, HistoricExternalTaskLogQuery(external_task_id="x"), 0, 100
    ),
    "log of an instance": lambda c: logs.EXTERNAL_TASK_LOG.page(
        c, HistoricExternalTaskLogQuery(process_instance_id="x"), 0, 100
    ),
    "latest events of tasks": lambda c: logs.EXTERNAL_TASK_LOG.page(
        c, HistoricExternalTaskLogQuery(sort_by="timestamp", sort_order="desc"), 0, 100
    ),
    "latest failures of tasks": lambda c: logs.EXTERNAL_TASK_LOG.page(
        c, HistoricExternalTaskLogQuery(failure_log=True, sort_by="timestamp", sort_order="desc"), 0, 100
    ),
    "open incidents of the past": lambda c: incidents.HISTORIC_INCIDENTS.page(
        c, HistoricIncidentQuery(open=True), 0, 100
    ),
    "how many incidents are open": lambda c: incidents.HISTORIC_INCIDENTS.count(c, HistoricIncidentQuery(open=True)),
    "incidents that a task ever had": lambda c: incidents.HISTORIC_INCIDENTS.page(
        c, HistoricIncidentQuery(configuration="x"), 0, 100
    ),
    "incidents that an instance ever had": lambda c: incidents.HISTORIC_INCIDENTS.page(
        c, HistoricIncidentQuery(process_instance_id="x"), 0, 100
    ),
    "incidents of a batch": lambda c: incidents.HISTORIC_INCIDENTS.page(
        c, HistoricIncidentQuery(job_definition_id_in=["x"]), 0, 100
    ),
    "latest incidents": lambda c: incidents.HISTORIC_INCIDENTS.page(
        c, HistoricIncidentQuery(sort_by="createTime", sort_order="desc"), 0, 100
    ),
    "jobs to run": lambda c: acquire(c, "token", 100, 30),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_table_is_read_from_end_to_end(database: Database, name: str) -> None:
    for steps in await _plans(database, QUESTIONS[name]):
        scanned = [found[1] for step in steps if (found := SCAN.search(step))]
        assert [table for table in scanned if table not in HARMLESS] == [], "\n".join(steps)


COUNTED: list[tuple[str, Question]] = [
    ("external_task_failed", lambda c: external_tasks.EXTERNAL_TASKS.count(c, ExternalTaskQuery(no_retries_left=True))),
    (
        "external_task_failed",
        lambda c: external_tasks.EXTERNAL_TASKS.count(c, ExternalTaskQuery(no_retries_left=True, active=True)),
    ),
    (
        "external_task_failed_topic",
        lambda c: external_tasks.EXTERNAL_TASKS.count(
            c, ExternalTaskQuery(no_retries_left=True, topic_name="topic-3", suspended=True)
        ),
    ),
    (
        "external_task_log_failed",
        lambda c: logs.EXTERNAL_TASK_LOG.count(c, HistoricExternalTaskLogQuery(failure_log=True)),
    ),
    ("job_log_failed", lambda c: logs.JOB_LOG.count(c, HistoricJobLogQuery(failure_log=True))),
    (
        "process_instance_definition",
        lambda c: process_instances.PROCESS_INSTANCES.count(c, ProcessInstanceQuery(process_definition_key="plain")),
    ),
]


@pytest.mark.parametrize(("index", "question"), COUNTED)
async def test_these_are_counted_without_a_look_at_them(tmp_path: Path, index: str, question: Question) -> None:
    opened = await open_database(str(tmp_path / "store.db"))
    await plain_world(opened, 20)
    (steps,) = await _plans(opened, question)
    assert re.search(rf"USING COVERING INDEX {index}\b", steps[0]), steps
    await opened.close()


async def test_instances_of_a_process_are_read_in_order_and_not_sorted(tmp_path: Path) -> None:
    opened = await open_database(str(tmp_path / "store.db"))
    await plain_world(opened, 20)
    query = ProcessInstanceQuery(process_definition_key="plain")
    (steps,) = await _plans(opened, lambda c: process_instances.PROCESS_INSTANCES.page(c, query, 0, 50))
    assert any(
        "USING COVERING INDEX process_instance_definition (process_definition_id=? AND" in step for step in steps
    )
    await opened.close()


async def test_running_instances_are_read_in_order_where_nobody_has_counted_them(tmp_path: Path) -> None:
    """No store is analyzed: SQLite took ``end_time IS NULL`` for a handful, and sorted all that run for each page."""
    opened = await open_database(str(tmp_path / "store.db"))
    await plain_world(opened, 20)
    for order in ("asc", "desc"):
        query = ProcessInstanceQuery(sort_by="instanceId", sort_order=order)
        (steps,) = await _plans(
            opened, lambda c, query=query: process_instances.PROCESS_INSTANCES.page(c, query, 0, 50)
        )
        assert any("SCAN process_instance USING INDEX process_instance_running" in step for step in steps), steps
    ids = ProcessInstanceQuery(process_instance_ids=[f"i{number}" for number in range(40)])
    (steps,) = await _plans(opened, lambda c: process_instances.PROCESS_INSTANCES.page(c, ids, 0, 50))
    assert not any("process_instance_running" in step for step in steps), steps
    await opened.close()


COMPARED: list[tuple[str, Any]] = [
    ("like", "A%"),
    ("notLike", "A%"),
    ("eq", 5),
    ("eq", True),
    ("eq", None),
    ("neq", "A"),
    ("gt", "A"),
    ("gteq", "A"),
    ("lt", "A"),
    ("lteq", 1.5),
]


@pytest.mark.parametrize(("operator", "value"), COMPARED)
async def test_a_comparison_reads_the_variables_of_the_row_and_not_all_of_that_name(
    database: Database, operator: str, value: Any
) -> None:
    query = ExternalTaskQuery(process_variables=[VariableFilter(name="customer", operator=operator, value=value)])
    (steps,) = await _plans(database, lambda c: external_tasks.EXTERNAL_TASKS.count(c, query))
    assert any("INDEX variable_scope" in step for step in steps), "\n".join(steps)
    assert not any("INDEX variable_name" in step for step in steps), "\n".join(steps)


async def test_a_text_that_is_named_finds_its_instances_once(database: Database) -> None:
    query = ExternalTaskQuery(process_variables=[VariableFilter(name="customer", operator="eq", value="Ada")])
    (steps,) = await _plans(database, lambda c: external_tasks.EXTERNAL_TASKS.count(c, query))
    assert any("INDEX variable_name (name=? AND text_value=?)" in step for step in steps), "\n".join(steps)
    assert not any("CORRELATED" in step for step in steps), "\n".join(steps)


async def _plans(database: Database, question: Question) -> list[list[str]]:
    """The plan of each statement that a question sends."""
    said: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        said.append((statement, parameters))

    async with database.writing() as connection:
        engine = connection.sync_connection
        assert engine is not None
        event.listen(engine, "before_cursor_execute", listen)
        await question(connection)
        event.remove(engine, "before_cursor_execute", listen)
        asked = list(said)
        assert asked
        return [
            [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in asked
        ]


@pytest.mark.postgresql
async def test_incidents_are_resolved_by_their_task_without_statistics(request: pytest.FixtureRequest) -> None:
    """As in a batch over a store that was filled a moment ago. PostgreSQL has looked at nothing yet."""
    async with store_at(request, "postgresql") as place:
        database = await open_database(place)
        await plain_world(database, 3000)
        every = select(col(ExternalTask.id))
        async with database.writing() as connection:
            await set_retries(connection, every, 0)
        said: list[tuple[str, Any]] = []

        def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            if statement.startswith("UPDATE incident"):
                said.append((statement, parameters))

        event.listen(database._writer.sync_engine, "before_cursor_execute", listen)
        some = every.where(col(ExternalTask.topic_name) == "topic-3")
        async with database.writing() as connection:
            assert await set_retries(connection, some, 3) == 300
            ((statement, parameters),) = said
            plan = [row[0] for row in await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        await database.close()
    assert not any("incident_open" in step for step in plan), "\n".join(plan)


@pytest.mark.postgresql
async def test_jobs_are_chosen_and_locked_once_where_statistics_know_of_none(request: pytest.FixtureRequest) -> None:
    """And so are the ids of a set of jobs with gaps: a tenth of the tasks is gone when their turn comes. PostgreSQL
    looks at its tables now and then, and a batch is quicker."""
    async with store_at(request, "postgresql") as place:
        database = await open_database(place)
        await plain_world(database, 200)
        async with database.writing() as connection:
            await connection.execute(text("ANALYZE"))
            await set_retries(connection, select(col(ExternalTask.id)), 0)
        order = SetExternalTaskRetries(retries=3, external_task_query=ExternalTaskQuery())
        settings = StoreSettings(batch_jobs_per_seed=200)
        await launch(database, plan_task_retries(order, settings), settings)
        async with database.writing() as connection:
            await connection.execute(text("DELETE FROM external_task WHERE id LIKE '%7'"))
        steps: dict[str, list[str]] = {}

        def explain(c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            what = next((what for what in ("UPDATE job SET lock_owner", "UPDATE incident") if what in statement), "")
            if what and not statement.startswith("EXPLAIN") and parameters.get("lock_owner", "") is not None:
                with c.begin_nested() as nested:
                    found = c.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", parameters)
                    steps.setdefault(what, []).extend(row[0] for row in found)
                    nested.rollback()

        event.listen(database._writer.sync_engine, "before_cursor_execute", explain)
        runner = Runner(database, settings)
        while await runner.turn():
            pass
        await database.close()
    locked = [step for step in steps["UPDATE job SET lock_owner"] if "LockRows" in step]
    assert locked
    assert [step for step in locked if "loops=1)" not in step] == []
    loops = [int(found) for step in steps["UPDATE incident"] for found in re.findall(r"loops=(\d+)", step)]
    assert max(loops) < 1000, "\n".join(steps["UPDATE incident"])


@pytest.mark.parametrize(
    "plan",
    [
        lambda: plan_deletion(DeleteInstances(process_instance_query=ProcessInstanceQuery())),
        lambda: plan_suspension(SetInstancesSuspended(suspended=True, process_instance_query=ProcessInstanceQuery())),
        lambda: plan_variables(
            SetInstancesVariables(variables={"a": {"value": 1}}, process_instance_query=ProcessInstanceQuery())
        ),
    ],
    ids=["deletion", "suspension", "variables"],
)
async def test_a_batch_finds_its_instances_by_their_ids(tmp_path: Path, plan: Callable[[], Plan]) -> None:
    """Not among all that run: that would be read again for each set of jobs."""
    database = await open_database(str(tmp_path / "store.db"))
    await plain_world(database, 300)
    settings = StoreSettings()
    steps: list[str] = []

    def explain(c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT process_instance.id", "UPDATE process_instance")):
            found = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(row[-1] for row in found)

    await launch(database, plan(), settings)
    event.listen(database._writer.sync_engine, "before_cursor_execute", explain)
    runner = Runner(database, settings)
    while await runner.turn():
        pass
    await database.close()
    searched = [step for step in steps if step.startswith(("SEARCH process_instance", "SCAN process_instance"))]
    assert searched
    assert [step for step in searched if "(id=?)" not in step] == []
