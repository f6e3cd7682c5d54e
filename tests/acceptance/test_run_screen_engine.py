"""The night of waves on the screen, by keys alone, on a real engine: the same road as on the store."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.night_engine import OUTAGE, PASSWORD, TOPIC, USER, Record
from tests.acceptance.test_run_night import Payments, Shell
from tests.acceptance.test_run_screen import night
from tests.engines import camunda
from tests.store.drawings import END, START, file, flows, process, task

pytestmark = [pytest.mark.engine, pytest.mark.timeout(700)]
if missing := camunda.what_is_missing():
    pytestmark.append(pytest.mark.skip(reason=f"the reference engine {missing}"))

TASKS = 165
"""The rest is large enough that its gate passes before those are done that nobody works on."""
ORDER = file(process(START, task(TOPIC), END, flows(f"begin>{TOPIC}", f"{TOPIC}>done")))


class RealNight:
    """A real engine, as far as the night asks it and its workers order something.

    Args:
        root: its address.
        http: a client of it.
    """

    def __init__(self, root: str, http: httpx.Client) -> None:
        self.root = root
        self.http = http

    def order(self, method: str, path: str, body: Record) -> Any:
        """Give an order; what it answers, if anything."""
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def tasks(self) -> dict[str, Record]:
        """All external tasks by id."""
        return {one["id"]: one for one in self.http.get("/external-task").json()}

    def retries(self) -> dict[str, int | None]:
        """Retries of all tasks."""
        return {id: one["retries"] for id, one in self.tasks().items()}

    def batches(self) -> list[Record]:
        """Every batch that ever was."""
        return list(self.http.get("/history/batch").json())

    def complete(self, task_id: str, worker: str) -> None:
        """A worker has done a task."""
        self.order("POST", f"/external-task/{task_id}/complete", {"workerId": worker})

    def fill(self) -> None:
        """An outage: all tasks have failed, and have no retries left."""
        parts = {"deployment-name": (None, "night"), "data": ("order.bpmn", ORDER)}
        assert self.http.post("/deployment/create", files=parts).status_code == 200
        for number in range(TASKS):
            self.order("POST", "/process-definition/key/order/start", {"businessKey": f"ord-{number}"})
        topic = {"topicName": TOPIC, "lockDuration": 60_000, "variables": []}
        fetch = {"workerId": "w", "maxTasks": TASKS, "topics": [topic]}
        for number, one in enumerate(self.order("POST", "/external-task/fetchAndLock", fetch)):
            said = {"errorMessage": f"{OUTAGE}: request {number}", "retries": 0, "retryTimeout": 0}
            self.order("POST", f"/external-task/{one['id']}/failure", {"workerId": "w", **said})


def test_a_night_of_waves_on_the_screen_of_the_reference_engine(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with (
        camunda.running(tmp_path / "engine.log") as root,
        httpx.Client(base_url=root, auth=(USER, PASSWORD), timeout=30, trust_env=False) as http,
    ):
        engine = RealNight(root, http)
        engine.fill()
        shell, payments = Shell(home, root), Payments(engine)  # type: ignore[arg-type]
        payments.paused = True
        try:
            night(engine, shell, payments, home)  # type: ignore[arg-type]
        finally:
            payments.stop()
