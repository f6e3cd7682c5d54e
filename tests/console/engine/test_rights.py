"""What the user may do and what the engine keeps: found out at connect, and said before anything is sent."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.batches.batch_end import BatchEnd
from retriage.console.batches.batch_events import ending
from retriage.console.batches.known_batches import KnownBatches
from retriage.console.engine.capabilities import Capabilities, ListCapabilities
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import NotThere, Refused, Unreachable
from retriage.console.engine.history_level import HistoryLevel, infer_history_level, what_is_lost
from retriage.console.engine.rights import (
    ALL,
    LAUNCH,
    LAUNCH_THESE,
    READ_BATCHES,
    READ_HISTORY,
    READ_INSTANCES,
    READ_OF_DEFINITION,
    UPDATE_INSTANCES,
    UPDATE_OF_DEFINITION,
    Right,
    Rights,
    find_rights,
)
from retriage.console.reading.selection import Marked
from retriage.console.screens.launch.flow import open_launch
from retriage.console.widgets.pane import Pane
from retriage.store.contract.records import BatchStatistics, Job
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

    async def has_right(self, right: Right, resource: str = "") -> bool:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def external_tasks(self, query: Any, first: int, size: int) -> list[Any]:
        return []


NARROW = {f"{name} PROCESS_DEFINITION": False for name in ("READ_INSTANCE", "UPDATE_INSTANCE", "READ_HISTORY")} | {
    "READ PROCESS_INSTANCE": False,
    "UPDATE PROCESS_INSTANCE": False,
}
"""Of a user who has no right on all processes."""


async def test_a_right_on_one_process_only_is_told_as_that() -> None:
    engine = FakeEngine(40)
    engine.granted = NARROW | {"UPDATE_INSTANCE PROCESS_DEFINITION OrderProcess": True}
    rights = await find_rights(engine)
    assert rights.only_on(UPDATE_OF_DEFINITION) == ("OrderProcess",)
    assert not rights.lacks(UPDATE_INSTANCES, UPDATE_OF_DEFINITION)
    assert rights.lacks(READ_HISTORY)
    assert ("in part", "to change the instances of any process (only OrderProcess)  UPDATE_INSTANCE on "
            "PROCESS_DEFINITION") in rights.lines()  # fmt: skip
    assert "may not read all incidents" in rights.unseen("incidents")


async def test_history_of_one_process_is_enough_to_know_what_is_kept() -> None:
    engine = FakeEngine(40)
    engine.granted = NARROW | {"READ_HISTORY PROCESS_DEFINITION OrderProcess": True}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.history_level == "full")


async def test_rights_are_asked_for_again_when_the_first_task_is_to_be_seen() -> None:
    engine = FakeEngine(0)
    engine.granted = NARROW | {"UPDATE_INSTANCE PROCESS_DEFINITION OrderProcess": True}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
        assert app.session.connection.rights.to_be_asked
        engine.total = 40
        await app.session.watch.count()
        await app.session.watch.count()
        await until(pilot, lambda: app.session.connection.rights.only_on(UPDATE_OF_DEFINITION) == ("OrderProcess",))
        assert not app.session.connection.rights.to_be_asked


async def test_incidents_that_may_not_be_read_are_not_said_to_be_none() -> None:
    engine = FakeEngine(0)
    engine.granted = dict(NARROW)
    async with console(engine, (160, 45)) as (app, pilot):
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
        await until(pilot, lambda: "2 Incidents ?" in lines(app)[1])
        await until(pilot, lambda: "This user may not read all incidents" in "\n".join(lines(app)))
        await pilot.press("2")
        await until(pilot, lambda: app.screen.query("#looked"))
        await until(pilot, lambda: "This user may not read all incidents" in "\n".join(lines(app)))
        await until(pilot, lambda: "only those this user may read" in "\n".join(lines(app)))
        for said in ("There are no open incidents", "There are no incidents", "exact"):
            assert said not in "\n".join(lines(app))


async def test_a_part_of_the_incidents_is_not_said_to_be_all() -> None:
    engine = FakeEngine(40)
    engine.granted = dict(NARROW)
    async with console(engine, (160, 45), view="incidents") as (app, pilot):
        await until(pilot, lambda: "only those this user may read" in "\n".join(lines(app)))
        await until(pilot, lambda: f"2 Incidents {app.session.watch.counts['incidents']}+" in lines(app)[1])
        assert "exact" not in "\n".join(lines(app))


async def test_a_batch_whose_history_may_not_be_read_is_not_gone() -> None:
    engine = FakeEngine(40)
    engine.running["b"] = statistics("b", 10)
    engine.granted = {"READ_HISTORY BATCH": False}
    async with console(engine, view="batches") as (app, pilot):
        await until(
            pilot, lambda: app.session.connection.rights.login == "asked" and app.session.watch.known_batches.get("b")
        )
        del engine.running["b"]  # it has ended; the engine answers 404 to whoever may not read it
        await pilot.press("r")
        pane = app.screen.query_one("#detail", Pane)
        await until(pilot, lambda: "this user may not read ended batches" in " ".join(pane.text.split()))
        await until(pilot, lambda: "0 running, 1+ ended" in lines(app)[2])
        view = app.session.watch.known_batches.get("b")
        assert view is not None
        assert view.phase == "ended"
        assert "gone" not in "\n".join(lines(app))
        await app.navigator.show_batch("never-seen")
        assert app.session.news.newest is not None
        assert "does not run, and this user may not read ended batches" in app.session.news.newest.sentence


async def test_where_ended_batches_may_not_be_read_it_is_not_said_that_there_are_none() -> None:
    engine = FakeEngine(40)
    engine.granted = {"READ_HISTORY BATCH": False}
    async with console(engine, view="batches") as (app, pilot):
        await until(pilot, lambda: "There are no running batches; this user may not read" in "\n".join(lines(app)))
        await until(pilot, lambda: "0 running, ended ones not shown" in lines(app)[2])


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


def test_what_is_lost_without_the_right_to_read_the_history_is_said_as_at_level_none() -> None:
    none = what_is_lost("none")
    lacks = what_is_lost("not known", Rights("asked", {READ_HISTORY: False}))
    assert "may not read the history (READ_HISTORY on PROCESS_DEFINITION): how a task ended is not known." in lacks
    assert lacks.partition("Once the batch is done")[2] == none.partition("Once the batch is done")[2] != ""
    some = Rights("asked", {READ_HISTORY: False}, ("claim", "order"), {READ_HISTORY: ("claim",)})
    assert "history of other processes than claim (READ_HISTORY" in what_is_lost("full", some)
    assert what_is_lost("full", Rights("asked", {READ_HISTORY: True})) == ""


async def test_the_dialog_says_at_once_that_outcomes_cannot_be_known_without_the_right_to_read_them() -> None:
    engine = FakeEngine(40)
    engine.granted = {"READ_HISTORY PROCESS_DEFINITION": False}
    async with console(engine, (140, 45)) as (app, pilot):
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
        assert not app.session.connection.history_tells
        await pilot.press("R")
        await until(pilot, lambda: "may not read the history" in "\n".join(lines(app)))


async def test_the_dialog_says_at_once_that_the_engine_would_refuse() -> None:
    engine = FakeEngine(40)
    engine.granted = dict(CREATE)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
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
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
        pane = app.screen.query_one("#live", Pane)
        await until(pilot, lambda: "Batches cannot be read" in " ".join(pane.text.split()))
        assert "no batches" not in pane.text
        await pilot.press("4")
        await until(pilot, lambda: "Batches cannot be read by this user" in "\n".join(lines(app)))
        assert "There are no batches" not in "\n".join(lines(app))
        assert "0 running" not in "\n".join(lines(app))
        await app.session.watch.follow("batch-that-is-not-shown")
        await until(pilot, lambda: not app.session.watch.launched)
        await app.navigator.show_batch("batch-that-is-not-shown")
        assert app.session.news.newest is not None
        assert "cannot be read by this user" in app.session.news.newest.sentence


class NoBatches(FakeEngine):
    """Lets batches be made, and nobody read them: Camunda 7.24.0 answers with none then."""

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        return []


async def test_the_last_sentence_after_a_launch_is_that_it_was_launched_also_where_its_batch_cannot_be_read() -> None:
    engine = NoBatches(40)
    engine.granted = {"READ BATCH": False}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.rights.login == "asked")
        failed = frozenset(ids([index for index in range(20) if task(index).retries == 0]))
        open_launch(app, app.session, Marked(failed))
        await until(pilot, lambda: "in the launch" in "\n".join(lines(app)))
        deadline = asyncio.get_running_loop().time() + 30
        while not engine.orders and asyncio.get_running_loop().time() < deadline:
            await pilot.press("L")
        await until(pilot, lambda: not any(one.group == "launch.order" and one.is_running for one in app.workers))
        assert app.session.news.newest is not None
        assert re.fullmatch(r"Batch \S+ launched: .*", app.session.news.newest.sentence)


async def test_a_user_who_may_read_nothing_sees_a_sentence() -> None:
    engine = FakeEngine(0)
    engine.granted = {"READ PROCESS_INSTANCE": False, "READ_INSTANCE PROCESS_DEFINITION": False}
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: "This user may not read all" in "\n".join(lines(app)))


async def test_the_page_about_the_engine_tells_rights_and_history() -> None:
    from retriage.console.screens.help.here_page import engine_page

    engine = FakeEngine(40)
    engine.granted = dict(CREATE)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.history_level == "full")
        told = "\n".join("".join(text for text, _ in line) for line in engine_page(app.session, 100))
    assert "NO right" in told
    assert "to create batches  CREATE on BATCH" in told
    assert "to read batches  READ on BATCH" in told
    assert "full" in told


async def test_the_palette_leads_to_what_is_known_of_the_engine() -> None:
    engine = FakeEngine(40)
    engine.can = Capabilities({"tasks": ListCapabilities(True, ignored=frozenset({"process_definition_key"}))})
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.connection.history_level == "full")
        await pilot.press("colon", *("space" if key == " " else key for key in "this engine"), "enter")
        await until(pilot, lambda: "ignores processDefinitionKey" in "\n".join(lines(app)))
        assert "no login" in "\n".join(lines(app))


JOB = Job(
    id="of a process", job_definition_id="d", process_instance_id="i", process_definition_key="order",
    exception_message=None, retries=0, due_date=None, suspended=False, priority=0, create_time=None, batch_id=None,
)  # fmt: skip


class Kept:
    """An engine that keeps so much."""

    def __init__(self, level: HistoryLevel, tasks: int = 1) -> None:
        self.level = level
        self.fake = FakeEngine(tasks)
        self.external_tasks = self.fake.external_tasks
        self.process_instances = self.fake.process_instances
        self.listed: list[Job] = []

    async def jobs(self, query: Any, first: int, size: int) -> list[Job]:
        return self.listed

    async def count_job_log(self, query: Any) -> int:
        assert query.job_id == "of a process"
        return int(self.level == "full")

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


@pytest.mark.parametrize("level", ["none", "activity or audit", "full"])
async def test_where_there_is_no_task_a_job_shows_the_level(level: HistoryLevel) -> None:
    """One of a batch shows nothing: other rights decide who reads its log."""
    engine = Kept(level, 0)
    of_batch = JOB.model_copy(update={"id": "of a batch", "process_instance_id": None, "batch_id": "b"})
    engine.listed = [of_batch]
    assert await infer_history_level(engine) == "not known"
    engine.listed = [of_batch, JOB]
    assert await infer_history_level(engine) == level
    assert await infer_history_level(engine, ("order",)) == level
    assert await infer_history_level(engine, ("claim",)) == "not known"
    said = what_is_lost(level, unit="job")
    assert (bool(said), "task" in said) == (level != "full", False)


async def test_a_batch_of_an_engine_without_history_is_not_gone() -> None:
    engine, meaning = FakeEngine(), ["gone"]
    known = KnownBatches(lambda: meaning[0])  # type: ignore[arg-type,return-value]
    engine.running["b"] = statistics("b", 10)
    await known.read(engine)  # type: ignore[arg-type]
    del engine.running["b"]
    meaning[0] = "untold"
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
async def test_rights_on_one_process_of_a_real_engine_are_those_that_its_orders_need(tmp_path: Path) -> None:
    with guarded(tmp_path) as root:
        async with (
            httpx.AsyncClient(base_url=root, auth=ANN, trust_env=False, timeout=60) as anns,
            httpx.AsyncClient(base_url=root, auth=BOSS, trust_env=False, timeout=60) as boss,
        ):
            for key in ("claim", "order"):
                drawing = Drawing(key, [Step("Charge", f"charge-{key}")])
                await boss.post("/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
                (await boss.post(f"/process-definition/key/{key}/start", json={})).raise_for_status()
            grant = {"type": 1, "userId": ANN[0], "resourceId": "claim", "resourceType": 6}
            allowed = ["READ", "READ_INSTANCE", "UPDATE_INSTANCE", "READ_HISTORY"]
            (await boss.post("/authorization/create", json=grant | {"permissions": allowed})).raise_for_status()
            tasks = {one["processDefinitionKey"]: one["id"] for one in (await boss.get("/external-task")).json()}
            assert [one["id"] for one in (await anns.get("/external-task")).json()] == [tasks["claim"]]
            may = [await anns.put(f"/external-task/{tasks[key]}/retries", json={"retries": 0}) for key in sorted(tasks)]
            assert [answer.status_code for answer in may] == [204, 403]

            client = EngineClient(anns)
            rights = await find_rights(client)
            for right in (READ_OF_DEFINITION, UPDATE_OF_DEFINITION, READ_HISTORY):
                assert rights.only_on(right) == ("claim",)
                assert not rights.lacks(right)
            assert await infer_history_level(client, rights.only_on(READ_HISTORY)) == "full"
            # Both tasks have an incident now; ann sees hers.
            (await boss.put(f"/external-task/{tasks['order']}/retries", json={"retries": 0})).raise_for_status()
            assert (await boss.get("/incident/count")).json() == {"count": 2}
            assert (await anns.get("/incident/count")).json() == {"count": 1}
            assert rights.unseen("incidents")


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
