"""The undo of a launch as an order: why there is none, what it says, and the launches that it sends."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest

from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.undo import undo_of_launch
from retriage.console.operations.retry import SetRetries
from retriage.console.orders.order import Order
from retriage.console.orders.undo import doubts_of, undo_order
from retriage.console.session.memory import Memory
from retriage.console.session.news import NewsFeed
from retriage.console.session.watch import Watch
from retriage.store.contract.records import BatchStatistics, ExternalTask
from retriage.store.journal import Earlier, Launch, TaskBefore
from tests.console.fake import FakeEngine, ids, statistics

BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LAUNCH = Launch(
    id=4, engine="prod", url="", user="ann", reason="", title="two tasks", retries=3, request="{}", tasks=4, listed=4,
    undoes=None, began_at=BEGAN, state="launched", batch_id="b4", jobs=4, ended_at=BEGAN, said="",
)  # fmt: skip


class Retried(FakeEngine):
    """The first tasks have what the launch has set; a worker holds the third."""

    def _one(self, index: int) -> ExternalTask:
        one = super()._one(index)
        lock = self.engine_now() + timedelta(minutes=5) if index == 2 else None
        return one.model_copy(update={"retries": 3, "lock_expiration_time": lock, "error_message": None})


class Journal:
    """The tasks of the launch, and which of them were launched again."""

    runs = None  # the launch is of none

    def __init__(self, before: Iterable[TaskBefore], again: Collection[str] = ()) -> None:
        self._before = list(before)
        self._again = again

    async def all_tasks(self, launch: Launch, *, named: bool | None = None) -> AsyncIterator[list[TaskBefore]]:
        yield self._before

    async def set_back(self, launch_id: int) -> set[str]:
        return set()

    async def earlier(self, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
        return {id: Earlier(9, BEGAN, "b9") for id in ids if id in self._again}


class Connection:
    """The part of the connection that an undo asks."""

    unrecorded = "gone"

    def __init__(self) -> None:
        self.busy = ""
        self.batches: dict[str, BatchStatistics] = {}

    def why_no_launch(self) -> str:
        return self.busy

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        engine = Retried(40)
        engine.clock_skew = timedelta(minutes=-10)
        engine.running = self.batches
        return await question(engine)


class Session:
    """The part of a session that an undo needs."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.news, self.connection = NewsFeed(), Connection()
        self.memory = Memory("prod", self.news)
        self.memory.journal = cast(Any, journal)
        self.watch = Watch(cast(Any, self.connection), self.memory, self.news, {})


def before(*retries: int | None) -> list[TaskBefore]:
    return [TaskBefore(id, had) for id, had in zip(ids(range(len(retries))), retries, strict=True)]


async def planned(session: Any, launch: Launch = LAUNCH) -> tuple[Order | str, list[DecidedLaunch]]:
    sent: list[DecidedLaunch] = []
    look = partial(undo_of_launch, session, launch)
    return await undo_order(session, look, sent.extend, doubts_of(launch)), sent


async def test_one_launch_goes_out_for_each_former_value() -> None:
    session: Any = Session(Journal(before(0, 1, 0, 0, None), again=ids([3])))
    order, sent = await planned(session)
    assert isinstance(order, Order)
    assert order.number == 2
    told = " ".join(order.sentences)
    assert "1 task gets back 0 retries. 1 task gets back 1 retry. It is done by 2 batches." in told
    assert "1 had never failed" in told
    assert "1 launched again since" in told
    assert "1 locked by a worker" in told
    assert not (await order.send(session)).sentence
    first, second = ids([0, 1])
    assert [(one.plan.operation, one.plan.prepared.value["externalTaskIds"], one.undoes) for one in sent] == [
        (SetRetries(0), [first], 4),
        (SetRetries(1), [second], 4),
    ]


async def test_nothing_goes_out_when_a_launch_has_begun_meanwhile() -> None:
    session: Any = Session(Journal(before(0)))
    order, sent = await planned(session)
    assert isinstance(order, Order)
    session.connection.busy = "A launch is still on its way."
    report = await order.send(session)
    assert (report.sentence, report.changed, sent) == ("A launch is still on its way.", False, [])


async def test_where_nothing_can_be_set_back_there_is_no_order() -> None:
    order, _ = await planned(Session(Journal(before(None, 3))))
    assert isinstance(order, str)
    assert order.startswith("Nothing can be restored: 1 had never failed")


@pytest.mark.parametrize(
    ("launch", "why"),
    [
        (replace(LAUNCH, state="refused"), "This launch has changed nothing."),
        (replace(LAUNCH, listed=None), "What its tasks had before is not known"),
    ],
)
async def test_why_there_is_none(launch: Launch, why: str) -> None:
    order, _ = await planned(Session(), launch)
    assert isinstance(order, str)
    assert order.startswith(why)


async def test_a_batch_that_still_runs_would_set_them_again() -> None:
    session = Session(Journal(before(0)))
    session.connection.batches["b4"] = statistics("b4", 4)
    order, _ = await planned(session)
    assert isinstance(order, str)
    assert "still runs and would set them again" in order
