"""Stores that older versions have filled are brought up to date with their rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect

from store.contract.history import HistoricExternalTaskLogQuery, HistoricIncidentQuery, HistoricJobLogQuery
from store.database import Database, open_database
from store.database.engine import store_url
from store.queries.historic_process_instances import HISTORIC_PROCESS_INSTANCES
from store.queries.incidents import HISTORIC_INCIDENTS
from store.queries.logs import EXTERNAL_TASK_LOG, JOB_LOG
from tests.engines.postgres import fresh_database

SCRIPTS = Path(__file__).parents[2] / "store" / "database" / "migrations"
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

WHERE = {"process_definition_id": "order:1:pd", "process_instance_id": "pi", "execution_id": "ex"}
FIRST_ROWS: dict[str, list[dict[str, Any]]] = {
    "deployment": [{"id": "dep", "deployment_time": 1}],
    "process_definition": [
        {
            "id": "order:1:pd",
            "key": "order",
            "version": 1,
            "deployment_id": "dep",
            "resource": "order.bpmn",
            "suspended": False,
            "history_time_to_live": 30,
        }
    ],
    "process_instance": [
        {
            "id": "pi",
            "process_definition_id": "order:1:pd",
            "state": "COMPLETED",
            "start_time": 1_000,
            "end_time": 2_000,
        }
    ],
    "incident": [
        {
            "id": "in-1",
            "incident_type": "failedExternalTask",
            "state": "resolved",
            "create_time": 1_500,
            "end_time": 1_600,
            "configuration": "et",
            **WHERE,
        },
        {"id": "in-2", "incident_type": "failedJob", "state": "open", "create_time": 1_700, "configuration": "job"},
    ],
    "external_task_log": [
        {
            "id": "el",
            "timestamp": 1_400,
            "state": 1,
            "external_task_id": "et",
            "topic_name": "charge",
            "priority": 0,
            "activity_id": "Charge",
            "activity_instance_id": "Charge:1",
            **WHERE,
        }
    ],
    "job_log": [
        {
            "id": f"jl-{number}",
            "timestamp": 1_000 + number,
            "state": number % 3,
            "job_id": "job",
            "job_type": "set-external-task-retries",
            "job_definition_id": "jd",
            "batch_id": "b",
            "job_retries": 3,
            "job_priority": 0,
        }
        for number in range(300)
    ],
}
"""Rows as the first version wrote them."""


def alembic(connection: Connection) -> Config:
    """What alembic's commands want."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


@asynccontextmanager
async def first_store(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The place of a store of the first version, with rows in it."""
    if kind == "sqlite":
        place = str(folder / "store.db")
        fill(f"sqlite:///{place}")
        yield place
        return
    async with fresh_database(request.getfixturevalue("postgresql")) as place:
        fill(store_url(place).render_as_string(hide_password=False))
        yield place


def fill(url: str) -> None:
    """Make the tables of the first version, and write its rows."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(alembic(connection), "0001")
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in FIRST_ROWS.items():
            for row in rows:
                connection.execute(insert(tables.tables[name]).values(row))
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
async def test_history_of_the_first_version_can_be_asked(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with first_store(kind, tmp_path, request) as place:
        database = await open_database(place)
        await check_history(database)
        await database.close()


async def check_history(database: Database) -> None:
    """The rows of the first version, as the questions of today see them."""
    async with database.reading() as connection:
        failures = HistoricJobLogQuery(job_id="job", failure_log=True)
        assert await JOB_LOG.count(connection, failures) == 100
        assert await JOB_LOG.count(connection, HistoricJobLogQuery(job_definition_configuration="b")) == 300
        (entry,) = await JOB_LOG.page(connection, failures, 0, 1)
        assert (entry.hostname, entry.failure_log, entry.batch_id) == (None, True, "b")
        (seen,) = await EXTERNAL_TASK_LOG.page(connection, HistoricExternalTaskLogQuery(failure_log=True))
        ended, running = await HISTORIC_INCIDENTS.page(connection, HistoricIncidentQuery())
        instance = await HISTORIC_PROCESS_INSTANCES.get(connection, "pi")
    assert (seen.process_definition_key, ended.process_definition_key) == ("order", "order")
    assert instance.removal_time is not None
    assert instance.end_time is not None
    assert (instance.removal_time - instance.end_time).days == 30
    assert seen.removal_time == ended.removal_time == instance.removal_time
    assert (ended.resolved, running.open, running.removal_time) == (True, True, None)
    assert running.process_definition_key is None


@pytest.mark.parametrize("kind", KINDS)
async def test_there_and_back_again(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with first_store(kind, tmp_path, request) as place:
        url = f"sqlite:///{place}" if kind == "sqlite" else store_url(place).render_as_string(hide_password=False)
        engine = create_engine(url)
        for revision in ("head", "0001", "head"):
            with engine.begin() as connection:
                move = command.downgrade if revision == "0001" else command.upgrade
                move(alembic(connection), revision)
        engine.dispose()
        database = await open_database(place)
        await check_history(database)
        await database.close()


async def test_a_stump_without_indexes_is_brought_up_to_date(tmp_path: Path) -> None:
    """Whoever fills a store takes its indexes away meanwhile, and may be killed before they are there again."""
    place = tmp_path / "store.db"
    await (await open_database(str(place))).close()
    engine = create_engine(f"sqlite:///{place}")
    with engine.begin() as connection:
        command.downgrade(alembic(connection), "0008")
        for index in inspect(connection).get_indexes("external_task"):
            connection.exec_driver_sql(f"DROP INDEX {index['name']}")
    engine.dispose()
    database = await open_database(str(place))
    async with database.reading() as connection_now:
        found = await connection_now.run_sync(lambda sync: inspect(sync).get_indexes("external_task"))
    await database.close()
    assert {str(index["name"]): index["column_names"] for index in found} == {
        "external_task_failed": ["id", "retries", "suspended"],
        "external_task_failed_topic": ["topic_name", "retries", "suspended"],
    }
