"""What the dialog shows and hands out is, byte for byte, what goes over the wire."""

import json
import shlex
from typing import Any

import httpx
import pytest

from retriage.console.engine.batch_request import SET_RETRIES
from retriage.console.engine.client import EngineClient
from retriage.console.launch.plan import LaunchPlan
from retriage.console.reading.counts import SelectionCounts
from retriage.console.reading.selected_tasks import SelectedTasks
from retriage.console.reading.selection import Composed, Everything, Marked, Selection
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.widgets.pane import Pane
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, ProcessInstanceQuery, VariableFilter
from tests.console.screens.test_embedded_engine import ENGINE, world
from tests.console.settle import filter_by, until

HOSTILE = "it's \u202e\x1b[31m \\u0022 — \U0001f4b3"


def plan_of(selection: Selection) -> LaunchPlan:
    selected_tasks = SelectedTasks(SelectionCounts(0, 0, 0, 0, 0, 0, {}, _moment()).at, frozenset({"a", HOSTILE}))
    selected_tasks.retries.update({"a": 0, HOSTILE: 0})
    return LaunchPlan(selection, 3, selected_tasks.facts(), selected_tasks)


def _moment() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "selection",
    [
        Everything(ExternalTaskQuery(topic_name=HOSTILE)),
        Everything(
            ExternalTaskQuery(process_variables=[VariableFilter(name=HOSTILE, operator="eq", value=HOSTILE)]),
        ),
        Marked(frozenset({"a", HOSTILE})),
        Composed(
            SetExternalTaskRetries(
                external_task_ids=["a"], external_task_query=ExternalTaskQuery(topic_name="t", no_retries_left=True)
            )
        ),
        Composed(SetExternalTaskRetries(process_instance_query=ProcessInstanceQuery(business_key=HOSTILE))),
    ],
)
async def test_the_bytes_of_the_plan_are_sent_copied_and_shown(selection: Selection) -> None:
    sent: list[httpx.Request] = []

    def engine(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(500, json={"type": "X", "message": "no"})

    plan = plan_of(selection)
    transport = httpx.MockTransport(engine)
    async with httpx.AsyncClient(transport=transport, base_url="http://host/engine-rest") as http:
        with pytest.raises(Exception, match="no"):
            await EngineClient(http).launch_batch(plan.prepared)
    (request,) = sent
    assert request.url.path == f"/engine-rest/{SET_RETRIES}"
    assert request.headers["content-type"] == "application/json"
    assert request.content == plan.prepared.body
    assert shlex.split(plan.curl("http://host/engine-rest"))[-1].encode() == request.content
    value = plan.request.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert json.loads(request.content) == json.loads(plan.json(None)) == json.loads(plan.json()) == value


@pytest.mark.parametrize("keys", [("A",), ("A", "space"), ("space", "space")], ids=["query", "all but one", "marks"])
async def test_from_the_dialog_to_the_wire(keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    sent: list[bytes] = []

    async def note(request: httpx.Request) -> None:
        if request.url.path.endswith(SET_RETRIES):
            sent.append(request.content)

    async with world(size=(100, 40)) as (app, pilot):
        assert app.session.connection.client is not None
        app.session.connection.client._channel._http.event_hooks = {"request": [note]}
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await filter_by(app, pilot, "retries:0")
        screen: Any = app.screen
        await until(pilot, lambda: screen.matching and screen.table.row is not None, ENGINE)
        await pilot.press(*keys, "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and app.screen.preparation.complete, ENGINE)
        await pilot.press("4", "y")
        await until(pilot, lambda: len(copied) == 1)
        await pilot.press("Y")
        await until(pilot, lambda: len(copied) == 2)
        pane = app.screen.query_one("#request", Pane).text
        await pilot.press("L")
        await until(pilot, lambda: sent, ENGINE)
    body = json.loads(sent[0])
    assert body["retries"] == 4
    assert json.loads(copied[0]) == body
    assert shlex.split(copied[1])[-1].encode() == sent[0]
    shown = json.loads(pane[pane.index("{") :])
    ids = body.get("externalTaskIds", [])
    if len(ids) > 3:
        body["externalTaskIds"] = [*ids[:3], f"... {len(ids) - 3:,} more"]
    assert shown == body
