"""Stores that older versions have filled are brought up to date with their rows."""

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect

from retriage.store.contract.history import HistoricExternalTaskLogQuery, HistoricIncidentQuery, HistoricJobLogQuery
from retriage.store.database import Database, StoreNotOpened, open_database
from retriage.store.database.engine import store_url
from retriage.store.progress import TELL
from retriage.store.queries.historic_process_instances import HISTORIC_PROCESS_INSTANCES
from retriage.store.queries.incidents import HISTORIC_INCIDENTS
from retriage.store.queries.logs import EXTERNAL_TASK_LOG, JOB_LOG
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


def copies_in(folder: Path) -> list[str]:
    """Names of the copies of stores that stand beside them."""
    return [file.name for file in folder.iterdir() if ".before-update" in file.name]


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


@pytest.mark.parametrize("kind", KINDS)
async def test_an_update_tells_its_steps_and_a_copy_stands_beside_the_file_meanwhile(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told: list[str] = []
    copies: set[tuple[str, int]] = set()

    def tell(sentence: str) -> None:
        told.append(sentence)
        for copy in copies_in(tmp_path):
            with closing(sqlite3.connect(tmp_path / copy)) as database:
                (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            copies.add((version, stat.S_IMODE((tmp_path / copy).stat().st_mode)))

    async with first_store(kind, tmp_path, request) as place:
        token = TELL.set(tell)
        database = await open_database(place)
        TELL.reset(token)
        await check_history(database)
        await database.close()
    steps = len(list(ScriptDirectory(str(SCRIPTS)).walk_revisions())) - 1
    assert [sentence.rpartition(": ")[2] for sentence in told] == [
        f"step {number} of {steps}." for number in range(1, steps + 1)
    ]
    assert copies == ({("0001", 0o600)} if kind == "sqlite" else set())
    assert copies_in(tmp_path) == []


async def test_an_update_that_fails_leaves_the_file_as_it_was_and_a_copy_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(sentence: str) -> None:
        if "step 3" in sentence:
            raise OSError(28, "No space left on device")

    place = tmp_path / "store.db"
    fill(f"sqlite:///{place}")
    token = TELL.set(fails)
    with pytest.raises(StoreNotOpened, match="No space left on device"):
        await open_database(str(place))
    TELL.reset(token)
    for file in (place, tmp_path / "store.db.before-update"):
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
            assert database.execute("SELECT count(*) FROM job_log").fetchone() == (300,)
    database_now = await open_database(str(place))
    await check_history(database_now)
    await database_now.close()
    assert copies_in(tmp_path) == []


async def test_without_room_for_a_copy_nothing_is_changed(tmp_path: Path) -> None:
    place = tmp_path / "store.db"
    fill(f"sqlite:///{place}")
    (tmp_path / "store.db.before-update").mkdir()
    with pytest.raises(StoreNotOpened, match=r"tables are not changed without a copy, and .* cannot be written"):
        await open_database(str(place))
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert copies_in(tmp_path) == ["store.db.before-update"]


def test_a_disk_that_is_full_while_it_is_copied_is_said_in_words_and_nothing_is_left(tmp_path: Path) -> None:
    place = tmp_path / "store.db"
    fill(f"sqlite:///{place}")
    script = f"""
import asyncio, resource
from retriage.store.database import open_database
resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
asyncio.run(open_database({str(place)!r}))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    said = ended.stderr.splitlines()[-1]
    assert "its tables are not changed without a copy, and " in said
    assert "Errno" not in said
    assert copies_in(tmp_path) == []
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


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


async def test_what_batches_set_is_kept_as_their_types_write_it(tmp_path: Path) -> None:
    place = str(tmp_path / "store.db")
    engine = create_engine(f"sqlite:///{place}")
    row = {
        **dict.fromkeys(("elements", "total_jobs", "batch_jobs_per_seed", "invocations_per_batch_job"), 1),
        **dict.fromkeys(("seed_job_definition_id", "monitor_job_definition_id", "batch_job_definition_id"), "jd"),
        "seeded": 0,
        "jobs_created": 0,
        "job_retries": 3,
        "suspended": False,
        "start_time": 1,
    }
    with engine.begin() as connection:
        command.upgrade(alembic(connection), "0010")
        tables = MetaData()
        tables.reflect(connection)
        for name, more in {
            "tasks": {"type": "set-external-task-retries", "retries": 4},
            "jobs": {"type": "set-job-retries", "retries": 2, "sets_due_date": True, "due_date": 1_234},
            "cleared": {"type": "set-job-retries", "retries": 1, "sets_due_date": True},
        }.items():
            connection.execute(insert(tables.tables["batch"]).values(id=name, **row, **more))
    engine.dispose()
    database = await open_database(place)
    async with database.reading() as reading:
        found = await reading.exec_driver_sql("SELECT id, configuration FROM batch")
        kept = {batch.id: json.loads(batch.configuration) for batch in found}
    await database.close()
    assert kept == {
        "tasks": {"retries": 4},
        "jobs": {"retries": 2, "dueDate": "1970-01-01T00:00:01.234+0000"},
        "cleared": {"retries": 1, "dueDate": None},
    }
