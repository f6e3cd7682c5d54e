"""View 6: launches are written down before they are sent, shown, set back, launched again."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.engine.errors import Refused, Unreachable
from retriage.console.journal import NoJournal, journal_at
from retriage.console.launch.record import READ_MOST
from retriage.console.launch.undo import Undo
from retriage.console.operations.preview import Kind
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.selection import Everything, Marked, Selection
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.journal.detail import LaunchDetail
from retriage.console.screens.launch import waiting
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.tasks.by_hand import ByHandDialog
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.pane import Pane
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.journal import Journal, NewLaunch
from tests.console.fake import FakeEngine, connecting, ids
from tests.console.settle import loaded, said, said_last, screen, text, until


@asynccontextmanager
async def console(
    engine: FakeEngine, path: Path, identity: ConnectionIdentity | None = None, size: tuple[int, int] = (110, 32)
) -> AsyncIterator[tuple[RetriageApp, Pilot[None], Journal]]:
    app = RetriageApp(
        connecting(engine), identity or ConnectionIdentity("TEST", user="ann"), journal=lambda: journal_at(path)
    )
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.memory.journal is not None and loaded(app))
        assert app.session.memory.journal is not None
        yield app, pilot, app.session.memory.journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def launch(
    app: RetriageApp, pilot: Pilot[None], selection: Selection, retries: int = 3, included: tuple[Kind, ...] = ()
) -> None:
    before = app.session.news.newest
    open_launch(app, app.session, selection, retries=retries, reason="PSP back, INC-4412")
    await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and app.screen.preparation.complete)
    for kind in included:
        screen(app).preparation.include(kind, True)
    await pilot.press("L")
    await until(pilot, lambda: not app.session.connection.launching and app.session.news.newest is not before)


async def journal_view(app: RetriageApp, pilot: Pilot[None], launches: int) -> None:
    await pilot.press("6")
    await until(pilot, lambda: screen(app).VIEW == "journal" and screen(app).matching == launches)
    if launches:
        await until(pilot, lambda: screen(app).chosen() is not None)


async def test_it_is_written_down_before_it_is_sent(path: Path) -> None:
    engine = FakeEngine(100)
    seen: list[Any] = []
    send = engine.set_retries_async

    async def watched(order: Any) -> Any:
        (written,) = await journal.launches(app.session.memory.engine_name)
        seen.append((written.state, written.listed, await journal.tasks(written.id)))
        return await send(order)

    engine.set_retries_async = watched  # type: ignore[method-assign]
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Marked(frozenset(ids([0, 3, 4]))), included=("never_failed",))
        assert seen == [("sent", 3, [(ids([0])[0], 0), (ids([3])[0], None), (ids([4])[0], 2)])]
        (written,) = await journal.launches(app.session.memory.engine_name)
        assert (written.state, written.batch_id, written.jobs) == ("launched", "batch-1", 3)
        assert (written.user, written.reason, written.retries) == ("ann", "PSP back, INC-4412", 3)
        assert json.loads(written.request) == {"retries": 3}


async def test_tasks_of_a_query_are_written_down_and_those_left_out_are_not(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Everything(ExternalTaskQuery()), retries=1)
        (written,) = await journal.launches(app.session.memory.engine_name)
        assert json.loads(written.request) == {"retries": 1, "externalTaskQuery": {"noRetriesLeft": True}}
        assert (written.tasks, written.listed) == (60, 60)
        assert await journal.former(written.id) == {0: 60}
        assert [piece async for piece in journal.all_tasks(written, named=True)] == [[]]


async def test_tasks_of_a_very_large_query_are_not_known(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert READ_MOST >= 10_000
    for module in ("record", "preparation"):
        monkeypatch.setattr(f"retriage.console.launch.{module}.READ_MOST", 50)
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Everything(ExternalTaskQuery(no_retries_left=True)))
        (written,) = await journal.launches(app.session.memory.engine_name)
        assert (written.state, written.tasks, written.listed) == ("launched", 60, None)
        await journal_view(app, pilot, 1)
        await pilot.press("Z")
        await until(pilot, lambda: "not known" in said(app))
        await pilot.press("R")
        await until(pilot, lambda: "what the request of launch 1 names today" in text(app))


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (Refused("The engine said no.", 400, "InvalidRequestException"), "refused"),
        (Unreachable("It cannot be reached."), "unsent"),
    ],
)
async def test_what_became_of_a_launch_that_failed(path: Path, problem: Exception, state: str) -> None:
    engine = FakeEngine(100)

    async def fails(order: Any) -> Any:
        raise problem

    engine.set_retries_async = fails  # type: ignore[method-assign]
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Marked(frozenset(ids([0]))))
        (written,) = await journal.launches(app.session.memory.engine_name)
        assert (written.state, written.said, written.batch_id) == (state, str(problem), None)


async def test_the_view_shows_launches_with_their_batches(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, _journal):
        await journal_view(app, pilot, 0)
        assert "Nothing launched from here yet" in text(app)
        await pilot.press("1")
        await launch(app, pilot, Marked(frozenset(ids([0, 2])), "two of them"))
        engine.end("batch-1")
        await launch(app, pilot, Marked(frozenset(ids([1]))))
        await journal_view(app, pilot, 2)
        await until(pilot, lambda: "ended" in text(app) and "two of them" in text(app))
        assert "PSP back, INC-4412" in text(app)
        await pilot.press("j")
        await until(pilot, lambda: screen(app).chosen().id == 1 and "2 tasks with" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LaunchDetail) and ids([2])[0][-7:] in text(app))
        assert '"retries": 3' in text(app)
        assert '"2 ids"' in text(app)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: screen(app).VIEW == "journal" and not isinstance(app.screen, LaunchDetail))


async def test_the_request_is_copied_with_all_its_ids(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(path.parent))
    engine, copied = FakeEngine(100), list[str]()
    async with console(engine, path) as (app, pilot, _journal):
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await launch(app, pilot, Marked(frozenset(ids([0, 2]))))
        await journal_view(app, pilot, 1)
        await pilot.press("y")
        await until(pilot, lambda: copied)
        assert json.loads(copied[0]) == {"retries": 3, "externalTaskIds": ids([0, 2])}
        await pilot.press("Y")
        await until(pilot, lambda: len(copied) == 2)
        assert copied[1].startswith("curl -X POST")
        assert ids([2])[0] in copied[1]


async def test_the_same_tasks_are_launched_again_through_the_dialog(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, _journal):
        await launch(app, pilot, Everything(ExternalTaskQuery(no_retries_left=True)))
        await journal_view(app, pilot, 1)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "the tasks of launch 1" in text(app))
        await until(pilot, lambda: screen(app).preparation.complete)
        assert "failed again" not in text(app), "its batch still runs and may not have come to them"
        await pilot.press("escape")
        engine.end("batch-1")
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "the tasks of launch 1" in text(app))
        await until(pilot, lambda: "60 failed again after a retry" in text(app))
        assert screen(app).retries == 3
        await pilot.press("L")
        await until(pilot, lambda: len(engine.orders) == 2)
        assert len(engine.orders[1][1].external_task_ids) == 60


async def test_undo_sets_back_what_the_tasks_had_and_tells_what_it_leaves_alone(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Marked(frozenset(ids(range(10)))), included=("never_failed",))
        for id in ids(range(10)):
            engine.retries[id] = 3
        engine.removed.update(ids([0]))
        engine.retries[ids([1])[0]] = 2
        await journal_view(app, pilot, 1)
        await pilot.press("Z")
        await until(pilot, lambda: "still runs and would set them again" in said(app))
        engine.end("batch-1")
        await pilot.press("4")
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )
        await journal_view(app, pilot, 1)
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        shown = " ".join(screen(app).query_one(Pane).text.split())
        assert "4 tasks get back 0 retries. 1 task gets back 2 retries. It is done by 2 batches." in shown
        assert "2 had never failed, which cannot be set" in shown
        assert "1 ended" in shown
        assert "1 with other retries by now" in shown
        assert "1 locked by a worker" in shown
        assert "each gets an incident again" in shown
        await pilot.press("L")
        await until(pilot, lambda: len(engine.orders) == 3 and not app.session.connection.launching)
        orders = {order[1].retries: order[1].external_task_ids for order in engine.orders[1:]}
        assert orders == {0: ids([2, 5, 6, 7]), 2: ids([9])}
        undone = await journal.launches(app.session.memory.engine_name)
        assert [launch.undoes for launch in undone] == [1, 1, None]
        await until(pilot, lambda: text(app).count("undo of") >= 2)


async def test_an_undo_goes_its_way_whatever_is_pressed_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    engine = FakeEngine(100)
    answer = asyncio.Event()
    send = engine.set_retries_async
    async with console(engine, path) as (app, pilot, journal):
        await launch(app, pilot, Marked(frozenset(ids([0, 1]))))
        for id in ids([0, 1]):
            engine.retries[id] = 3
        engine.end("batch-1")
        await journal_view(app, pilot, 1)
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )

        async def slow(order: Any) -> Any:
            await answer.wait()
            return await send(order)

        engine.set_retries_async = slow  # type: ignore[method-assign]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LaunchDetail))
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L")
        await until(pilot, lambda: app.session.connection.launching)
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(app.screen, waiting.Waiting))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LaunchDetail))
        await pilot.press("Z")
        await until(pilot, lambda: "still on its way" in said(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LaunchDetail))
        assert app.session.connection.launching
        answer.set()
        await until(pilot, lambda: not app.session.connection.launching)
        undo, _ = await journal.launches(app.session.memory.engine_name)
        assert (undo.state, undo.undoes, undo.batch_id) == ("launched", 1, "batch-2")
        assert len(engine.orders) == 2


async def test_an_undo_leaves_alone_what_a_later_launch_has_set_to_the_same_number(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, _journal):
        await launch(app, pilot, Marked(frozenset(ids([0, 1, 2]))))
        engine.end("batch-1")
        await launch(app, pilot, Marked(frozenset(ids([1]))))
        engine.end("batch-2")
        for id in ids([0, 1, 2]):
            engine.retries[id] = 3
        await journal_view(app, pilot, 2)
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )
        await pilot.press("j")
        await until(pilot, lambda: screen(app).chosen().id == 1)
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        shown = " ".join(screen(app).query_one(Pane).text.split())
        assert "2 tasks get back 0 retries. It is done by 1 batch." in shown
        assert "Left alone: 1 launched again since." in shown


async def test_a_question_that_comes_late_does_not_come_in_front_of_another(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, _journal):
        await launch(app, pilot, Marked(frozenset(ids(range(10)))), included=("never_failed",))
        for id in ids(range(10)):
            engine.retries[id] = 3
        engine.end("batch-1")
        await journal_view(app, pilot, 1)
        await pilot.press("4")
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )
        await pilot.press("6")
        await until(pilot, lambda: loaded(app))
        engine.held = True
        await pilot.press("Z", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        engine.held = False
        await until(pilot, lambda: "came too late" in said(app))
        assert isinstance(app.screen, LaunchDialog)
        assert len(engine.orders) == 1


async def test_undo_on_prod_wants_the_number_typed(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path, ConnectionIdentity("PROD", profile="p")) as (app, pilot, journal):
        number = await journal.begin(NewLaunch(app.session.memory.engine_name, "", "ann", 3, '{"retries": 3}', 2))
        await journal.add_tasks(number, [(id, 0) for id in ids([0, 1])])
        await journal.sent(number, 2)
        await journal.ended(number, "launched", batch_id="long gone", jobs=2)
        for id in ids([0, 1]):
            engine.retries[id] = 3
        await journal_view(app, pilot, 1)
        await pilot.press("Z")
        await until(pilot, lambda: "! takes the safety off" in said(app))
        app.session.connection.arm()
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L")
        await pilot.pause()
        assert engine.orders == []
        await pilot.press("2", "enter")
        await until(pilot, lambda: engine.orders and not app.session.connection.launching)
        assert engine.orders[0][1].external_task_ids == ids([0, 1])
        assert engine.orders[0][1].retries == 0


async def test_nothing_can_be_set_back(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, _journal):
        await launch(app, pilot, Marked(frozenset(ids([3]))), included=("never_failed",))
        engine.end("batch-1")
        engine.retries[ids([3])[0]] = 3
        await journal_view(app, pilot, 1)
        await until(
            pilot,
            lambda: (
                app.session.watch.known_batches.get("batch-1") and app.session.watch.known_batches.get("batch-1").ended
            ),
        )
        await pilot.press("Z")
        await until(pilot, lambda: "Nothing can be restored: 1 had never failed" in said(app))


async def test_a_journal_that_cannot_be_opened_is_one_sentence_and_the_console_works(tmp_path: Path) -> None:
    broken = tmp_path / "journal.db"
    broken.write_text("no journal at all, but long enough to be read as one" * 20)
    engine = FakeEngine(100)
    app = RetriageApp(connecting(engine), ConnectionIdentity("TEST"), journal=lambda: journal_at(broken))
    async with app.run_test(size=(110, 32)) as pilot:
        await until(pilot, lambda: "cannot be opened" in said(app) and "Nothing is remembered." in said(app))
        await until(pilot, lambda: loaded(app))
        await launch(app, pilot, Marked(frozenset(ids([0]))))
        assert len(engine.orders) == 1
        await pilot.press("6")
        await until(pilot, lambda: "There is no journal" in text(app))


async def test_one_launch_by_ids_shows_their_number_in_the_body(path: Path) -> None:
    async with console(FakeEngine(100), path) as (app, pilot, _journal):
        await launch(app, pilot, Marked(frozenset(ids([0, 3]))), included=("never_failed",))
        await journal_view(app, pilot, 1)
        await until(pilot, lambda: '"2 ids"' in text(app) and "externalTaskIds" in text(app))
        assert "1 launch on this engine, written down before it was sent" in text(app)


def slowly_opened(path: Path, opens: asyncio.Event, problem: str = "") -> Any:
    """A journal that is open, or cannot be opened, as soon as the event is set."""

    @asynccontextmanager
    async def opening() -> AsyncIterator[Journal]:
        await opens.wait()
        if problem:
            raise NoJournal(problem)
        async with journal_at(path) as journal:
            yield journal

    return opening


async def test_a_launch_waits_for_a_journal_that_is_still_opening(path: Path) -> None:
    engine, opens = FakeEngine(100), asyncio.Event()
    app = RetriageApp(connecting(engine), ConnectionIdentity("TEST"), journal=slowly_opened(path, opens))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: loaded(app))
        open_launch(app, app.session, Marked(frozenset(ids([0]))), retries=3)
        await until(pilot, lambda: "The journal is not open yet: this launch would not be written down" in text(app))
        await pilot.press("L")
        await until(pilot, lambda: "Waiting for the journal; L again launches without writing it down." in text(app))
        assert engine.orders == []
        opens.set()
        await until(pilot, lambda: engine.orders and not app.session.connection.launching)
        assert app.session.memory.journal is not None
        assert len(await app.session.memory.journal.launches(app.session.memory.engine_name, 9)) == 1


async def test_a_launch_without_a_journal_is_sent_after_the_operator_has_read_so(path: Path) -> None:
    engine, opens = FakeEngine(100), asyncio.Event()
    app = RetriageApp(
        connecting(engine), ConnectionIdentity("TEST"), journal=slowly_opened(path, opens, "It is locked.")
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: loaded(app))
        open_launch(app, app.session, Marked(frozenset(ids([0]))), retries=3)
        await until(pilot, lambda: "The journal is not open yet" in text(app))
        await pilot.press("L")
        await until(pilot, lambda: "Waiting for the journal" in text(app))
        opens.set()
        await until(pilot, lambda: "There is no journal: this launch will not be written down." in text(app))
        assert engine.orders == []
        await pilot.press("L")
        await until(pilot, lambda: engine.orders and not app.session.connection.launching)


async def test_a_second_press_launches_while_the_journal_is_opening(path: Path) -> None:
    engine = FakeEngine(100)
    app = RetriageApp(connecting(engine), ConnectionIdentity("TEST"), journal=slowly_opened(path, asyncio.Event()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: loaded(app))
        open_launch(app, app.session, Marked(frozenset(ids([0]))), retries=3)
        await until(pilot, lambda: "The journal is not open yet" in text(app))
        await pilot.press("L")
        await until(pilot, lambda: "Waiting for the journal" in text(app))
        await pilot.press("L")
        await until(pilot, lambda: engine.orders and not app.session.connection.launching)
        app._engine._engine.cancel()


async def test_a_journal_that_cannot_be_written_any_more_does_not_hold_a_launch_up(path: Path) -> None:
    engine = FakeEngine(100)
    async with console(engine, path) as (app, pilot, journal):
        async with journal._database.writing() as connection:
            await connection.exec_driver_sql("DROP TABLE launch_task")
        sentences: list[str] = []
        app.session.news.subscribe(app.screen, lambda news: sentences.append(said_last(app)))
        await launch(app, pilot, Marked(frozenset(ids([0]))))
        await until(pilot, lambda: engine.orders and "launched" in said(app))
        assert any("The journal cannot be written: no such table: launch_task" in sentence for sentence in sentences)


async def test_a_thrown_away_journal_is_gone_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with journal_at(None) as journal:
        await journal.remember("demo", "tasks", "x")
        (folder,) = os.listdir(tmp_path)
        assert folder.startswith("retriage-journal-")
    assert os.listdir(tmp_path) == []
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(NoJournal, match="cannot be opened"):
        async with journal_at(tmp_path / "folder.db"):
            pass


def test_every_task_of_an_undo_is_in_one_group() -> None:
    undo = Undo("launch", 1, SetRetries(3))
    before = [("gone", 0), ("changed", 0), ("later", 0), ("locked", 0), ("never", None), ("same", 3)]
    before += [("zero", 0), ("five", 5)]
    now = {"changed": 2, "later": 3, "locked": 3, "never": 3, "same": 3, "zero": 3, "five": 3}
    undo.take(SetRetries(3).sort(before, now, frozenset({"locked"}), frozenset({"changed", "later"})), None)
    assert undo.back == {SetRetries(0): ["zero"], SetRetries(5): ["five"]}
    assert undo.left_alone == dict.fromkeys(("gone", "changed", "later", "locked", "never", "same"), 1)


async def test_work_by_hand_is_shown_with_the_names_of_its_variables_and_without_their_values(path: Path) -> None:
    engine = FakeEngine(20)
    async with console(engine, path, size=(160, 32)) as (app, pilot, journal):
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ByHandDialog))
        await pilot.press(*"complete note", "equals_sign", *"secret", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        assert not await journal.by_hand(app.session.memory.engine_name), "it is not confirmed"
        await pilot.press("L")
        await until(pilot, lambda: "The task is completed" in said(app))
        await pilot.press("6")
        await until(pilot, lambda: screen(app).VIEW == "journal" and screen(app).by_hand() is not None)
        task = engine.orders[0][1]
        seen = text(app)
        for told in ("1 by hand", "by hand: the engine did it", "complete   20", "note", task):
            assert told in seen, seen
        await pilot.press("enter", "Z", "b", "c")
        assert "Work by hand cannot be undone" in said(app)
        assert screen(app).VIEW == "journal", "a launch can be undone or opened, work by hand cannot"
        assert (len(engine.orders), screen(app).chosen()) == (2, None)
    with closing(sqlite3.connect(path)) as file:
        ((user, what, names, outcome),) = file.execute("SELECT user, what, variables, outcome FROM by_hand")
        assert (user, what, names, outcome) == ("ann", "complete", '["note"]', "done")
        assert "secret" not in "\n".join(file.iterdump())
