"""A server that is told to end does so, whatever it is asked meanwhile."""

import signal
import sys
import threading
import time
from pathlib import Path

import httpx

from retriage.store.settings import StoreSettings
from tests.engines.processes import free_port, serving

PROGRAM = """
from retriage.store.queries import listing
from retriage.store.server import serve
from tests.store.test_limits import endless


async def asked(connection, *_):
    print("asked", flush=True)
    return await endless(connection)


listing.count_of = asked
serve({store!r}, "127.0.0.1", {port})
"""
READERS = StoreSettings.model_fields["readers"].default
WITHIN = 100.0
"""Seconds that nobody should have to wait; the questions may take six times as long."""


def test_questions_without_an_end_keep_no_server_up(tmp_path: Path) -> None:
    """Those who ask stay connected; each reader is at work, and more questions wait for one."""
    port = free_port()
    root = f"http://127.0.0.1:{port}/engine-rest"
    program = PROGRAM.format(store=str(tmp_path / "store.db"), port=port)
    command = ["env", "RETRIAGE_QUESTION_SECONDS=600", sys.executable, "-c", program]
    log = tmp_path / "serve.log"
    answers: list[tuple[int, str]] = []
    sent: list[object] = []

    def trace(what: str, _: object) -> None:
        if what == "http11.send_request_body.complete":
            sent.append(what)

    def ask() -> None:
        with httpx.Client(timeout=600, trust_env=False) as http:
            answer = http.get(f"{root}/external-task/count", extensions={"trace": trace})
        answers.append((answer.status_code, answer.json()["message"]))

    with serving(command, f"{root}/engine", log, within=60) as process:
        asking = [threading.Thread(target=ask, daemon=True) for _ in range(READERS + 2)]
        for thread in asking:
            thread.start()
        deadline = time.monotonic() + WITHIN
        while log.read_text("utf-8").count("asked") < READERS or len(sent) < READERS + 2:
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)
        # What came before this is known to the server when this is answered.
        assert httpx.get(f"{root}/engine", timeout=WITHIN, trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=WITHIN)
        for thread in asking:
            thread.join(timeout=WITHIN)
    assert answers == [(503, "The server was stopped before it could answer.")] * (READERS + 2)
    assert "Traceback" not in log.read_text("utf-8")
