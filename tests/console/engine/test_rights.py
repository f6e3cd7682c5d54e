"""What the user may do and what the engine keeps: found out at connect, and said before anything is sent."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.batches.batch_end import BatchEnd
from console.batches.batch_events import ending
from console.batches.known_batches import KnownBatches
from console.engine.capabilities import Capabilities, ListCapabilities
from console.engine.client import EngineClient
from console.engine.errors import NotThere, Refused, Unreachable
from console.engine.history_level import HistoryLevel, infer_history_level, what_is_lost
from console.engine.rights import (
    ALL,
    LAUNCH,
    LAUNCH_THESE,
    READ_BATCHES,
    READ_INSTANCES,
    READ_OF_DEFINITION,
    Right,
    Rights,
    find_rights,
)
from console.reading.selection import Marked
from console.screens.launch.flow import open_launch
from console.widgets.pane import Pane
from store.contract.records import BatchStatistics
from tests.console.fake import FakeEngine, ids, statistics, task
from tests.console.settle import console, lines, until
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda

ANN, BOSS = ("ann", "s3:cret"), ("boss", "b0ss")
CREATE = {"CREATE BATCH": False, "CREATE_BATCH_SET_EXTERNAL_TASK_RETRIES BATCH": False}


class Answering:
    """Answers each right as it is told."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)

    async def has_right(self, right: Right) -> bool:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_an_engine_without_login_forbids_nothing() -> None:
    rights = await find_rights(FakeEngine())
    assert rights == Rights("no login")
    assert rights.why_no_launch() == ""
    assert rights.unseen("tasks") == ""


@pytest.mark.parametrize("problem", [NotThere("?", 404), Refused("?", 500)])
async def test_an_engine_that_does_not_tell_forbids_nothing(problem: Exception) -> None:
    assert await find_rights(Answering(problem)) == Rights("not known")


async def test_a_right_that_is_not_told_is_not_denied() -> None:
    rights = await find_rights(Answering(False, Unreachable("gone"), True))
    assert rights.login == "asked"
    assert rights.granted[LAUNCH] is False
    assert LAUNCH_THESE not in rights.granted
    assert rights.why_no_launch() == ""


def test_one_of_two_rights_is_enough() -> None:
    assert "CREATE on Batch" in Rights("asked", {LAUNCH: False, LAUNCH_THESE: False}).why_no_launch()
    assert Rights("asked", {LAUNCH: False, LAUNCH_THESE: True}).why_no_launch() == ""
    nothing = Rights("asked", {READ_INSTANCES: False, READ_OF_DEFINITION: False, READ_BATCHES: False})
    assert "may not read all tasks" in nothing.unseen("tasks")
    assert "Batches cannot be read by this user" in nothing.unseen("batches")
    assert Rights("asked", {READ_INSTANCES: False, READ_OF_DEFINITION: True}).unseen("incidents") == ""


async def test_the_dialog_says_at_once_that_the_engine_would_refuse() -> None:
    engine = FakeEngine(40)
    engine.granted = dict(CREATE)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.rights.login == "asked")
        await pilot.press("R")
        await until(pilot, lambda: "no right to create batches" in "\n".join(lines(app)))
        assert "in the launch" in "\n".join(lines(app))
        for _ in range(4):
            await pilot.press("L")
            await asyncio.sleep(0.3)
            await pilot.pause()
        assert "no right to create batches" in "\n".join(lines(app))
    assert engine.orders == []


async def test_batches_that_may_not_be_read_are_not_said_to_be_none_nor_to_run_for_ever() -> None:
    engine = FakeEngine(40)
    engine.granted = {"READ BATCH": False}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.rights.login == "asked")
        pane = app.screen.query_one("#live", Pane)
        await until(pilot, lambda: "Batches cannot be read" in " ".join(pane.text.split()))
        assert "no batches" not in pane.text
        await pilot.press("4")
        await until(pilot, lambda: "Batches cannot be read by this user" in "\n".join(lines(app)))
        assert "There are no batches" not in "\n".join(lines(app))
        assert "0 running" not in "\n".join(lines(app))
        assert app.session.follower is not None
        await app.session.follower.launched("batch-that-is-not-shown")
        await until(pilot, lambda: not app.session.launched)
        await app.navigator.show_batch("batch-that-is-not-shown")
        assert app.session.event is not None
        assert "cannot be read by this user" in app.session.event.sentence


class NoBatches(FakeEngine):
    """Lets batches be made, and nobody read them: Camunda 7.24.0 answers with none then."""

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        return []


async def test_the_last_sentence_after_a_launch_is_that_it_was_launched_also_where_its_batch_cannot_be_read() -> None:
    engine = NoBatches(40)
    engine.granted = {"READ BATCH": False}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.rights.login == "asked")
        failed = frozenset(ids([index for index in range(20) if task(index).retries == 0]))
        open_launch(app, app.session, Marked(failed))
        await until(pilot, lambda: "in the launch" in "\n".join(lines(app)))
        deadline = asyncio.get_running_loop().time() + 30
        while not engine.orders and asyncio.get_running_loop().time() < deadline:
            await pilot.press("L")
        await until(pilot, lambda: not any(one.group == "launch.order" and one.is_running for one in app.workers))
        assert app.session.event is not None
        assert re.fullmatch(r"Batch \S+ launched: .*", app.session.event.sentence)


async def test_a_user_who_may_read_nothing_sees_a_sentence() -> None:
    engine = FakeEngine(0)
    engine.granted = {"READ PROCESS_INSTANCE": False, "READ_INSTANCE PROCESS_DEFINITION": False}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: "This user may not read all" in "\n".join(lines(app)))


async def test_the_page_about_the_engine_tells_rights_and_history() -> None:
    from console.screens.help.here_page import engine_page

    engine = FakeEngine(40)
    engine.granted = dict(CREATE)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.history_level == "full")
        told = "\n".join("".join(text for text, _ in line) for line in engine_page(app.session, 100))
    assert "NO right" in told
    assert "to create batches  CREATE on BATCH" in told
    assert "to read batches  READ on BATCH" in told
    assert "full" in told


async def test_the_palette_leads_to_what_is_known_of_the_engine() -> None:
    engine = FakeEngine(40)
    engine.can = Capabilities({"tasks": ListCapabilities(True, ignored=frozenset({"process_definition_key"}))})
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.history_level == "full")
        await pilot.press("colon", *("space" if key == " " else key for key in "this engine"), "enter")
        await until(pilot, lambda: "ignores processDefinitionKey" in "\n".join(lines(app)))
        assert "no login" in "\n".join(lines(app))


class Kept:
    """An engine that keeps so much."""

    def __init__(self, level: HistoryLevel, tasks: int = 1) -> None:
        self.level = level
        self.fake = FakeEngine(tasks)
        self.external_tasks = self.fake.external_tasks
        self.process_instances = self.fake.process_instances

    async def count_external_task_log(self, query: Any) -> int:
        assert query.external_task_id
        return int(self.level == "full")

    async def count_historic_process_instances(self, query: Any) -> int:
        assert query.process_instance_id
        return int(self.level != "none")


@pytest.mark.parametrize("level", ["none", "activity or audit", "full"])
async def test_the_level_is_inferred(level: HistoryLevel) -> None:
    assert await infer_history_level(Kept(level)) == level
    assert await infer_history_level(Kept(level, 0)) == "not known"
    assert bool(what_is_lost(level)) == (level != "full")


async def test_a_batch_of_an_engine_without_history_is_not_gone() -> None:
    engine, known = FakeEngine(), KnownBatches()
    engine.running["b"] = statistics("b", 10)
    await known.read(engine)  # type: ignore[arg-type]
    del engine.running["b"]
    known.keeps_history = False
    await known.read(engine)  # type: ignore[arg-type]
    view = known.get("b")
    assert view is not None
    assert view.phase == "ended"
    assert view.ended
    assert not view.counted
    assert known.forgotten() == (view,)
    assert "keeps no batch history" in ending(10, view.batch_end)[0]
    assert ending(10, BatchEnd("gone"))[0].startswith("gone")


@contextmanager
def guarded(tmp_path: Path) -> Iterator[str]:
    if why := camunda.what_is_missing(configured=True):
        pytest.skip(why)
    options = {
        **camunda.EAGER, **camunda.guarded(ANN), "camunda.bpm.authorization.enabled": "true",
        "camunda.bpm.admin-user.id": BOSS[0], "camunda.bpm.admin-user.password": BOSS[1],
    }  # fmt: skip
    with camunda.running(tmp_path / "log", options) as root:
        yield root


@pytest.mark.engine
@pytest.mark.timeout(400)
async def test_rights_on_a_real_engine(tmp_path: Path) -> None:
    with guarded(tmp_path) as root:
        async with (
            httpx.AsyncClient(base_url=root, auth=ANN, trust_env=False, timeout=60) as anns,
            httpx.AsyncClient(base_url=root, auth=BOSS, trust_env=False, timeout=60) as boss,
        ):
            assert (await find_rights(EngineClient(boss))).granted == dict.fromkeys(ALL, True)
            assert (await find_rights(EngineClient(anns))).granted == dict.fromkeys(ALL, False)
            grant = {"type": 1, "userId": ANN[0], "resourceId": "*", "resourceType": 13, "permissions": ["CREATE"]}
            (await boss.post("/authorization/create", json=grant)).raise_for_status()
            rights = await find_rights(EngineClient(anns))
            # The right to create each single type of batch is another one: either is enough for a launch.
            assert {right for right, yes in rights.granted.items() if yes} == {LAUNCH}
            assert rights.why_no_launch() == ""
            assert rights.unseen("batches")


@pytest.mark.engine
@pytest.mark.timeout(400)
@pytest.mark.parametrize("level", ["none", "activity", "audit", "full"])
async def test_history_levels_on_a_real_engine(level: str, tmp_path: Path) -> None:
    if why := camunda.what_is_missing(configured=True):
        pytest.skip(why)
    with camunda.running(tmp_path / "log", {**camunda.EAGER, "camunda.bpm.history-level": level}) as root:
        async with httpx.AsyncClient(base_url=root, trust_env=False, timeout=60) as http:
            client = EngineClient(http)
            assert await infer_history_level(client) == "not known"
            assert await find_rights(client) == Rights("no login")
            drawing = Drawing("claim", [Step("Charge", "charge-card")])
            await http.post("/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
            (await http.post("/process-definition/key/claim/start", json={})).raise_for_status()
            seen = {"activity": "activity or audit", "audit": "activity or audit"}.get(level, level)
            assert await infer_history_level(client) == seen
