"""Launches whose answer is lost, on a real engine: what proves whose batch it is there, and that there is none."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.launch import find_batch, send, unanswered
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.launch_events import Disproved, NotCarriedOut, NotFound
from retriage.console.launch.send import send_launch
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.journal import Journal
from tests.console.launch.test_send import LAUNCH, Console
from tests.engines import camunda
from tests.support.fault_proxy import FaultTransport, page

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
TASKS = 5
BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="lost"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
  <process id="lost" isExecutable="true" camunda:historyTimeToLive="1">
    <startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="t"/>
    <serviceTask id="t" camunda:type="external" camunda:topic="lost"/>
    <sequenceFlow id="b" sourceRef="t" targetRef="e"/><endEvent id="e"/>
  </process>
</definitions>"""


@pytest.fixture(params=["full", "none"])
def history(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, history: str) -> Iterator[str]:
    if missing := camunda.what_is_missing(configured=True):
        pytest.skip(f"the reference engine {missing}")
    options = {**camunda.EAGER, "camunda.bpm.history-level": history}
    with camunda.running(tmp_path / "engine.log", options, heap="512m") as address:
        yield address


@pytest.fixture
async def console(root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    """A console before a proxy with faults, and five tasks without retries."""
    monkeypatch.setattr(send, "BETWEEN_LOOKS", 0.0)
    async with httpx.AsyncClient(base_url=root, timeout=60) as http:
        files = {"deployment-name": (None, "lost"), "lost": ("lost.bpmn", BPMN, "application/octet-stream")}
        assert (await http.post("/deployment/create", files=files)).status_code == 200
        for _ in range(TASKS):
            assert (await http.post("/process-definition/key/lost/start", json={})).status_code == 200
        transport = FaultTransport(httpx.AsyncHTTPTransport())
        journal = await Journal.open(tmp_path / "journal.db")
        async with httpx.AsyncClient(transport=transport, base_url=root) as through:
            one = Console(EngineClient(through), transport, journal)
            order = SetExternalTaskRetries(retries=0, external_task_ids=sorted(await one.ids()))
            for id in order.external_task_ids or []:
                answer = await http.put(f"/external-task/{id}/retries", json={"retries": 0})
                assert answer.status_code == 204
            yield one
        await journal.close()


def as_if_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time in which the batch would have begun is over."""
    monkeypatch.setattr(find_batch, "LATE", timedelta(seconds=-1))
    monkeypatch.setattr(unanswered, "ON_ITS_WAY", timedelta())


async def set_to(console: Console, retries: int) -> None:
    """Wait until a batch has done its work."""
    for _ in range(2000):
        tasks = [await console.client.external_task(id) for id in await console.ids()]
        if all(task.retries == retries for task in tasks):
            return
    raise AssertionError("the engine does not carry its batch out")


async def test_what_became_of_lost_launches(
    console: Console, root: str, history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Carried out, and the answer is a page of the proxy: found, or at history none perhaps ended unseen.
    console.faults.play(page(500, passed_on=True), on=LAUNCH)
    await console.launch(3)
    assert "RefusedByEngine" not in console.kinds
    await set_to(console, 3)
    console.faults.clear()
    await console.look()
    written = await console.written()
    assert written.state == "launched" or (history == "none" and written.state == "unknown")
    if history == "full":
        assert not written.in_doubt, "its effect proves it"

    # Not carried out, while another console sets another number over the same tasks.
    await console.journal.settled(1, "launched", batch_id=written.batch_id, looked_at=written.began_at)  # type: ignore[union-attr]
    console.told.clear()
    console.faults.play(page(504), on=LAUNCH)
    order = await console.decided(2)
    async with httpx.AsyncClient(base_url=root, timeout=60) as http:
        body = {"retries": 1, "externalTaskIds": sorted(await console.ids())}
        his = (await http.post("/external-task/retries-async", json=body)).json()["id"]
    launched = await send_launch(console.session, DecidedLaunch(order.plan), console.told.append)
    assert launched is None or (launched.batch.id, launched.certain) == (his, False)
    await set_to(console, 1)
    await console.look()
    assert console.journal is not None
    mine = (await console.journal.launches(console.session.memory.engine_name))[0]
    if history == "full":
        assert Disproved(mine.id, his) in console.told or any(isinstance(one, NotFound) for one in console.told)
        as_if_later(monkeypatch)
        await console.look()
        mine = (await console.journal.launches(console.session.memory.engine_name))[0]
        assert (mine.state, mine.batch_id) == ("not_carried_out", None)
        assert any(isinstance(one, NotCarriedOut) for one in console.told)
    else:
        assert mine.state in ("unknown", "launched")
        assert mine.in_doubt, "without history nothing proves it"
