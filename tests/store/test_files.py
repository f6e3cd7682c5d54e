"""Files that come and go: what is no store is left alone, and a store that is gone is not written to."""

import asyncio
import hashlib
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from retriage.store.database import StoreNotOpened, is_half_filled, open_database
from retriage.store.database.migrate import APPLICATION_ID
from retriage.store.doctor import CannotExamine, examine_store
from retriage.store.embedded import embedded_app
from retriage.store.server import ServerProblem, serve
from tests.store.running import STORES, client_of, store_at
from tests.support.plain import plain_world


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with the hash of its content."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.is_file()}


def made(file: Path, *statements: str) -> None:
    """Make a file by these statements."""
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


OTHERS: dict[str, tuple[tuple[str, ...], str]] = {
    "other tables": (("CREATE TABLE t (a)",), "of something else"),
    "other tables in WAL mode": (("PRAGMA journal_mode=WAL", "CREATE TABLE t (a)"), "of something else"),
    "alembic of another program": (
        ("CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('abc')"),
        "of something else",
    ),
    "an empty alembic_version": (("CREATE TABLE alembic_version (version_num TEXT)",), "of something else"),
    "tables with names of ours, and an empty alembic_version": (
        ("CREATE TABLE alembic_version (version_num TEXT)", "CREATE TABLE external_task (id TEXT)"),
        "alembic_version is empty",
    ),
    "another application": (("PRAGMA application_id = 1196444487", "CREATE TABLE t (a)"), "of something else"),
}


@pytest.mark.parametrize("name", list(OTHERS))
async def test_what_is_no_store_is_not_touched(tmp_path: Path, name: str) -> None:
    statements, said = OTHERS[name]
    made(tmp_path / "other.db", *statements)
    before = contents(tmp_path)
    with pytest.raises(StoreNotOpened, match=said):
        await open_database(str(tmp_path / "other.db"))
    assert contents(tmp_path) == before


async def test_a_text_file_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all\n" * 50)
    before = contents(tmp_path)
    with pytest.raises(StoreNotOpened, match="not a database"):
        await open_database(str(tmp_path / "notes.txt"))
    assert contents(tmp_path) == before


async def test_a_store_bears_its_mark_and_one_without_opens(tmp_path: Path) -> None:
    """The first versions wrote none."""
    file = tmp_path / "store.db"
    for _ in range(2):
        await (await open_database(str(file))).close()
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
            database.execute("PRAGMA application_id = 0")


async def test_an_open_store_without_its_mark_opens_again(tmp_path: Path) -> None:
    """Its tables may still stand in the log beside it."""
    file = tmp_path / "store.db"
    first = await open_database(str(file))
    await plain_world(first, 10)
    second = await open_database(str(file))
    await second.close()
    await first.close()


@pytest.mark.parametrize("kind", STORES)
async def test_a_store_of_a_newer_version_says_so(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> None:
    async with store_at(request, kind) as place:
        database = await open_database(place)
        async with database.writing() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        await database.close()
        before = contents(tmp_path)
        with pytest.raises(StoreNotOpened, match="was written by a newer version of Retriage"):
            await open_database(place)
        assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@host:54x2/db", "its port is not a number"),
        ("postgres://me:secret@host/db", "write postgresql://"),
        ("postgresq://me:secret@host/db", "not postgresq"),
        ("mysql://me:secret@host/db", "not mysql"),
        ("postgresql://me:secret@host/db?no_such_option=1", "no_such_option"),
        ("postgresql://me:secret@/db?host=/nowhere", "/nowhere"),
        ("postgresql://me:secret@no-such-host.invalid/db", "no-such-host.invalid"),
        ("postgresql://no-such-host.invalid/db?user=me&password=secret", "no-such-host.invalid"),
        ("postgresql:/me:secret@host/db", "a URL has ://"),
        ("sqlite:store.db", "a URL has ://"),
    ],
)
async def test_a_mistyped_url_gives_a_sentence(url: str, said: str) -> None:
    with pytest.raises(StoreNotOpened) as refusal:
        await open_database(url)
    assert said in str(refusal.value)
    assert "secret" not in str(refusal.value)
    with pytest.raises(ServerProblem):
        await asyncio.to_thread(serve, url, "127.0.0.1", 0)


def remove(folder: Path) -> None:
    """Delete every file of a folder."""
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("deed", ["deleted", "replaced"])
async def test_a_file_that_is_lost_under_a_server_is_noticed(tmp_path: Path, deed: str) -> None:
    file = tmp_path / "store.db"
    async with client_of(embedded_app(str(file))) as http:
        assert (await http.get("/external-task/count")).status_code == 200
        remove(tmp_path)
        if deed == "replaced":
            await (await open_database(str(file))).close()
        before = contents(tmp_path)
        order = {"retries": 1, "externalTaskQuery": {}}
        for answer in (
            await http.post("/external-task/retries-async", json=order),
            await http.post("/process-definition/key/k/start", json={}),
            await http.get("/external-task/count"),
        ):
            assert answer.status_code == 500
            assert "was deleted or replaced while it was open" in answer.json()["message"]
        assert contents(tmp_path) == before


def damage(file: Path) -> None:
    """Write over pages in several places of the file, whatever stands there."""
    eighth = file.stat().st_size // 8 // 4096 * 4096
    with file.open("r+b") as content:
        for place in range(1, 8):
            content.seek(place * eighth)
            content.write(b"\xff" * 4096 * 8)


async def damaged(file: Path) -> None:
    database = await open_database(str(file))
    await plain_world(database, 3000)
    await database.close()
    damage(file)


async def test_a_damaged_page_gives_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "store.db"
    await damaged(file)
    async with client_of(embedded_app(str(file))) as http:
        answers = [
            await http.get(path)
            for path in (
                "/external-task",
                "/process-instance",
                "/incident",
                "/external-task?sortBy=taskPriority&sortOrder=asc",
            )
        ]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    for answer in refused:
        assert answer.status_code == 500
        assert "retriage doctor" in answer.json()["message"]
    assert "Traceback" not in caplog.text


async def test_the_doctor_finds_a_damaged_page(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    await damaged(file)
    before = contents(tmp_path)
    findings = examine_store(str(file))
    assert not findings.healthy
    assert "damaged" in findings.lines[0] or "malformed" in findings.lines[0]
    assert ".recover" in findings.lines[-1]
    assert contents(tmp_path).items() >= before.items()


async def test_the_doctor_finds_rows_that_belong_to_nothing(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    database = await open_database(str(file))
    await plain_world(database, 30)
    assert examine_store(str(file)).healthy
    async with database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM process_instance WHERE business_key = 'key-7'")
    await database.close()
    findings = examine_store(str(file))
    assert not findings.healthy
    assert "1 rows of external_task name a process_instance that is not there" in findings.lines


def test_the_doctor_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(CannotExamine, match="no file"):
        examine_store(str(tmp_path / "none.db"))
    made(tmp_path / "other.db", "CREATE TABLE t (a)")
    with pytest.raises(CannotExamine, match="of something else"):
        examine_store(str(tmp_path / "other.db"))
    with pytest.raises(CannotExamine, match="PostgreSQL"):
        examine_store("postgresql://host/db")
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]


# -- a world that was not filled to its end ---------------------------------------------------------------------------

STUMP = """
import asyncio, os, signal, sys
from retriage.store.database import filling, open_database
from retriage.store.demo.world import build_world

def stop(made):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = await open_database(sys.argv[1])
    async with filling(database):
        await build_world(database, 6000, progress=stop)  # its indexes come last

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", STORES)
async def test_a_world_that_was_killed_half_way_is_begun_anew(request: pytest.FixtureRequest, kind: str) -> None:
    async with store_at(request, kind) as place:
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", STUMP, place)
        assert await killed.wait() == -signal.SIGKILL
        database = await open_database(place)
        assert await is_half_filled(database)
        await database.close()
        if kind == "sqlite":
            findings = examine_store(place)
            assert not findings.healthy
            assert f"process {killed.pid} of" in findings.lines[0]
        with pytest.raises(StoreNotOpened, match="half filled"):
            async with client_of(embedded_app(place)):
                pass
        with pytest.raises(ServerProblem, match="half filled"):
            await asyncio.to_thread(serve, place, "127.0.0.1", 0)
        for _ in range(2):
            async with client_of(embedded_app(place, demo_tasks=300)) as http:
                assert (await http.get("/external-task/count")).json() == {"count": 300}
        database = await open_database(place)
        async with database.reading() as connection:
            names = await connection.run_sync(
                lambda sync: [one["name"] for one in inspect(sync).get_indexes("external_task")]
            )
        await database.close()
        assert "external_task_topic" in names


KILLED_IN_A_TRANSACTION = """
import asyncio, os, signal, sys
from sqlalchemy import text
from retriage.store.database import filling, open_database

async def main():
    database = await open_database(sys.argv[1])
    async with filling(database), database.unshared(), database.writing() as connection:
        for ordinal in range(60):  # more than is kept in memory: the file has a part of it already
            row = "INSERT INTO batch_element (batch_id, ordinal, element_id) VALUES ('b', :ordinal, zeroblob(1000000))"
            await connection.execute(text(row), {"ordinal": ordinal})
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_store_that_nobody_shares_survives_a_kill_within_a_transaction(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED_IN_A_TRANSACTION, str(path))
    assert await killed.wait() == -signal.SIGKILL
    assert path.with_name("store.db-journal").stat().st_size
    assert path.stat().st_size > 1_000_000
    assert "half filled" in examine_store(str(path)).lines[0]
    async with client_of(embedded_app(str(path), demo_tasks=10)) as http:
        assert (await http.get("/external-task/count")).json() == {"count": 10}


async def test_a_store_that_nobody_shares_is_as_usual_afterwards(tmp_path: Path) -> None:
    pragmas = ("journal_mode", "synchronous", "busy_timeout")

    async def settings() -> list[object]:
        async with database.writing() as connection:
            return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in pragmas]

    database = await open_database(str(tmp_path / "store.db"))
    usual = await settings()
    assert usual[0] == "wal"
    async with database.unshared():
        assert await settings() == ["delete", 0, 60_000]
        await plain_world(database, 10)
    assert await settings() == usual
    async with database.reading(), database.unshared():  # a reader has it open: it is shared
        assert await settings() == usual
    await database.close()


async def test_a_store_with_rows_is_never_taken_for_a_stump(tmp_path: Path) -> None:
    from retriage.store.database import filling

    database = await open_database(str(tmp_path / "store.db"))
    await plain_world(database, 10)
    with pytest.raises(ValueError, match="empty store"):
        async with filling(database):
            pass
    assert not await is_half_filled(database)
    await database.close()
