"""The rows of a demo world are the same whoever draws them, and the process that draws ends with whoever began it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from retriage.store.demo import row_source
from retriage.store.demo.instances import InstanceRows
from retriage.store.demo.process_versions import ProcessVersions, Version
from retriage.store.demo.processes import RELEASES
from retriage.store.demo.row_source import RowSource
from retriage.store.demo.rows import PackedRows
from retriage.store.demo.world import build_world
from tests.store.test_demo_world import NOW, content, empty_store

AT = int(NOW.timestamp() * 1000)
TASKS = 700
MANY_TASKS = 100_000
"""Of which the pipe holds a small part: the process has to wait before it has drawn them all."""
FIRST, SIZE = 50, 100


def drawn(tasks: int = TASKS) -> InstanceRows:
    versions = [
        Version(f"{release.name} {process.key}", process, AT - release.age, release.tenant_id)
        for release in RELEASES
        for process in release.processes
    ]
    return InstanceRows(Random(7), AT, ProcessVersions(versions), tasks)


async def so(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def all_rows(slices: Callable[[int], Awaitable[PackedRows]]) -> list[PackedRows]:
    found = []
    size = FIRST
    while (rows := await slices(size)).tasks:
        found.append(rows)
        size = SIZE
    return found


@asynccontextmanager
async def come_up(instances: InstanceRows, tasks: int = 10**9) -> AsyncIterator[RowSource]:
    """A source whose process is there from the beginning."""
    async with row_source.row_source(instances, tasks) as source:
        source.begin_process()
        process = source._process
        assert process is not None
        await so(lambda: process.has_come_up)
        yield source


async def test_a_process_draws_what_a_thread_does() -> None:
    alone = drawn()
    expected = await all_rows(RowSource(alone, large=False).slice)
    handed_over = drawn()
    first = await RowSource(handed_over, large=False).slice(FIRST)
    async with come_up(handed_over) as source:
        assert [first, *await all_rows(lambda _: source.slice(SIZE))] == expected
    assert source.ids.at(AT) == alone.ids.at(AT)


async def test_a_world_is_the_same_whoever_draws_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with empty_store(tmp_path / "thread.db") as database:
        await build_world(database, 1200, 7, now=NOW)
        expected = await content(database)
    monkeypatch.setattr(row_source, "LEAST_TASKS", 0)
    monkeypatch.setattr("retriage.store.demo.world.row_source", come_up)
    async with empty_store(tmp_path / "process.db") as database:
        await build_world(database, 1200, 7, now=NOW)
        assert await content(database) == expected


async def test_a_small_world_needs_no_process() -> None:
    async with row_source.row_source(drawn(), TASKS) as source:
        assert len(await all_rows(source.slice)) > 5
        assert source._process is None


async def test_whoever_waits_for_the_first_rows_does_not_wait_for_a_process() -> None:
    begun = []
    async with row_source.row_source(drawn(), 10**9) as source:
        for _ in range(3):
            await source.slice(10)
            begun.append(source._process is not None)
    assert begun == [False, False, True]


@pytest.mark.parametrize("executable", ["/bin/false", "/no/such/program"])
async def test_where_no_process_comes_up_the_thread_goes_on(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    async with row_source.row_source(drawn(), 10**9) as source:
        source.begin_process()
        process = source._process
        assert (process is None) == (executable != "/bin/false")
        if process is not None:
            await so(lambda: process._process.poll() is not None)
        assert len(await all_rows(source.slice)) > 5


async def test_a_process_that_is_killed_is_told_in_a_sentence() -> None:
    async with come_up(drawn(MANY_TASKS)) as source:
        assert (await source.slice(SIZE)).tasks
        assert source._process is not None
        source._process._process.kill()
        with pytest.raises(RuntimeError, match="process that draws the demo world was ended"):
            await all_rows(source.slice)


async def test_it_ends_with_the_block_that_began_it() -> None:
    async with come_up(drawn()) as source:
        assert source._process is not None
        process = source._process._process
    assert process.returncode == -signal.SIGKILL
    assert process.stdout is not None
    assert process.stdout.closed


KILLED = """
import asyncio, os, signal, sys
from tests.store.test_demo_row_source import come_up, drawn

async def main():
    async with come_up(drawn()) as source:
        if sys.argv[1] == "begun":
            await source.slice(10)
        print(source._process._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["waiting", "begun"])
async def test_it_ends_when_whoever_began_it_is_killed(state: str) -> None:
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, state, stdout=subprocess.PIPE)
    told, _ = await killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    pid = int(told)
    await so(lambda: gone(pid))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:  # it may wait for somebody to ask for its exit status, where nothing adopts orphans
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return not Path("/proc/self/stat").exists()
