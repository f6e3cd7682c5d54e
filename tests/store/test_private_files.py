"""What is written is for its owner's eyes only, whatever the umask; what exists keeps its mode."""

import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retriage.console.launch.request_file import save_request
from retriage.console.screens import clipboard
from retriage.console.screens.exporting import files
from retriage.store.database import Database, open_database
from retriage.store.journal import Journal
from retriage.store.private_files import make_file, make_folder, open_file
from retriage.store.snapshot import new_snapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def text(path: Path) -> str:
    return path.read_text("utf-8")


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): mode(path) for path in sorted(folder.rglob("*"))}


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Files are made under a generous umask, the usual one and a strict one."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("url", ["{}", "sqlite:///{}"])
async def test_a_store(tmp_path: Path, url: str) -> None:
    place = tmp_path / "data" / "retriage" / "store.db"
    database = await open_database(url.format(place))
    async with database.writing(), database.reading():
        found = modes(tmp_path)
    await database.close()
    assert found == {
        "data": 0o700,
        "data/retriage": 0o700,
        "data/retriage/store.db": 0o600,
        "data/retriage/store.db-shm": 0o600,
        "data/retriage/store.db-wal": 0o600,
    }


async def test_the_journal(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "home" / "journal.db")
    found = modes(tmp_path)
    await journal.close()
    assert found.pop("home") == 0o700
    assert set(found.values()) == {0o600}
    assert "home/journal.db-wal" in found


async def test_what_exists_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o775)
    await (await open_database(str(folder / "store.db"))).close()
    (folder / "store.db").chmod(0o664)
    database: Database = await open_database(str(folder / "store.db"))
    async with database.writing():
        assert modes(folder) == dict.fromkeys(("store.db", "store.db-shm", "store.db-wal"), 0o664)
    await database.close()
    assert mode(folder) == 0o775


async def test_what_the_operator_takes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    launch = Path(save_request("{}", datetime(2026, 1, 2, tzinfo=UTC)))
    copied = await clipboard.keep("text")
    assert copied is not None
    exported, file = files.create(tmp_path / "tasks.csv")
    file.close()
    assert [mode(path) for path in (launch, copied, exported)] == [0o600] * 3
    assert [mode(path) for path in (launch.parent, tmp_path / "home")] == [0o700] * 2
    assert [text(path) for path in (launch, copied)] == ["{}\n", "text"]


def test_nothing_is_made_where_something_is(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("kept")
    there.chmod(0o644)
    make_file(there)
    assert (mode(there), there.read_text()) == (0o644, "kept")
    with pytest.raises(FileExistsError):
        make_folder(there)
    with pytest.raises(FileExistsError):
        open_file(there, "x")
    with open_file(there, "w") as file:
        file.write("written over")
    assert (mode(there), there.read_text()) == (0o644, "written over")


async def test_a_snapshot_is_private_from_its_first_byte_and_takes_nothing_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda length: "foreseen")
    theirs, out = tmp_path / "theirs", tmp_path / "out" / "night.db"
    theirs.write_text("kept")
    theirs.chmod(0o666)
    out.parent.mkdir()
    beside = out.parent / ".night.db.foreseen.part"
    beside.symlink_to(theirs)
    with pytest.raises(FileExistsError):
        async with new_snapshot(out, datetime.now(UTC)):
            pass
    assert (text(theirs), beside.is_symlink(), out.exists()) == ("kept", True, False)
    beside.unlink()
    async with new_snapshot(out, datetime.now(UTC)) as writer:
        await writer.run(1, ["line"])
        assert set(modes(out.parent).values()) == {0o600}
    assert modes(out.parent) == {"night.db": 0o600}


async def test_nobody_foresees_the_name_of_a_snapshot_that_is_written(tmp_path: Path) -> None:
    found = set()
    for folder in (tmp_path / "one", tmp_path / "two"):
        async with new_snapshot(folder / "night.db", datetime.now(UTC)):
            found |= {beside.name for beside in folder.glob(".night.db.*.part")}
    assert len(found) == 2
