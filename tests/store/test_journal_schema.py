"""A journal that was brought up to date has exactly the tables that the code declares; what is none is not opened."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from retriage.store.database import open_database
from retriage.store.journal import Journal, JournalLost, JournalNotOpened
from retriage.store.journal.tables import metadata
from tests.store.test_files import contents, remove
from tests.store.test_schema import indexes


@contextmanager
def locked(path: Path, *statements: str) -> Iterator[None]:
    """The file while another process keeps it locked by these statements."""
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "[c.execute(one).fetchall() for one in sys.argv[2:]]; print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.kill()


async def test_two_roads_one_schema(tmp_path: Path) -> None:
    await (await Journal.open(tmp_path / "migrated.db")).close()
    migrated, declared = (create_engine(f"sqlite:///{tmp_path / name}") for name in ("migrated.db", "declared.db"))
    metadata.create_all(declared)
    with migrated.connect() as left, declared.connect() as right:

        def comparable(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return kind != "index" and name != "journal_version"

        options = {"include_object": comparable, "version_table": "journal_version"}
        assert compare_metadata(MigrationContext.configure(left, opts=options), metadata) == []
        assert indexes(left) == indexes(right)
        tables = (
            "SELECT name, sql LIKE '%WITHOUT ROWID%', sql LIKE '%AUTOINCREMENT%' FROM sqlite_master"
            " WHERE type = 'table' AND name <> 'journal_version' ORDER BY name"
        )
        assert left.execute(text(tables)).all() == right.execute(text(tables)).all()
    migrated.dispose()
    declared.dispose()


async def test_a_store_is_no_journal_and_a_journal_no_store(tmp_path: Path) -> None:
    await (await open_database(str(tmp_path / "store.db"))).close()
    with pytest.raises(JournalNotOpened, match=r"opened: it is an SQLite database of something else \(.*store\.db\)"):
        await Journal.open(tmp_path / "store.db")
    await (await Journal.open(tmp_path / "journal.db")).close()
    with pytest.raises(ValueError, match="something else"):
        await open_database(str(tmp_path / "journal.db"))


@pytest.mark.parametrize("what", ["text", "newer", "folder", "below a file"])
async def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "journal.db"
    if what == "text":
        path.write_text("this is a shopping list, " * 100)
    elif what == "folder":
        path.mkdir()
    elif what == "below a file":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "journal.db"
    else:
        await (await Journal.open(path)).close()
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE journal_version SET version_num = '9999'")
    before = contents(tmp_path)
    with pytest.raises(JournalNotOpened) as problem:
        await Journal.open(path)
    assert contents(tmp_path) == before
    assert ("newer version of Retriage" in str(problem.value)) == (what == "newer")
    assert "something else" not in str(problem.value)
    assert str(problem.value).startswith("The journal cannot be opened: ")
    assert str(problem.value).endswith(f" ({path}).")
    assert "\n" not in str(problem.value)


async def test_a_new_folder_is_made_and_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "journal.db"
    journal = await Journal.open(path)
    await journal.save_query("here", "tasks", "mine", "retries:0")
    await journal.close()
    again = await Journal.open(path)
    assert [query.text for query in await again.saved_queries("here", "tasks")] == ["retries:0"]
    await again.close()


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
async def test_the_file_of_another_program_is_not_touched(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(f"PRAGMA journal_mode={mode}")
        other.execute("CREATE TABLE recipe (name)")
    before = contents(tmp_path)
    with pytest.raises(JournalNotOpened, match="an SQLite database of something else"):
        await Journal.open(path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("deed", ["deleted", "replaced"])
async def test_a_file_that_is_lost_while_it_is_open_is_noticed(tmp_path: Path, deed: str) -> None:
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    await journal.remember("here", "tasks", "retries:0")
    remove(tmp_path)
    if deed == "replaced":
        await (await Journal.open(path)).close()
    before = contents(tmp_path)
    with pytest.raises(JournalLost, match="deleted or replaced"):
        await journal.recent("here", "tasks")
    with pytest.raises(JournalLost, match="deleted or replaced"):
        await journal.remember("here", "tasks", "retries:1")
    await journal.close()
    assert contents(tmp_path) == before


async def test_reading_waits_for_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    await journal.remember("here", "tasks", "retries:0")
    await journal.close()
    with locked(path, "BEGIN IMMEDIATE"):
        again = await Journal.open(path)
        assert await again.recent("here", "tasks") == ["retries:0"]
        await again.close()


async def test_a_file_that_cannot_be_read_for_a_lock_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retriage.store.journal.journal.LOCKED_SECONDS", 0.05)
    path = tmp_path / "journal.db"
    await (await Journal.open(path)).close()
    exclusive = locked(path, "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE")
    with exclusive, pytest.raises(JournalNotOpened, match="database is locked"):
        await Journal.open(path)
    await (await Journal.open(path)).close()
