"""A launch by ids that a proxy finds too large becomes several batches, and none of its tasks is left out or twice."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.engine.errors import Refused, Unanswered
from retriage.console.launch import send
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.split_by_ids import parts_of, said_of_parts
from retriage.console.reading.selected_tasks import SelectedTasks
from retriage.console.reading.selection import Everything, Marked
from retriage.console.screens.launch.flow import open_launch
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import Batch
from tests.console.fake import FakeEngine, ids, task
from tests.console.settle import console, lines, until


def plan(number: int) -> LaunchPlan:
    tasks = [task(index).model_copy(update={"retries": 0}) for index in range(number)]
    selected_tasks = SelectedTasks(datetime(2026, 3, 1, tzinfo=UTC), frozenset(one.id for one in tasks))
    selected_tasks.take(tasks)
    return LaunchPlan(Marked(selected_tasks.named, "process:claim"), 1, selected_tasks.facts(), selected_tasks)


@pytest.mark.parametrize(("number", "most", "sizes"), [(10, 10, [10]), (10, 4, [4, 4, 2]), (3, 1, [1, 1, 1])])
def test_each_task_is_in_one_part(number: int, most: int, sizes: list[int]) -> None:
    whole = plan(number)
    parts = parts_of(whole, most)
    assert [len(part.ids) for part in parts] == [part.count for part in parts] == sizes
    assert [id for part in parts for id in part.ids] == whole.ids
    assert all(part.request.retries == 1 for part in parts)
    assert bool(said_of_parts(whole, most)) == (len(sizes) > 1)
    assert all(not said_of_parts(part, most) for part in parts)


def test_a_query_is_never_split() -> None:
    whole = LaunchPlan(Everything(ExternalTaskQuery(topic_name="x")), 1, plan(10).facts)
    assert parts_of(whole, 2) == [whole]
    assert said_of_parts(whole, 2) == ""


class Narrow(FakeEngine):
    """Behind a proxy that takes in so many ids."""

    def __init__(self, tasks: int, takes: int) -> None:
        super().__init__(tasks)
        self.takes = takes
        self.refused: list[int] = []
        self.taken: list[str] = []

    async def set_retries_async(self, order: SetExternalTaskRetries) -> Batch:
        named = list(order.external_task_ids or [])
        if len(named) > self.takes:
            self.refused.append(len(named))
            raise Refused("The engine answered 413 Request Entity Too Large.", 413)
        self.taken += [id for id in named if id is not None]
        return await super().set_retries_async(order)


async def launched(app: RetriageApp, pilot: Any, engine: Narrow, chosen: frozenset[str]) -> None:
    """Launch the chosen tasks, and wait until all of them are on their way."""
    open_launch(app, app.session, Marked(chosen))
    await until(pilot, lambda: "in the launch" in "\n".join(lines(app)))
    deadline = asyncio.get_running_loop().time() + 30
    while len(engine.taken) < len(chosen) or app.session.connection.launching:
        assert asyncio.get_running_loop().time() < deadline, lines(app)
        if not engine.taken and not app.session.connection.launching:
            await pilot.press("L")
        await pilot.pause(0.2)


async def test_after_a_413_it_is_sent_in_parts_and_the_operator_is_told() -> None:
    engine = Narrow(100, 3)
    failed = frozenset(ids([index for index in range(20) if task(index).retries == 0]))
    async with console(engine) as (app, pilot):
        await launched(app, pilot, engine, failed)
        news = [event.sentence for event in app.session.news]
    assert sorted(engine.taken) == sorted(failed)
    assert engine.refused == [12, 6]
    assert any("nothing was done: sent as 2 batches" in sentence for sentence in news)


async def test_a_size_that_is_known_to_be_too_large_is_said_before_and_not_tried() -> None:
    engine = Narrow(100, 5)
    failed = frozenset(ids([index for index in range(20) if task(index).retries == 0]))
    async with console(engine) as (app, pilot):
        app.session.connection.most_ids = 5
        open_launch(app, app.session, Marked(failed))
        await until(pilot, lambda: "3 batches of at most 5 tasks" in "\n".join(lines(app)))
        await pilot.press("escape")
        await launched(app, pilot, engine, failed)
    assert sorted(engine.taken) == sorted(failed)
    assert engine.refused == []


class Silent(FakeEngine):
    """Answers no launch, while another order of the same console is found too large by a proxy."""

    app: RetriageApp
    sent = 0

    async def set_retries_async(self, order: SetExternalTaskRetries) -> Batch:
        self.sent += 1
        self.app.session.connection.most_ids = 3
        raise Unanswered("No answer.", "launch of a batch", datetime.now(UTC))


async def test_what_was_not_answered_is_not_sent_again_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "BETWEEN_LOOKS", 0.0)
    engine = Silent(100)
    failed = frozenset(ids([index for index in range(20) if task(index).retries == 0]))
    async with console(engine) as (app, pilot):
        engine.app = app
        open_launch(app, app.session, Marked(failed))
        await until(pilot, lambda: "in the launch" in "\n".join(lines(app)))
        await until_pressed(pilot, "L", lambda: engine.sent)
        await until(pilot, lambda: not app.session.connection.launching)
        news = [event.sentence for event in app.session.news]
    assert engine.sent == 1
    assert not any("sent as" in sentence for sentence in news)


async def until_pressed(pilot: Any, key: str, so: Callable[[], object]) -> None:
    """Press the key until it is heeded: what is counted after a key is not launched by it."""
    deadline = asyncio.get_running_loop().time() + 30
    while not so():
        assert asyncio.get_running_loop().time() < deadline
        await pilot.press(key)
        await pilot.pause(0.2)
