"""A model of an engine in memory: tasks, batches of ids, a worker, the log; and all that can go wrong with it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from retriage.console.engine.answers import read_json
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.errors import Unanswered, Unreachable
from retriage.console.engine.hold import Hold
from retriage.store.contract.history import HistoricExternalTaskLog
from retriage.store.contract.records import Batch, BatchStatistics, ExternalTask, HistoricBatch
from tests.console import logs
from tests.console.fake import statistics, task

OUTAGE = "HTTP 503 from psp"
LOST = "An answer was lost."


class Killed(BaseException):
    """The process is gone: nothing of it is carried out any more."""


@dataclass
class Order:
    """An order that the engine has carried out."""

    id: str
    ids: list[str]
    retries: int
    at: datetime
    left: list[str]


@dataclass
class ModelEngine:
    """Answers the questions that a run asks.

    Attributes:
        now: its clock.
        gone: so many questions and orders find nobody.
        lose: what happens to the next orders: ``before`` they arrive, or ``after`` they were carried out.
        stuck: nobody works.
        failing: every so many-th task fails again; 0 for none.
        kill: the process is killed at the order that comes next, ``before`` or ``after`` it is carried out.
    """

    now: datetime = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    gone: int = 0
    lose: list[str] = field(default_factory=list)
    stuck: bool = False
    failing: int = 0
    kill: str = ""
    user: str = ""
    answers: int = 0
    round_trip: float = 0.0

    def __post_init__(self) -> None:
        self.hold = Hold()
        self.tasks: dict[str, ExternalTask] = {}
        self.log: list[HistoricExternalTaskLog] = []
        self.orders: list[Order] = []
        self.seen: Counter[str] = Counter()
        self._before = self._long_ago()

    def _long_ago(self) -> HistoricBatch:
        record = statistics("long-ago", 5, 5, 5).model_dump()
        fields = {name: record[name] for name in HistoricBatch.model_fields if name in record}
        at = self.now - timedelta(days=1)
        return HistoricBatch(**(fields | {"start_time": at, "end_time": at}))

    def fill(self, number: int) -> list[str]:
        """So many tasks that have failed for good."""
        for index in range(number):
            one = task(index).model_copy(
                update={
                    "retries": 0, "error_message": OUTAGE, "lock_expiration_time": None, "suspended": False,
                    "create_time": self.now - timedelta(hours=3, seconds=-index),
                }
            )  # fmt: skip
            self.tasks[one.id] = one
            self.log.append(logs.task_entry(one, "failure", self.now - timedelta(hours=1), message=OUTAGE))
        return list(self.tasks)

    @property
    def set_twice(self) -> list[str]:
        """Tasks that were in more than one order that the engine has carried out."""
        named = Counter(id for order in self.orders for id in order.ids)
        return [id for id, number in named.items() if number > 1]

    # -- time goes on

    def turn(self, seconds: float) -> None:
        """Jobs are carried out, and the worker does its work."""
        self.now += timedelta(seconds=seconds)
        for order in self.orders:
            some, order.left = order.left[:20], order.left[20:]
            for id in some:
                if id in self.tasks:
                    self.tasks[id] = self.tasks[id].model_copy(update={"retries": order.retries})
        if self.stuck:
            return
        for id, one in list(self.tasks.items()):
            if one.retries:
                self.seen[id] += 1
                if self.failing and int(id[-4:]) % self.failing == 0 and self.seen[id] == 1:
                    left = one.retries - 1
                    self.tasks[id] = one.model_copy(update={"retries": left})
                    self.log.append(logs.task_entry(self.tasks[id], "failure", self.now, message=OUTAGE))
                else:
                    self.log.append(logs.task_entry(one, "success", self.now))
                    del self.tasks[id]

    # -- what a client is asked

    def guard_orders(self, why_not: Any) -> None: ...

    def engine_now(self) -> datetime:
        return self.now

    async def check_clock(self, *, anew: bool = False) -> None:
        """Its clock is known."""

    def _asked(self) -> None:
        if self.gone:
            self.gone -= 1
            raise Unreachable("The engine cannot be reached.")
        self.answers += 1

    async def external_tasks(self, query: Any, first: int, size: int) -> list[ExternalTask]:
        self._asked()
        wanted = query.external_task_id_in
        found = sorted(id for id in self.tasks if wanted is None or id in set(wanted))
        return [self.tasks[id] for id in found][first : first + size]

    async def external_task_log(self, query: Any, first: int, size: int) -> list[HistoricExternalTaskLog]:
        self._asked()
        wanted = query.activity_instance_id_in
        found = [
            one
            for one in self.log
            if logs.happened(one, query) and (wanted is None or one.activity_instance_id in set(wanted))
        ]
        return logs.ordered(found, query)[first : first + size]

    async def incidents(self, query: Any, first: int, size: int) -> list[Any]:
        self._asked()
        return []

    async def historic_activity_instances(self, query: Any, first: int, size: int) -> list[Any]:
        self._asked()
        return []

    def _statistics(self, order: Order) -> BatchStatistics:
        done = len(order.ids) - len(order.left)
        batch = statistics(order.id, len(order.ids), len(order.ids), done)
        return batch.model_copy(update={"start_time": order.at})

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        self._asked()
        alive = [order for order in self.orders if order.left or order.at > self.now - timedelta(seconds=5)]
        found = [self._statistics(one) for one in reversed(alive) if query.batch_id in (None, one.id)]
        return found[first : first + size]

    async def historic_batches(self, query: Any, first: int, size: int) -> list[HistoricBatch]:
        self._asked()
        found: list[HistoricBatch] = []
        for order in reversed(self.orders):
            record = self._statistics(order).model_dump()
            fields = {name: record[name] for name in HistoricBatch.model_fields if name in record}
            found.append(HistoricBatch(**(fields | {"end_time": None if order.left else order.at})))
        return [*found, self._before][first : first + size]

    async def historic_batch(self, batch_id: str) -> HistoricBatch:
        self._asked()
        return next(one for one in await self.historic_batches(None, 0, 10_000) if one.id == batch_id)

    async def job_log(self, query: Any, first: int, size: int) -> list[Any]:
        self._asked()
        return []

    async def count_job_log(self, query: Any) -> int:
        self._asked()
        return 0

    async def count_historic_batches(self, query: Any) -> int:
        self._asked()
        return 1 + len(self.orders)

    async def user_operations(self, query: Any, first: int, size: int) -> list[Any]:
        self._asked()
        return []

    async def launch_batch(self, request: BatchRequest) -> Batch:
        if self.kill == "before":
            raise Killed
        self._asked()
        lose = self.lose.pop(0) if self.lose else ""
        if lose == "before":
            raise Unanswered(LOST, "launch of the batch", self.now)
        body = read_json(request.body)
        ids = body["externalTaskIds"]
        order = Order(f"b-{len(self.orders):04d}", ids, body["retries"], self.now, list(ids))
        self.orders.append(order)
        if self.kill == "after":
            raise Killed
        if lose == "after":
            raise Unanswered(LOST, "launch of the batch", self.now)
        return self._statistics(order)
