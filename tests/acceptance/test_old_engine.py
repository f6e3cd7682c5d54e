"""Engines that ignore filters: exactly the tasks that the filter names are retried, whatever the engine knows of it.

On Camunda 7.21.0 ``/process:claim retries:0`` ``A R L`` once retried all tasks of another process too: the engine
ignores the key of the process in a query of external tasks, in the list as in the order.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.night_engine import NightEngine
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support.terminal import Terminal

CLAIMS, ORDERS = 30, 40
REAL = [
    pytest.param(kind, id=kind.name, marks=pytest.mark.engine)
    for kind in (camunda.OLD, camunda.REFERENCE, camunda.OPERATON)
]
OLD_STORE = pytest.param(None, id="a store that forgets")


@contextmanager
def engine(kind: camunda.EngineKind | None, folder: Path, **options: str) -> Iterator[httpx.Client]:
    """An engine that is fresh: a real one with these options, or the store less what an old one lacks."""
    if kind is None:
        with NightEngine(folder / "store.db", {"RETRIAGE_RUNNER_IDLE_SECONDS": "1"}, "tests.support.old_engine") as old:
            yield old.http
        return
    if why := camunda.what_is_missing(configured=True, kind=kind):
        pytest.skip(why)
    log = folder / "engine.log"
    given = {**camunda.EAGER, **{f"camunda.bpm.{name.replace('_', '-')}": value for name, value in options.items()}}
    with (
        camunda.running(log, given, kind=kind) as root,
        httpx.Client(base_url=root, timeout=30, trust_env=False) as http,
    ):
        yield http


def asked(http: httpx.Client, method: str, path: str, **what: Any) -> Any:
    """What the engine answers."""
    answer = http.request(method, path, **what)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def world(http: httpx.Client) -> None:
    """Two processes with the same topic, all of whose tasks have no retries left."""
    for key, number in (("claim", CLAIMS), ("order", ORDERS)):
        drawing = Drawing(key, [Step("Charge", "charge-card")])
        asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        for index in range(number):
            variables = {"amount": {"value": index, "type": "Integer"}}
            asked(http, "POST", f"/process-definition/key/{key}/start", json={"variables": variables})
    topic = {"topicName": "charge-card", "lockDuration": 60_000}
    fetch = {"workerId": "w", "maxTasks": 1000, "topics": [topic]}
    failure = {"workerId": "w", "errorMessage": "HTTP 503", "retries": 0, "retryTimeout": 0}
    for task in asked(http, "POST", "/external-task/fetchAndLock", json=fetch):
        asked(http, "POST", f"/external-task/{task['id']}/failure", json=failure)


def retries(http: httpx.Client) -> dict[str, list[int | None]]:
    """Retries of the tasks by the key of their process."""
    found: dict[str, list[int | None]] = {}
    for task in asked(http, "GET", "/external-task", params={"maxResults": 1000}):
        found.setdefault(task["processDefinitionKey"], []).append(task["retries"])
    return found


@contextmanager
def console(folder: Path, http: httpx.Client, columns: int = 100, rows: int = 30) -> Iterator[Terminal]:
    """The console on an engine that is for tests."""
    home = folder / "home"
    home.mkdir()
    command = [sys.executable, "-m", "retriage.console", "--engine", str(http.base_url), "--env", "TEST"]
    environment = {"RETRIAGE_HOME": str(home), "TMPDIR": str(folder)}
    login = getattr(http, "auth", None)
    if login is not None:
        command += ["--user", "ann"]
        environment["RETRIAGE_PASSWORD"] = "s3:cret"
    with Terminal(command, columns, rows, environment) as terminal:
        yield terminal


def open_launch(terminal: Terminal) -> None:
    """The launch of all tasks of the process ``claim``."""
    terminal.wait_for("charge-card")
    terminal.press("/")
    terminal.type("process:claim retries:0")
    terminal.press("\r")
    terminal.wait(lambda: re.search(rf"\b{CLAIMS} (of {CLAIMS + ORDERS}|match)", terminal.text), "not filtered")
    terminal.press("A")
    terminal.wait_for(f"all {CLAIMS}")
    terminal.press("R")
    terminal.wait_for(f"Retry {CLAIMS} tasks")


def launch(terminal: Terminal, number: int) -> None:
    """Launch what the dialog shows; a key that comes before it could be read does nothing and is pressed again."""
    title = f"Retry {number} tasks"
    terminal.wait_for(title)

    def gone() -> bool:
        if title in terminal.text:
            terminal.press("L")
            terminal.read_for(0.6)
        return title not in terminal.text

    terminal.wait(gone, "the dialog does not launch")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [OLD_STORE, *REAL])
def test_exactly_the_tasks_of_the_filter_are_retried(kind: camunda.EngineKind | None, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        world(http)
        assert retries(http) == {"claim": [0] * CLAIMS, "order": [0] * ORDERS}
        with console(tmp_path, http) as terminal:
            open_launch(terminal)
            launch(terminal, CLAIMS)
            terminal.wait_for(f"launched: {CLAIMS} jobs")
            terminal.press("4")
            terminal.wait(lambda: 0 not in retries(http)["claim"], "the tasks of claim are not set")
        assert retries(http) == {"claim": [1] * CLAIMS, "order": [0] * ORDERS}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", REAL)
def test_where_no_history_is_kept_that_is_said_before_and_an_ended_batch_is_not_gone(
    kind: camunda.EngineKind, tmp_path: Path
) -> None:
    with engine(kind, tmp_path, history_level="none") as http:
        world(http)
        with console(tmp_path, http) as terminal:
            open_launch(terminal)
            terminal.wait_for("History level none: the engine")
            launch(terminal, CLAIMS)
            terminal.wait_for(f"launched: {CLAIMS} jobs")
            terminal.wait(lambda: not asked(http, "GET", "/batch"), "the batch does not end")
            terminal.press("4")
            terminal.wait(lambda: re.search(r"❯ +ended ", terminal.text), "the ended batch is not listed as ended")
            assert "gone" not in terminal.text
        assert retries(http) == {"claim": [1] * CLAIMS, "order": [0] * ORDERS}
