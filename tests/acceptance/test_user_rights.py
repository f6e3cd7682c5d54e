"""A user of a real engine with authorization on: what the terminal says of what he may not, before it is tried."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_old_engine import CLAIMS, ORDERS, asked, launch, open_launch, retries, world
from tests.engines import camunda
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

ANN, BOSS = ("ann", "se:cret"), ("boss", "b0ss")
BATCH, DEFINITION, INSTANCE = 13, 6, 8
KINDS = [pytest.param(kind, id=kind.name) for kind in (camunda.REFERENCE, camunda.OPERATON, camunda.OLD)]


@contextmanager
def engine(kind: camunda.EngineKind, folder: Path) -> Iterator[httpx.Client]:
    """A fresh engine that asks for rights, as its administrator sees it; ann has none yet."""
    if why := camunda.what_is_missing(configured=True, kind=kind):
        pytest.skip(why)
    options = {
        **camunda.EAGER, **camunda.guarded(ANN), "camunda.bpm.authorization.enabled": "true",
        "camunda.bpm.admin-user.id": BOSS[0], "camunda.bpm.admin-user.password": BOSS[1],
    }  # fmt: skip
    with (
        camunda.running(folder / "engine.log", options, kind=kind) as root,
        httpx.Client(base_url=root, auth=BOSS, timeout=60, trust_env=False) as http,
    ):
        yield http


def grant(http: httpx.Client, resource: int, *permissions: str) -> None:
    """Ann may do this with everything of a kind."""
    body = {"type": 1, "userId": ANN[0], "resourceId": "*", "resourceType": resource, "permissions": permissions}
    asked(http, "POST", "/authorization/create", json=body)


@contextmanager
def console(folder: Path, http: httpx.Client) -> Iterator[Terminal]:
    """Ann's console; what she may is found out when it connects."""
    options = ["--engine", str(http.base_url), "--user", ANN[0], "--env", "TEST"]
    environment = {"RETRIAGE_HOME": str(folder / "home"), "RETRIAGE_PASSWORD": ANN[1], "TMPDIR": str(folder)}
    with Terminal([sys.executable, "-m", "retriage.console", *options], 100, 30, environment) as terminal:
        yield terminal
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def planned(folder: Path, http: httpx.Client) -> subprocess.CompletedProcess[str]:
    """What a run of Ann's would do."""
    command = [sys.executable, "-m", "retriage.console", "run", "--engine", str(http.base_url), "--user", ANN[0]]
    words = ["--query", "retries:0", "--retries", "1", "--waves", "rest", "--dry-run"]
    environment = os.environ | {"RETRIAGE_HOME": str(folder / "home"), "RETRIAGE_PASSWORD": ANN[1]}
    return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=False)


def words(terminal: Terminal) -> str:
    """The screen as one line, however it was broken."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", terminal.text).split())


def says(terminal: Terminal, sentence: str) -> None:
    """Wait until a sentence stands on the screen, on however many lines."""
    terminal.wait(lambda: sentence in words(terminal), f"“{sentence}” did not come")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_user_may_not_is_said_before_it_is_tried(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        world(http)
        before = retries(http)
        with console(tmp_path, http) as terminal:
            says(terminal, "This user may not read all tasks: the engine shows only those it may.")
            terminal.press("4")
            says(terminal, "Batches cannot be read by this user (READ on Batch).")

        grant(http, INSTANCE, "READ", "UPDATE")
        # An engine shows empty lists of the history, and refuses none: the plan says beforehand what that hides.
        assert httpx.get(f"{http.base_url}history/external-task-log", auth=ANN, trust_env=False).json() == []
        plan = planned(tmp_path, http)
        assert plan.returncode == 0, plan.stderr
        lost = "may not read the history (READ_HISTORY on PROCESS_DEFINITION): how a task ended is not known."
        assert lost in " ".join(plan.stderr.split()), plan.stderr
        grant(http, DEFINITION, "READ", "READ_INSTANCE", "READ_HISTORY")
        with console(tmp_path, http) as terminal:
            open_launch(terminal)
            says(terminal, "This user has no right to create batches (CREATE on Batch)")
            for _ in range(3):
                terminal.press("L")
                terminal.read_for(0.7)
            assert f"Retry {CLAIMS} tasks" in terminal.text, "the dialog has launched"
            terminal.press("\x1b")
            terminal.quiet()
        assert asked(http, "GET", "/batch") == []
        assert retries(http) == before

        grant(http, BATCH, "CREATE")
        with console(tmp_path, http) as terminal:
            open_launch(terminal)
            says(terminal, "This user cannot read batches (READ on Batch): the batch will not be seen here")
            launch(terminal, CLAIMS)
            # That batches cannot be read may take its place within the same second.
            terminal.wait(lambda: f"launched: {CLAIMS} jobs".encode() in terminal.raw, "no batch was launched")
            terminal.wait(lambda: 0 not in retries(http)["claim"], "the tasks of claim are not set")
            terminal.press("4")
            says(terminal, "Batches cannot be read by this user (READ on Batch).")
        assert retries(http) == {"claim": [1] * CLAIMS, "order": [0] * ORDERS}
