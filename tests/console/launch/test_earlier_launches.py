"""What the last bulk retries over a topic came to, and when a worker was last heard of."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retriage.console.launch.earlier_launches import EarlierLaunches, earlier_launches_over
from retriage.console.launch.overlapping_batches import TopicWithoutWorker, topics_without_worker
from retriage.console.screens.builder.screen import BuilderScreen
from retriage.console.screens.builder.text_face import QueryInput, put
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.launch.page import moment, record_said
from retriage.console.widgets.pane import Pane
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.journal import Journal, NewLaunch
from tests.console import logs
from tests.console.fake import FakeEngine, ids, statistics, task
from tests.console.settle import console, until


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def launched(
    journal: Journal, indexes: Sequence[int], batch: str, *, had: int = 0, undoes: int | None = None, engine: str = "e"
) -> int:
    new = NewLaunch(engine, "", "ann", 0 if undoes else 3, "{}", len(indexes), undoes=undoes)
    number = await journal.begin(new)
    await journal.add_tasks(number, [(id, had) for id in ids(indexes)])
    await journal.sent(number, len(indexes))
    await journal.ended(number, "launched", batch_id=batch, jobs=len(indexes))
    return number


def fail(engine: FakeEngine, *indexes: int) -> None:
    later = datetime.now(UTC) + timedelta(seconds=1)
    engine.task_entries += [logs.task_entry(task(index), "failure", later, message="no") for index in indexes]


async def test_the_last_launches_over_the_topic_are_told_and_no_others(journal: Journal) -> None:
    engine = FakeEngine(40)
    assert await earlier_launches_over(engine, journal, "e", "charge-card") is None
    await launched(journal, [0, 4, 8, 12], "b1")
    await launched(journal, [1, 5], "b2")
    await launched(journal, [0, 1], "b3")
    await launched(journal, [16, 20], "b4", engine="another")
    fail(engine, 0, 4, 8)
    assert await earlier_launches_over(engine, journal, "e", "charge-card") == EarlierLaunches(
        "charge-card", 1, 4, 3, 1, left_out=1
    )
    for number in range(4):
        await launched(journal, [16, 20, 24, 28], f"c{number}", had=2)
    fail(engine, 16)
    assert await earlier_launches_over(engine, journal, "e", "charge-card") == EarlierLaunches(
        "charge-card", 3, 12, 3, 9
    )


async def test_a_large_launch_is_judged_by_pieces_of_its_whole_length(journal: Journal) -> None:
    engine = FakeEngine(16_000)
    await launched(journal, range(0, 16_000, 4), "b1")
    fail(engine, *range(8_000, 16_000, 4))
    record = await earlier_launches_over(engine, journal, "e", "charge-card")
    assert record is not None
    assert (record.tasks, record.again, record.open, record.about) == (4_000, 2_000, 2_000, True)
    await launched(journal, [0, 4], "b2", had=2)
    record = await earlier_launches_over(engine, journal, "e", "charge-card")
    assert record is not None
    assert (record.launches, record.tasks, record.again) == (2, 4_002, 2_000), "each counts by all of its tasks"
    assert record_said(record) == (
        "last 2 bulk retries of charge-card: about 100% of 2,000 tasks failed again, 2,002 still open; the last by ann"
    )


async def test_newer_launches_that_are_not_counted_are_said(journal: Journal) -> None:
    engine = FakeEngine(40)
    await launched(journal, [0, 4, 8], "b1")
    await launched(journal, [0, 1], "b2")
    await launched(journal, [1, 5], "b3")
    await launched(journal, [12], "b4")
    engine.running["b4"] = statistics("b4", 1)
    fail(engine, 0, 4, 8)
    record = await earlier_launches_over(engine, journal, "e", "charge-card")
    assert record is not None
    assert (record.launches, record.left_out) == (1, 2)
    assert record_said(record).startswith("last bulk retry of charge-card, without 2 newer ones: 100% of 3 tasks")


async def test_what_an_undo_set_back_and_what_still_runs_is_no_failure(journal: Journal) -> None:
    engine = FakeEngine(40)
    first = await launched(journal, [0, 4, 8], "b1")
    await launched(journal, [0], "b2", had=3, undoes=first)
    fail(engine, 4)
    assert await earlier_launches_over(engine, journal, "e", "charge-card") == EarlierLaunches(
        "charge-card", 1, 2, 1, 1
    )
    engine.running["b1"] = statistics("b1", 3)
    assert await earlier_launches_over(engine, journal, "e", "charge-card") is None


async def test_tasks_that_are_gone_have_not_failed_again(journal: Journal) -> None:
    engine = FakeEngine(40)
    await launched(journal, [0, 4], "b1")
    engine.removed.update(ids([0, 4]))
    assert await earlier_launches_over(engine, journal, "e", "charge-card") is None, "nothing tells the topic"
    engine.task_entries.append(logs.task_entry(task(0), "success", datetime.now(UTC)))
    assert await earlier_launches_over(engine, journal, "e", "charge-card") == EarlierLaunches("charge-card", 1, 2, 0)


async def test_without_a_log_those_without_retries_have_failed_again(journal: Journal) -> None:
    engine = FakeEngine(40)
    engine.no_logs = True
    await launched(journal, [0, 4, 8], "b1")
    engine.retries[ids([8])[0]] = 3
    failed = sum(task(index).retries == 0 for index in (0, 4))
    assert await earlier_launches_over(engine, journal, "e", "charge-card") == EarlierLaunches(
        "charge-card", 1, 3, failed, 3 - failed
    )


def test_it_is_said_in_a_sentence() -> None:
    assert record_said(EarlierLaunches("x", 3, 200, 193)) == "last 3 bulk retries of x: 96% of 200 tasks failed again"
    assert record_said(EarlierLaunches("x", 1, 1, 1)) == "last bulk retry of x: its one task failed again"
    by_ann = EarlierLaunches("x", 2, 50, 1, 0, user="ann", reason="PSP back")
    untaken = EarlierLaunches("x", 1, 30, 0, 30)
    assert record_said(untaken) == "last bulk retry of x: 30 tasks, none done or failed yet"
    assert not untaken.mostly_failed
    assert record_said(EarlierLaunches("x", 1, 30, 6, 18)) == (
        "last bulk retry of x: 50% of 12 tasks failed again, 18 still open"
    )
    assert record_said(by_ann) == "last 2 bulk retries of x: 2% of 50 tasks failed again; the last by ann (PSP back)"


async def test_a_quiet_topic_tells_the_last_report_of_a_worker_where_the_log_knows_it() -> None:
    engine, now = FakeEngine(40), datetime.now(UTC)

    async def nobody(query: ExternalTaskQuery) -> int:
        return 0

    engine.count_external_tasks = nobody  # type: ignore[method-assign]
    assert await topics_without_worker(engine, ["charge-card"], now) == [TopicWithoutWorker("charge-card")]
    last = now - timedelta(hours=2)
    engine.task_entries = [logs.task_entry(task(0), "failure", at) for at in (last, last - timedelta(hours=1))]
    assert await topics_without_worker(engine, ["charge-card"], now) == [TopicWithoutWorker("charge-card", last)]
    engine.task_entries.append(logs.task_entry(task(0), "success", now))
    assert await topics_without_worker(engine, ["charge-card"], now) == []


async def test_builder_and_dialog_show_it_before_the_launch(journal: Journal) -> None:
    engine = FakeEngine(100)
    counted = engine.count_external_tasks

    async def nobody(query: ExternalTaskQuery) -> int:
        return 0 if query.lock_expiration_after is not None else await counted(query)

    engine.count_external_tasks = nobody  # type: ignore[method-assign]
    engine.task_entries = [logs.task_entry(task(0), "failure", datetime.now(UTC) - timedelta(hours=3), message="no")]
    last = f"charge-card (last report {moment(engine.task_entries[0].timestamp)})"
    async with console(engine, size=(100, 40)) as (app, pilot):
        app.session.memory.keep_journal(journal)
        await launched(journal, [0, 4, 8, 12], "b1", engine=app.session.memory.engine_name)
        fail(engine, 0, 4, 8)
        said = "! last bulk retry of charge-card: 100% of 3 tasks failed again, 1 still open"
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        await until(pilot, lambda: said in app.screen.query_one("#warnings", Pane).text)
        await pilot.press("escape", "b")
        await until(pilot, lambda: isinstance(app.screen, BuilderScreen) and isinstance(app.focused, QueryInput))
        put(app.screen.query_one(QueryInput), "topic:charge-card retries:0")
        await until(pilot, lambda: said in app.screen.query_one("#count", Pane).text)
        engine.task_entries = engine.task_entries[:1]
        put(app.screen.query_one(QueryInput), "topic:charge-card")
        await until(pilot, lambda: last in app.screen.query_one("#count", Pane).text)
