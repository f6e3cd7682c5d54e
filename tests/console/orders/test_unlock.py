"""Locks of workers that have died are taken off: exactly those that were asked about."""

from datetime import UTC, datetime, timedelta

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.reading.locks import holders, locked, still_locked
from retriage.console.reading.selection import Everything, Marked
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.tasks.detail import TaskDetail
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.pane import Pane
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask
from tests.console import logs
from tests.console.fake import FakeEngine, connecting, ids
from tests.console.settle import console, loaded, said, screen, until

SOON = datetime.now(UTC).replace(microsecond=123_000) + timedelta(hours=1)


class Held(FakeEngine):
    """Workers hold some tasks until a moment that stays the same; of those without retries it is the retry time."""

    def __init__(self, tasks: int = 40, held: dict[int, str] | None = None) -> None:
        super().__init__(tasks)
        self.locks = {ids([index])[0]: worker for index, worker in (held or {}).items()}
        self.until = SOON
        failed = [one for index in held or () if (one := self._one(index)).retries == 0]
        self.task_entries += [logs.task_entry(one, "failure", SOON - timedelta(hours=2)) for one in failed]

    def _one(self, index: int) -> ExternalTask:
        one = super()._one(index)
        worker = self.locks.get(one.id)
        lock = self.until if worker else None
        return one.model_copy(update={"lock_expiration_time": lock, "worker_id": worker or one.worker_id})

    async def unlock(self, id: str) -> None:
        await super().unlock(id)
        self.locks.pop(id, None)


async def asked(app: RetriageApp, pilot: Pilot[None]) -> str:
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
    assert app.focused is not None
    assert app.focused.id == "cancel"
    return " ".join(screen(app).query_one(Pane).text.split())


async def test_the_locked_ones_of_the_marked_tasks_are_unlocked() -> None:
    engine = Held(held={0: "w-1", 2: "w-1", 3: "w-2", 9: "w-9"})
    async with console(engine) as (app, pilot):
        await pilot.press("space", "space", "space", "space", "U")
        text = await asked(app, pilot)
        assert "Held by w-2 (1); the last lock expires by itself at" in text
        assert "Nobody holds 2 tasks: the last retry time ends by itself at" in text
        assert "Other workers can fetch 1 of them at once; 2 have no retries left. A worker that is alive" in text
        await pilot.press("U")
        assert isinstance(app.screen, Confirm), "the key that opens does not confirm"
        await pilot.press("L")
        await until(pilot, lambda: "3 tasks are unlocked." in said(app))
        assert sorted(engine.orders) == [("unlock", id) for id in ids([0, 2, 3])]
        assert not screen(app).table.marks


async def test_a_lock_that_was_renewed_while_it_was_asked_is_left_alone() -> None:
    engine = Held(held={0: "w-1", 1: "w-1"})
    async with console(engine) as (app, pilot):
        await pilot.press("space", "space", "U")
        await asked(app, pilot)
        engine.locks[ids([1])[0]] = "w-2"
        await pilot.press("L")
        await until(pilot, lambda: "1 task is unlocked; 1 task left alone" in said(app))
        assert engine.orders == [("unlock", ids([0])[0])]


async def test_a_task_that_nobody_holds_is_not_asked_about() -> None:
    engine = Held()
    async with console(engine) as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: "No lock or retry time holds this." in said(app))
        assert engine.orders == []


async def test_a_task_is_unlocked_from_its_page() -> None:
    engine = Held(held={0: "w-1"})
    async with console(engine) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        await pilot.press("U")
        await asked(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: engine.orders == [("unlock", ids([0])[0])])


async def test_on_prod_the_safety_has_to_be_off_and_the_number_typed() -> None:
    engine = Held(held={0: "w-1", 1: "w-1"})
    app = RetriageApp(connecting(engine), ConnectionIdentity("PROD", "", "ann"))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session.connection.client is not None and loaded(app))
        await pilot.press("space", "space", "U")
        await until(pilot, lambda: "SAFE: this is PROD" in said(app))
        app.session.connection.arm()
        await pilot.press("U")
        await asked(app, pilot)
        await pilot.press("L")
        assert isinstance(app.screen, Confirm)
        await pilot.press("2")
        await until(pilot, lambda: screen(app).query_one(Field).value == "2")
        assert engine.orders == []
        await pilot.press("enter")
        await until(pilot, lambda: len(engine.orders) == 2)


@pytest.mark.parametrize(
    ("index", "said_"),
    [
        (0, "Nobody holds 1 task: the last retry time ends by itself at"),
        (0, "No worker can fetch it then: it has no retries left."),
        (4, "Held by their retry time, or by w-1 (1): 1 task, the last until"),
        (3, "Other workers can fetch it at once. A worker that is alive after all goes on: its work may be done twice"),
        (6, "No worker can fetch it then: it has no retries left and is suspended."),
        (4, "Other workers can fetch it at once. A worker that is alive after all goes on: its work may be done twice"),
        (23, "No worker can fetch it then: it is suspended."),
    ],
)
async def test_it_is_said_whether_anybody_can_fetch_the_task_then(index: int, said_: str) -> None:
    engine = Held(held={index: "w-1"})
    async with console(engine) as (app, pilot):
        await pilot.press(*"j" * index, "U")
        assert said_ in await asked(app, pilot)


@pytest.mark.parametrize("most", [3, 100])
async def test_the_locks_of_all_that_match(most: int) -> None:
    engine = Held(held=dict.fromkeys(range(8), "w"))
    everything = Everything(ExternalTaskQuery(no_retries_left=True), but=frozenset(ids([0])))
    found = await locked(engine, everything, most)
    assert [task.id for task in found] == ids([1, 2, 5, 6, 7])[: most + 1]
    assert await locked(engine, Everything(ExternalTaskQuery(not_locked=True))) == []
    assert await locked(engine, Marked(frozenset(ids([8, 9])))) == []


async def test_a_lock_that_lasts_longer_now_is_another_one() -> None:
    engine = Held(held={0: "a", 1: "a", 2: "b"})
    before = await locked(engine, Marked(frozenset(ids(range(5)))))
    assert holders(before) == {"a": 2, "b": 1}
    assert await still_locked(engine, before) == ids([0, 1, 2])
    engine.until += timedelta(minutes=1)
    assert await still_locked(engine, before) == []
