"""Figures that stand beside each other are of one moment, or say of which they are."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from retriage.console.batches.batch_end import BatchEnd
from retriage.console.batches.batch_view import BatchView, ended, running
from retriage.console.batches.launched_tasks import LaunchedTasks
from retriage.console.batches.outcome import Outcome
from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.screens.batches.progress import work_lines
from retriage.console.screens.batches.rows import work_spans
from retriage.console.session.memory import Memory
from retriage.console.session.news import NewsFeed
from retriage.console.session.watch import Watch
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import BatchStatistics, ExternalTask, HistoricBatch
from tests.console.incidents_of import incident
from tests.console.tasks_of import task

SINCE = datetime.now(UTC) - timedelta(minutes=5)
MANY = 6_621


class Shop:
    """Tasks whose retries are set so far, in the order of their ids."""

    def __init__(self, number: int) -> None:
        self.ids = [f"t{index:05}" for index in range(number)]
        self.set = 0
        self.clock_skew = timedelta()

    def engine_now(self) -> datetime:
        return datetime.now(UTC) + self.clock_skew

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        done = set(self.ids[: self.set])
        return [task(str(id), 1 if id in done else 0) for id in query.external_task_id_in or ()]

    async def batches(self, query: object, first: int, size: int) -> list[BatchStatistics]:
        return [statistics(len(self.ids), self.set)]

    async def external_task_log(self, query: object, first: int, size: int) -> list[Any]:
        return []


def statistics(total: int, completed: int) -> BatchStatistics:
    absent = dict.fromkeys(BatchStatistics.model_fields)
    return BatchStatistics.model_validate(
        absent
        | {
            "id": "b1",
            "type": "set-external-task-retries",
            "total_jobs": total,
            "jobs_created": total,
            "batch_jobs_per_seed": 100,
            "invocations_per_batch_job": 1,
            "seed_job_definition_id": "s",
            "monitor_job_definition_id": "m",
            "batch_job_definition_id": "w",
            "suspended": False,
            "start_time": SINCE,
            "remaining_jobs": total - completed,
            "completed_jobs": completed,
            "failed_jobs": 0,
        }
    )


def of_history(total: int) -> BatchView:
    fields = statistics(total, total).model_dump()
    absent = dict.fromkeys(HistoricBatch.model_fields)
    record = HistoricBatch.model_validate(
        absent | {name: value for name, value in fields.items() if name in absent} | {"end_time": datetime.now(UTC)}
    )
    return ended(record, BatchEnd("done", total))


class Connection:
    """The part of the connection that is read by."""

    unrecorded = "gone"

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def now(self) -> datetime:
        return self._shop.engine_now()

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        return await question(self._shop)


def followed(shop: Shop) -> tuple[Watch, Outcome]:
    """What is known where batch ``b1`` was launched for the tasks of the shop."""
    connection: Any = Connection(shop)
    news = NewsFeed()
    watch = Watch(connection, Memory("e", news), news, {})
    outcome = Outcome([(id, 0) for id in shop.ids], 1, SINCE)
    batch = watch.known_batches.put(running(statistics(len(shop.ids), 0)))
    batch.launched_tasks = LaunchedTasks(outcome, "", 1)
    return watch, outcome


def jobs_are(watch: Watch, view: BatchView) -> None:
    """The jobs were read anew."""
    batch = watch.known_batches.of("b1")
    assert batch is not None
    batch.note_end(view)


async def looked(watch: Watch) -> BatchView:
    await watch._look_at_work()
    view = watch.known_batches.get("b1")
    assert view is not None
    return view


def said(view: BatchView) -> str:
    lines: list[Any] = work_lines(view, 10)
    return "\n".join("".join(text for text, _ in line.spans) for line in lines)


async def test_when_all_jobs_are_done_every_task_is_looked_at_again_at_once() -> None:
    shop = Shop(MANY)
    watch, _ = followed(shop)
    jobs_are(watch, running(statistics(MANY, 0)))
    await looked(watch)
    await looked(watch)
    shop.set = MANY
    jobs_are(watch, of_history(MANY))
    view = await looked(watch)
    assert view.work is not None
    assert (view.completed, view.work.of("unset"), view.work.set) == (MANY, 0, MANY)
    assert view.work_at is None


async def test_a_batch_whose_jobs_are_through_says_so_of_its_tasks_before_the_engine_has_closed_it() -> None:
    shop = Shop(MANY)
    watch, _ = followed(shop)
    jobs_are(watch, running(statistics(MANY, 2_000)))
    shop.set = 2_000
    await looked(watch)
    shop.set = MANY
    jobs_are(watch, running(statistics(MANY, MANY)))
    view = await looked(watch)
    assert view.work is not None
    assert view.work.of("unset") == 0


async def test_a_picture_of_tasks_has_no_jobs_in_it() -> None:
    shop = Shop(MANY)
    shop.set = MANY
    watch, _ = followed(shop)
    book: Any = watch.known_batches
    await book.read(shop)
    before = book.of("b1").timeline
    assert (before.of_tasks, before.steps(9)[1][-1].done) == (False, MANY)
    await looked(watch)
    timeline = book.of("b1").timeline
    assert timeline.of_tasks
    assert {(sample.set, sample.done) for sample in timeline.steps(9)[1]} == {(MANY, 0)}


async def test_figures_about_tasks_bear_their_moment_while_the_jobs_have_moved_on() -> None:
    shop = Shop(316)
    watch, outcome = followed(shop)
    jobs_are(watch, running(statistics(316, 3)))
    shop.set = 3
    view = await looked(watch)
    assert "as of" not in said(view)
    jobs_are(watch, running(statistics(316, 313)))
    now = watch.known_batches.get("b1")
    assert now is not None
    assert now.work is not None
    assert now.work.of("unset") == 313
    at = outcome.tally.at
    assert at is not None
    assert f"as of {at.astimezone(UTC):%H:%M:%S}Z" in said(now)
    assert "as of" in "".join(text for text, _ in work_spans(now))
    shop.set = 313
    view = await looked(watch)
    assert view.work is not None
    assert view.work.of("unset") == 3
    assert "as of" not in said(view)


async def test_figures_about_tasks_and_jobs_bear_times_of_one_clock_that_of_the_engine() -> None:
    shop = Shop(316)
    shop.clock_skew = timedelta(minutes=-10)
    watch, _ = followed(shop)
    await watch.known_batches.read(shop)  # type: ignore[arg-type]
    before = shop.engine_now()
    view = await looked(watch)
    assert view.at is not None
    assert view.work is not None
    assert view.work.at is not None
    assert view.at <= before + timedelta(seconds=0.1)
    assert abs(view.work.at - before) < timedelta(minutes=1)
    timeline = watch.known_batches.of("b1").timeline  # type: ignore[union-attr]
    assert timeline is not None
    assert abs(timeline.since - before) < timedelta(minutes=1)


async def test_the_moment_is_that_of_the_task_that_was_looked_at_longest_ago() -> None:
    shop = Shop(1200)
    outcome = Outcome([(id, 0) for id in shop.ids], 1, SINCE)
    await outcome.look(shop, False, False, slices=2, jobs_done=1)
    assert (outcome.tally.at, outcome.tally.jobs_done) == (None, None)
    await outcome.look(shop, False, False, slices=1, jobs_done=2)
    first = outcome.tally
    assert (first.at is not None, first.jobs_done) == (True, 1)
    await outcome.look(shop, False, False, slices=2, jobs_done=3)
    assert outcome.tally.jobs_done == 2
    await outcome.look(shop, False, False, slices=None, jobs_done=4)
    assert outcome.tally.jobs_done == 4


async def test_jobs_are_counted_again_when_a_batch_has_none_left_and_when_it_is_gone() -> None:
    watch, _ = followed(Shop(1))
    counted: list[int] = []
    watch.count_soon = lambda: counted.append(1)  # type: ignore[method-assign]
    watch._work_soon = lambda: None  # type: ignore[method-assign]
    for completed, times in ((3, 0), (50, 0), (87, 1), (87, 1)):
        watch._heed_movement((running(statistics(87, completed)),))
        assert len(counted) == times
    watch._heed_movement((of_history(87),))
    assert len(counted) == 2


def test_versions_of_two_processes_are_not_added_up() -> None:
    groups = CauseGroups()
    members = [incident(number) for number in range(4)]
    groups.put(map(group_member_of, members))
    (group,) = groups
    assert group.versions() == {"v1": 2, "v2": 2}
    claims = [one.model_copy(update={"id": f"c{one.id}", "process_definition_id": "claim:1:x"}) for one in members]
    groups.put(map(group_member_of, claims))
    assert group.versions() == {"v1 Order": 2, "v2 Order": 2, "v1 claim": 4}
    groups.drop([one.id for one in members])
    assert {name: number for name, number in group.versions().items() if number} == {"v1": 4}
