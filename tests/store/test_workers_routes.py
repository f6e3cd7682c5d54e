"""A worker's day over the contract, and fetches that wait."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from retriage.store.api import parking
from retriage.store.api.parking import close_parking, parking_of
from retriage.store.embedded import embedded_app
from retriage.store.settings import StoreSettings
from tests.store.drawings import CAUGHT, FORKED, ONE_TASK
from tests.store.running import client_of

FETCH = "/external-task/fetchAndLock"
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def rarely_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen within the patience of a test was not seen by the look that those who wait take now and then."""
    monkeypatch.setattr(parking, "LONGEST_PAUSE", 3 * PATIENCE)


def wanted(*topics: str, **more: Any) -> dict[str, Any]:
    return {
        "workerId": "w",
        "maxTasks": 5,
        "topics": [{"topicName": topic, "lockDuration": 60_000} for topic in topics],
        **more,
    }


async def start(http: httpx.AsyncClient, drawing: bytes = ONE_TASK) -> None:
    upload = {"data": ("order.bpmn", drawing)}
    answer = await http.post(
        "/deployment/create", files=upload, data={"deployment-name": "n", "enable-duplicate-filtering": "true"}
    )
    assert answer.status_code == 200, answer.text
    assert (await http.post("/process-definition/key/order/start")).status_code == 200


async def fetch(http: httpx.AsyncClient, *topics: str, **more: Any) -> list[dict[str, Any]]:
    answer = await http.post(FETCH, json=wanted(*topics, **more))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_day_of_work(http: httpx.AsyncClient) -> None:
    await start(http, CAUGHT)
    (task,) = await fetch(http, "charge")
    assert len(task) == 21
    assert task["lockExpirationTime"].endswith("+0000")
    path = f"/external-task/{task['id']}"
    for order, body in (
        ("extendLock", {"workerId": "w", "newDuration": 60_000}),
        ("failure", {"workerId": "w", "errorMessage": "boom", "errorDetails": "deep", "retries": 0}),
        ("unlock", None),
        ("lock", {"workerId": "w", "lockDuration": 60_000}),
        ("bpmnError", {"workerId": "w", "errorCode": "DECLINED"}),
    ):
        answer = await http.post(f"{path}/{order}", json=body)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
    assert (await http.get("/history/process-instance")).json()[0]["state"] == "ACTIVE"
    (task,) = await fetch(http, "call")
    path = f"/external-task/{task['id']}"
    assert (await http.put(f"{path}/priority", json={"priority": 80})).status_code == 204
    assert (await http.get(path)).json()["priority"] == 80
    assert (await http.post(f"{path}/complete", json={"workerId": "w"})).status_code == 204
    assert (await http.get("/history/process-instance")).json()[0]["state"] == "COMPLETED"


async def test_errors_are_in_the_contract_s_form(http: httpx.AsyncClient) -> None:
    for method, path, body, status in (
        ("POST", "/external-task/zz/complete", {"workerId": "w"}, 404),
        ("POST", "/external-task/zz/complete", {}, 500),
        ("POST", "/external-task/zz/lock", {"workerId": "w"}, 400),
        ("PUT", "/external-task/zz/priority", {}, 400),
        ("POST", FETCH, {}, 500),
        ("POST", FETCH, {**wanted("t"), "asyncResponseTimeout": 1_800_001}, 400),
    ):
        answer = await http.request(method, path, json=body)
        assert answer.status_code == status
        assert set(answer.json()) == {"type", "message", "code"}


async def parked(app: FastAPI, number: int) -> None:
    """Wait until so many fetches are parked."""
    async with asyncio.timeout(60):
        while parking_of(app.state.store)._free != app.state.store.settings.max_parked_fetches - number:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_fetch_waits_for_tasks_of_a_start_a_completion_and_an_unlock(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        await start(http, FORKED)
        (pack,) = await fetch(http, "pack")
        (bill,) = await fetch(http, "bill")

        async def complete_both() -> None:
            for task in (pack, bill):
                answer = await http.post(f"/external-task/{task['id']}/complete", json={"workerId": "w"})
                assert answer.status_code == 204

        async def unlock() -> None:
            (held,) = (await http.get("/external-task?topicName=ship")).json()
            assert (await http.post(f"/external-task/{held['id']}/unlock")).status_code == 204

        async def when(topic: str, happens: Awaitable[None]) -> None:
            waiting = asyncio.create_task(fetch(http, topic, asyncResponseTimeout=60_000))
            await parked(app, 1)
            await happens
            async with asyncio.timeout(30):
                assert [task["topicName"] for task in await waiting] == [topic]
            await parked(app, 0)

        await when("ship", complete_both())
        await when("ship", unlock())
        await when("pack", start(http, FORKED))


async def test_at_its_deadline_a_fetch_is_answered_with_nothing(http: httpx.AsyncClient) -> None:
    clock = asyncio.get_running_loop().time
    before = clock()
    assert await fetch(http, "charge", asyncResponseTimeout=300) == []
    assert 0.25 < clock() - before < 30
    assert await fetch(http, "charge", asyncResponseTimeout=-1) == []


async def test_an_expired_lock_is_seen_without_news(tmp_path: Path) -> None:
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as http:
        await start(http)
        (task,) = await fetch(http, "charge")
        expiring = {"workerId": "w", "newDuration": 400}
        assert (await http.post(f"/external-task/{task['id']}/extendLock", json=expiring)).status_code == 204
        async with asyncio.timeout(PATIENCE):
            (again,) = await fetch(http, "charge", asyncResponseTimeout=60_000, workerId="other")
        assert (again["id"], again["workerId"]) == (task["id"], "other")


async def test_a_lock_that_ends_sooner_is_seen_by_those_who_wait_already(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        await start(http)
        (task,) = await fetch(http, "charge")
        waiting = asyncio.create_task(fetch(http, "charge", asyncResponseTimeout=60_000, workerId="other"))
        await parked(app, 1)
        failed = {"workerId": "w", "retries": 1, "retryTimeout": 300}
        assert (await http.post(f"/external-task/{task['id']}/failure", json=failed)).status_code == 204
        async with asyncio.timeout(PATIENCE):
            assert [one["id"] for one in await waiting] == [task["id"]]


@pytest.mark.parametrize("how", ["one", "bulk", "batch", "activated", "variable"])
async def test_what_makes_a_task_fetchable_wakes_those_who_wait(tmp_path: Path, how: str) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        await start(http)
        (task,) = (await http.get("/external-task")).json()
        one, instance = f"/external-task/{task['id']}", f"/process-instance/{task['processInstanceId']}"
        wants = {"processVariables": {"region": "north"}} if how == "variable" else {}
        before, after = {
            "one": (("PUT", f"{one}/retries", {"retries": 0}), ("PUT", f"{one}/retries", {"retries": 1})),
            "bulk": (
                ("PUT", f"{one}/retries", {"retries": 0}),
                ("PUT", "/external-task/retries", {"retries": 1, "externalTaskIds": [task["id"]]}),
            ),
            "batch": (
                ("PUT", f"{one}/retries", {"retries": 0}),
                ("POST", "/external-task/retries-async", {"retries": 1, "externalTaskIds": [task["id"]]}),
            ),
            "activated": (
                ("PUT", f"{instance}/suspended", {"suspended": True}),
                ("PUT", f"{instance}/suspended", {"suspended": False}),
            ),
            "variable": (
                ("PUT", f"{instance}/variables/region", {"value": "south"}),
                ("PUT", f"{instance}/variables/region", {"value": "north"}),
            ),
        }[how]
        assert (await http.request(before[0], before[1], json=before[2])).is_success
        order = wanted("charge", asyncResponseTimeout=60_000)
        order["topics"][0] |= wants
        waiting = asyncio.create_task(http.post(FETCH, json=order))
        await parked(app, 1)
        assert (await http.request(after[0], after[1], json=after[2])).is_success
        async with asyncio.timeout(PATIENCE):
            assert [found["id"] for found in (await waiting).json()] == [task["id"]]


async def test_one_task_wakes_many_and_goes_to_one(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        waiting = [asyncio.create_task(fetch(http, "charge", asyncResponseTimeout=60_000)) for _ in range(10)]
        await parked(app, 10)
        await start(http)
        (served,), others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert len(served.result()) == 1
        await parked(app, 9)
        assert not any(other.done() for other in others)
        await start(http)
        (next_served,), others = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        assert len(next_served.result()) == 1
        for other in others:
            other.cancel()
        await asyncio.wait(others)


async def test_hundreds_may_wait(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        waiting = [asyncio.create_task(fetch(http, "charge", asyncResponseTimeout=60_000)) for _ in range(400)]
        await parked(app, 400)
        for one in waiting:
            one.cancel()


async def test_the_number_of_waiting_fetches_is_bounded(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"), settings=StoreSettings(max_parked_fetches=2))
    async with client_of(app) as http:
        waiting = [asyncio.create_task(fetch(http, "charge", asyncResponseTimeout=4000)) for _ in range(2)]
        await parked(app, 2)
        answer = await http.post(FETCH, json=wanted("charge", asyncResponseTimeout=1500))
        assert (answer.status_code, answer.json()["type"]) == (500, "InvalidRequestException")
        assert answer.json()["message"].startswith("At the moment the server has to handle too many requests")
        assert await fetch(http, "charge") == []
        assert await asyncio.gather(*waiting) == [[], []]
        assert await fetch(http, "charge", asyncResponseTimeout=10) == []


async def test_closing_answers_those_who_wait(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        waiting = asyncio.create_task(http.post(FETCH, json=wanted("charge", asyncResponseTimeout=60_000)))
        await parked(app, 1)
        close_parking(app.state.store)
        late = http.post(FETCH, json=wanted("charge", asyncResponseTimeout=60_000))
        async with asyncio.timeout(30):
            for answer in await asyncio.gather(waiting, late):
                assert (answer.status_code, answer.json()["message"]) == (
                    500,
                    "Request rejected due to shutdown of application server.",
                )


async def test_a_worker_that_hangs_up_gets_no_tasks(tmp_path: Path) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app) as http:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        body = httpx.Request("POST", "http://store", json=wanted("charge", asyncResponseTimeout=60_000)).content
        await messages.put({"type": "http.request", "body": body, "more_body": False})
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": f"/engine-rest{FETCH}",
            "raw_path": f"/engine-rest{FETCH}".encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
            "server": ("store", 80),
        }
        served = asyncio.create_task(app(scope, messages.get, send))  # type: ignore[arg-type]
        await parked(app, 1)
        await messages.put({"type": "http.disconnect"})
        async with asyncio.timeout(30):
            await served
        await parked(app, 0)
        await start(http)
        assert (await http.get("/external-task")).json()[0]["workerId"] is None


async def test_a_client_that_goes_in_the_middle_of_its_body(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = embedded_app(str(tmp_path / "store.db"))
    async with client_of(app):
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/engine-rest/external-task/count",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")],
        }
        said = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> dict[str, object]:
            return next(said)

        async def send(_message: object) -> None:
            pass

        await app(scope, receive, send)
    assert not caplog.records
