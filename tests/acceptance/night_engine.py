"""The engine of the night: ``retriage serve`` as a process of its own that can be killed, and what it says by REST."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.engines.processes import free_port, serving

USER, PASSWORD = "ann", "s3:cret"
TOPIC = "charge-card"
OUTAGE = "HTTP 503 from psp"
"""Beginning of the message of the tasks that the operator retries."""
EXPIRED = "card expired"
"""What a few of them say when they fail once more."""

Record = dict[str, Any]


def _begin(connection: sqlite3.Connection, patience: float = 60.0) -> None:
    """Begin to write, in the first gap: SQLite's own waiting sleeps through the gaps of a runner that never rests."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            assert time.monotonic() < deadline, "no gap between two transactions"


class NightEngine:
    """A served store with one user.

    Args:
        store: the SQLite file.
        settings: variables of the server's environment.
        program: the module that serves it, with the arguments of ``retriage serve``.
        names: other names than its address that it answers to.
    """

    def __init__(
        self,
        store: Path,
        settings: Mapping[str, str] | None = None,
        program: str = "retriage.console",
        names: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._program = program
        self._settings = dict(settings or {})
        self._names = [word for name in names for word in ("--allow-host", name)]
        self._port = free_port()
        self._running = ExitStack()
        self.process: subprocess.Popen[bytes]
        self.root = f"http://127.0.0.1:{self._port}/engine-rest"
        self.http = httpx.Client(base_url=self.root, auth=(USER, PASSWORD), timeout=30, trust_env=False)
        self.hands = ThreadPoolExecutor(1, "worker")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "127.0.0.1", self._port

    def __enter__(self) -> "NightEngine":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self._running.close()
        self.hands.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Serve the store, at the same address every time."""
        variables = [f"{name}={value}" for name, value in self._settings.items()]
        serve = [sys.executable, "-m", self._program, "serve", "--port", str(self._port), "--store", str(self._store)]
        command = ["env", *variables, *serve, *self._names, "--user", f"{USER}:{PASSWORD}"]
        answer = f"http://{USER}:{PASSWORD}@127.0.0.1:{self._port}/engine-rest/version"
        log = self._store.with_suffix(".log")
        self.process = self._running.enter_context(serving(command, answer, log, within=90))

    def kill(self) -> None:
        """End the process as a power cut does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    # -- what it says -----------------------------------------------------------------------------------------------

    def get(self, path: str, **filters: str) -> Any:
        """The answer to a question."""
        answer = self.http.get(path, params=filters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, method: str, path: str, body: Record) -> Any:
        """Give an order; what it answers, if anything."""
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def tasks(self) -> dict[str, Record]:
        """All external tasks by id."""
        return {task["id"]: task for task in self.get("/external-task", maxResults="100000")}

    def incidents(self, message: str) -> list[Record]:
        """Open incidents whose message begins so."""
        return [one for one in self.get("/incident") if (one["incidentMessage"] or "").startswith(message)]

    def retries(self) -> dict[str, int | None]:
        """Retries of all tasks."""
        return {id: task["retries"] for id, task in self.tasks().items()}

    def batches(self) -> list[Record]:
        """Every batch that ever was."""
        return list(self.get("/history/batch"))

    def jobs_done(self) -> int:
        """Jobs that running batches have done."""
        return sum(one["completedJobs"] for one in self.get("/batch/statistics"))

    @contextmanager
    def holding_still(self) -> Iterator[None]:
        """Nothing can be written meanwhile, as on a disk that hangs; questions are answered."""
        other = sqlite3.connect(self._store, timeout=0, isolation_level=None)
        try:
            _begin(other)
            yield
        finally:
            other.close()

    # -- what others do ---------------------------------------------------------------------------------------------

    def lock(self, task_id: str, worker: str, seconds: int = 3600) -> None:
        """A worker holds a task."""
        self.order("POST", f"/external-task/{task_id}/lock", {"workerId": worker, "lockDuration": seconds * 1000})

    def fail_with_retry_time(self, task_id: str, worker: str, message: str, seconds: int = 3600) -> None:
        """A worker fails a task once more, and leaves it no retries but a retry time."""
        self.lock(task_id, worker)
        failure = {"workerId": worker, "errorMessage": message, "retries": 0, "retryTimeout": seconds * 1000}
        self.order("POST", f"/external-task/{task_id}/failure", failure)

    def complete(self, task_id: str, worker: str) -> None:
        """A worker has done a task."""
        self.order("POST", f"/external-task/{task_id}/complete", {"workerId": worker})

    def work(self, mine: set[str], failing: set[str]) -> "Future[None]":
        """A worker of the topic, in a thread of its own: it completes what it gets, but some of it fails.

        Args:
            mine: it ends when it has had all of these.
            failing: these fail for good, as cards that have expired.
        """
        return self.hands.submit(self._work, set(mine), failing)

    def _work(self, mine: set[str], failing: set[str]) -> None:
        worker = "payments-1"
        topic = {"topicName": TOPIC, "lockDuration": 60_000, "variables": []}
        fetch = {"workerId": worker, "maxTasks": 10, "asyncResponseTimeout": 2000, "topics": [topic]}
        while mine:
            for task in self.order("POST", "/external-task/fetchAndLock", fetch):
                if task["id"] in failing:
                    failure = {"workerId": worker, "errorMessage": EXPIRED, "retries": 0, "retryTimeout": 0}
                    self.order("POST", f"/external-task/{task['id']}/failure", failure)
                else:
                    self.complete(task["id"], worker)
                mine.discard(task["id"])
