"""Everybody else of a night: workers behind a provider that stalls, other hands, and who reads the engine's records.

Each writes into the books what it did to which task, and when.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

import httpx

from tests.acceptance.truth_books import Books, Deed, Sight

OUTAGE, EXPIRED = "HTTP 503 from psp", "card expired"
WORKER, OTHER = "payments", "slow-worker"
LOCK = 3_600_000
"""Milliseconds for which workers lock tasks."""


@dataclass(frozen=True)
class Fate:
    """What a worker makes of a task: after so many seconds it completes it, or reports a failure."""

    seconds: float
    error: str = ""
    retries: int = 0
    retry_time: int = 0
    """Milliseconds."""


class Crew:
    """The people and programs around an engine.

    Args:
        http: the engine, with a login that may do everything.
        books: where they write.
        ahead: seconds by which the engine's clock is ahead of this machine's.
        fates: topic -> what becomes of a task by its number and by how often it was taken. Others have no workers.
    """

    def __init__(
        self, http: httpx.Client, books: Books, ahead: float, fates: dict[str, Callable[[int, int], Fate]]
    ) -> None:
        self.http = http
        self.books = books
        self.ahead = ahead
        self.fates = fates
        self.numbers: dict[str, int] = {}
        """Task -> its number."""
        self.instances: dict[str, str] = {}
        """Task -> its process instance."""
        self.topics: dict[str, str] = {}
        """Task -> its topic."""
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(2, "crew")
        self._at_work: list[Any] = []

    def ask(self, method: str, path: str, **what: Any) -> Any:
        """What the engine answers."""
        answer = self.http.request(method, path, **what)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def begin(self) -> None:
        """They come to work."""
        self._at_work = [self._pool.submit(self._work), self._pool.submit(self._watch)]

    def go_home(self) -> None:
        """They end; raises what went wrong."""
        self._ending.set()
        try:
            for one in self._at_work:
                one.result(timeout=60)
        finally:
            self._pool.shutdown()

    # -- the engine's records ---------------------------------------------------------------------------------------

    def records(self) -> dict[str, dict[str, Any]]:
        """All external tasks by id."""
        return {one["id"]: one for one in self.ask("GET", "/external-task", params={"maxResults": 100_000})}

    def _watch(self) -> None:
        while not self._ending.is_set():
            begin = time.time()
            records = self.records()
            tasks = {id: (one["retries"], self._expiry(one["lockExpirationTime"])) for id, one in records.items()}
            self.books.see(Sight(begin, time.time(), tasks))
            # A quarter of the time at most is spent on looking, however slow the engine is.
            self._ending.wait(max(0.25, 3 * (time.time() - begin)))

    def _expiry(self, text: str | None) -> float:
        return self.moment(text) if text else 0.0

    def moment(self, text: str) -> float:
        """A time by the engine's clock as one by this machine's."""
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() - self.ahead

    # -- workers ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        due: list[tuple[float, str, Fate]] = []
        attempts: dict[str, int] = {}
        topics = [{"topicName": name, "lockDuration": LOCK, "variables": []} for name in self.fates]
        fetched, pause = 0.0, 0.15
        while not self._ending.is_set():
            while due and due[0][0] <= time.time():
                _, id, fate = heappop(due)
                self._finish(id, fate)
            if time.time() - fetched < pause:
                self._ending.wait(0.02)
                continue
            fetched = begin = time.time()
            body = {"workerId": WORKER, "maxTasks": 20, "topics": topics}
            got, end = self.ask("POST", "/external-task/fetchAndLock", json=body), time.time()
            pause = max(0.15, 3 * (end - begin))
            for task in got:
                id = task["id"]
                self.books.write(id, Deed(begin, end, "take"))
                fate = self.fates[task["topicName"]](self.numbers[id], attempts.get(id, 0))
                attempts[id] = attempts.get(id, 0) + 1
                heappush(due, (time.time() + fate.seconds, id, fate))

    def _finish(self, id: str, fate: Fate) -> None:
        begin = time.time()
        if not fate.error:
            self.ask("POST", f"/external-task/{id}/complete", json={"workerId": WORKER})
            self.books.write(id, Deed(begin, time.time(), "complete"))
            return
        failure = {"errorMessage": fate.error, "retries": fate.retries, "retryTimeout": fate.retry_time}
        self.ask("POST", f"/external-task/{id}/failure", json={"workerId": WORKER, **failure})
        self.books.write(id, Deed(begin, time.time(), "fail", fate.error))

    # -- before the night -------------------------------------------------------------------------------------------

    def fill(self, topics: dict[str, tuple[int, int]]) -> None:
        """An outage: so many tasks of each topic have failed and have no retries left, with so many milliseconds of
        retry time."""
        fetch = []
        for topic, (number, _) in topics.items():
            for at in range(number):
                self.ask("POST", f"/process-definition/key/{topic}/start", json={"businessKey": f"{topic}-{at}"})
            fetch.append({"topicName": topic, "lockDuration": LOCK, "variables": []})
        while got := self.ask(
            "POST", "/external-task/fetchAndLock", json={"workerId": WORKER, "maxTasks": 500, "topics": fetch}
        ):
            for task in got:
                id, number = task["id"], int(task["businessKey"].rpartition("-")[2])
                self.numbers[id], self.instances[id] = number, task["processInstanceId"]
                self.topics[id] = task["topicName"]
                said = {"errorMessage": f"{OUTAGE}: request {number}", "retries": 0}
                retry_time = {"retryTimeout": topics[task["topicName"]][1]}
                self.ask("POST", f"/external-task/{id}/failure", json={"workerId": WORKER, **said, **retry_time})

    # -- other hands ------------------------------------------------------------------------------------------------

    def _deed(self, id: str, what: str, method: str, path: str, body: Any = None) -> None:
        begin = time.time()
        self.ask(method, path, **({} if body is None else {"json": body}))
        self.books.write(id, Deed(begin, time.time(), what))

    def set_back(self, ids: Iterable[str]) -> None:
        """Somebody takes the retries of tasks away by hand."""
        for id in ids:
            self._deed(id, "change", "PUT", f"/external-task/{id}/retries", {"retries": 0})

    def cancel(self, ids: Iterable[str]) -> None:
        """Somebody deletes the instances of tasks."""
        for id in ids:
            self._deed(id, "cancel", "DELETE", f"/process-instance/{self.instances[id]}")

    def suspend(self, ids: Iterable[str]) -> None:
        """Somebody suspends the instances of tasks."""
        for id in ids:
            path = f"/process-instance/{self.instances[id]}/suspended"
            self._deed(id, "suspend", "PUT", path, {"suspended": True})

    def lock(self, ids: Iterable[str]) -> None:
        """A worker takes tasks and keeps them."""
        for id in ids:
            body = {"workerId": OTHER, "lockDuration": LOCK}
            self._deed(id, "take", "POST", f"/external-task/{id}/lock", body)

    def unlock(self, ids: Iterable[str]) -> None:
        """Somebody takes the retry time off tasks."""
        for id in ids:
            self._deed(id, "unlock", "POST", f"/external-task/{id}/unlock", {})

    def batch_over(self, number: int, patience: float = 60.0) -> str | None:
        """The running batch of so many jobs, suspended as soon as it is there; nothing if it ended before."""
        deadline = time.time() + patience
        while time.time() < deadline and not self._ending.is_set():
            found = [one["id"] for one in self.ask("GET", "/batch") if one["totalJobs"] == number]
            if found:
                answer = self.http.put(f"/batch/{found[0]}/suspended", json={"suspended": True})
                return found[0] if answer.is_success else None
            time.sleep(0.02)
        return None
