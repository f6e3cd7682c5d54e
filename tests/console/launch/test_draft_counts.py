"""What a draft selects, counted against the engine in this process."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import Demo
from retriage.console.language import parse
from retriage.console.launch import draft_counts as counting
from retriage.console.launch.draft import SOURCES, Draft, Source
from retriage.console.launch.draft_counts import DraftCounts, count_draft
from retriage.console.launch.overlapping_batches import QUIET
from retriage.console.reading.filtered_pages import FilteredPages
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.contract.records import ExternalTask
from tests.support.demo_copies import built_world, copied_world

TASKS, IDS, INSTANCE_IDS, INSTANCES, HISTORY = SOURCES


DEMO = Demo(tasks=90, seed=3, workers=False)


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world, built once."""
    return built_world(tmp_path_factory.mktemp("world"), DEMO)


@pytest.fixture
async def client(world_file: Path, tmp_path: Path) -> AsyncIterator[EngineClient]:
    """Of an engine with a copy of the world."""
    async with copied_world(world_file, tmp_path, DEMO) as opened:
        yield opened


@pytest.fixture
async def tasks(client: EngineClient) -> list[ExternalTask]:
    found = await client.external_tasks(ExternalTaskQuery(), 0, 1000)
    assert len(found) == 90
    return found


def asking(client: EngineClient, under_way: list[int]) -> Callable[..., Any]:
    """Puts questions to the client, and fails when two are asked at once."""

    async def ask(question: Callable[[EngineClient], Awaitable[Any]]) -> Any:
        assert not under_way
        under_way.append(1)
        try:
            return await question(client)
        finally:
            under_way.pop()

    return ask


async def counted(client: EngineClient, draft: Draft, most: int | None = None) -> list[tuple[int, bool]]:
    """Ids known and whether that is exact, after every step; the last picture is kept at the end."""
    steps = []
    async for known in count_draft(asking(client, []), draft, datetime.now(UTC), most=most):
        steps.append((len(known.ids), known.exact))
        last[0] = known
    return steps


last: list[DraftCounts] = [DraftCounts()]


async def test_a_query_is_counted_by_the_engine_first_and_then_broken_down(
    client: EngineClient, tasks: list[ExternalTask]
) -> None:
    steps = await counted(client, Draft(SOURCES, {TASKS.field: "retries:0"}))
    expected = [task for task in tasks if task.retries == 0]
    assert steps[0] == (0, False)
    assert steps[-1] == (len(expected), True)
    told = last[0].sources[TASKS.field]
    assert told.matched == told.looked == told.kept == len(expected)
    assert last[0].breakdown["topic"] == Counter(task.topic_name for task in expected)
    assert sum(last[0].breakdown["age"].values()) == len(expected)
    assert last[0].healthy == 0


async def test_what_the_console_looks_for_is_counted_after_the_engine(
    client: EngineClient, tasks: list[ExternalTask]
) -> None:
    await counted(client, Draft(SOURCES, {TASKS.field: "error~503"}))
    told = last[0].sources[TASKS.field]
    assert (told.matched, told.looked) == (90, 90)
    assert last[0].ids == {task.id for task in tasks if "503" in (task.error_message or "")}
    assert 0 < told.kept < 90


async def test_the_union_counts_a_task_once_and_healthy_ones_too(
    client: EngineClient, tasks: list[ExternalTask]
) -> None:
    failed = [task for task in tasks if task.retries == 0]
    of_instances = [task for task in tasks if task.process_instance_id == failed[0].process_instance_id]
    draft = Draft(
        SOURCES,
        {
            TASKS.field: "retries:0",
            IDS.field: f"{failed[1].id} no-such-task",
            INSTANCE_IDS.field: failed[0].process_instance_id,
        },
    )
    await counted(client, draft)
    assert last[0].ids == {task.id for task in failed} | {task.id for task in of_instances}
    assert last[0].sources[IDS.field].looked == 2
    assert last[0].sources[IDS.field].tasks == 1
    assert last[0].sources[INSTANCE_IDS.field].tasks == len(of_instances)
    assert last[0].healthy == sum(task.retries != 0 for task in of_instances)


@pytest.mark.parametrize("source", [INSTANCES, HISTORY], ids=["running", "history"])
async def test_a_query_of_instances_takes_all_their_tasks(
    client: EngineClient, tasks: list[ExternalTask], source: Source
) -> None:
    key = tasks[0].process_definition_key
    await counted(client, Draft(SOURCES, {source.field: f"process:{key}"}))
    expected = {task.id for task in tasks if task.process_definition_key == key}
    running = await client.count_process_instances(ProcessInstanceQuery(process_definition_key=key))
    ever = await client.count_historic_process_instances(HistoricProcessInstanceQuery(process_definition_key=key))
    instances = running if source is INSTANCES else ever
    assert last[0].ids == expected
    assert last[0].sources[source.field].matched == instances
    assert last[0].exact


async def test_a_breakdown_stops_after_so_many_rows_and_says_so(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(SOURCES, {TASKS.field: "all:yes"})

    def small(read: Any, identify: Any, wanted: Any) -> Any:
        return FilteredPages(read, identify, wanted, 20)

    monkeypatch.setattr(counting, "FilteredPages", small)
    await counted(client, draft, most=40)
    assert last[0].cut
    assert not last[0].exact
    assert 40 <= len(last[0].ids) < 90
    assert last[0].sources[TASKS.field].matched == 90


async def test_topics_without_a_sign_of_a_worker_are_named(client: EngineClient, tasks: list[ExternalTask]) -> None:
    now = datetime.now(UTC)
    await counted(client, Draft(SOURCES, {TASKS.field: "all:yes"}))
    busy = {
        task.topic_name
        for task in tasks
        if task.lock_expiration_time is not None and task.lock_expiration_time > now - QUIET
    }
    most = [topic for topic, _ in last[0].breakdown["topic"].most_common(counting.BUSIEST)]
    assert {quiet.topic for quiet in last[0].quiet} == set(most) - busy


@pytest.mark.parametrize("name", ["incidents", "instances", "jobs", "batches", "history"])
async def test_other_lists_are_counted_too(client: EngineClient, name: str) -> None:
    await counted(client, Draft((Source("query", name, name),), {"query": ""}))
    told = last[0].sources["query"]
    assert told.matched == told.looked == len(last[0].ids)
    assert parse("", name).plain
