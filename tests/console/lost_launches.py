"""An engine in memory for launches that were not answered: its batches, what users did, what became of the tasks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from retriage.console.engine.answers import UNKNOWN_TIME
from retriage.console.engine.errors import NotThere, Refused
from retriage.console.launch.find_batch import SoughtLaunch
from retriage.console.operations.retry import SetRetries
from retriage.store.contract.history import HistoricExternalTaskLog
from retriage.store.contract.operations import UserOperation
from retriage.store.contract.records import BatchStatistics, ExternalTask, HistoricBatch
from tests.console import logs
from tests.console.fake import statistics, task

SENT = datetime(2026, 3, 1, 2, 10, 3, tzinfo=UTC)
NAMES = [task(index).id for index in range(3)]
"""Three tasks that had no retries before they were launched."""


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def sought(**other: Any) -> SoughtLaunch:
    values: dict[str, Any] = {
        "number": 7, "operation": SetRetries(3), "tasks": 3, "exact": True, "sent_at": SENT,
        "sample": tuple((name, 0) for name in NAMES),
    }  # fmt: skip
    return SoughtLaunch(**(values | other))


class LostLaunchEngine:
    """Answers the questions that looking for a batch asks."""

    def __init__(self, now: datetime | None = None, *, history: bool = True, sorts: bool = True) -> None:
        self.now = now or SENT + seconds(4)
        self.history = history
        self.sorts = sorts
        self.log = True
        """It keeps a log of external tasks."""
        self.running: list[BatchStatistics] = []
        self.ended: list[HistoricBatch] = []
        self.operations: list[UserOperation] = []
        self.retries: dict[str, int | None] = dict.fromkeys(NAMES, 0)
        self.failures: list[HistoricExternalTaskLog] = []
        self.asked: list[str] = []
        if history:
            self.end("long ago", 5, -86400)

    def run(self, id: str, jobs: int = 3, after: float = 1, done: int = 0, **other: Any) -> BatchStatistics:
        """A batch runs."""
        changes = {"start_time": SENT + seconds(after), **other}
        batch = statistics(id, jobs, jobs, done).model_copy(update=changes)
        self.running.append(batch)
        return batch

    def end(self, id: str, jobs: int = 3, after: float = 1, **other: Any) -> None:
        """A batch has ended; nothing is left of it where history is not kept."""
        if not self.history:
            return
        record = statistics(id, jobs).model_dump() | {"start_time": SENT + seconds(after), **other}
        fields = {name: record[name] for name in HistoricBatch.model_fields if name in record}
        self.ended.append(HistoricBatch(**(fields | {"end_time": SENT + seconds(after + 2)})))

    def order(self, user: str, retries: int, after: float = 1) -> None:
        """The user operation log tells of a launch."""
        self.operations.append(
            UserOperation(
                id=f"{user}-{retries}",
                user_id=user,
                timestamp=SENT + seconds(after),
                operation_id="o",
                operation_type="SetExternalTaskRetries",
                entity_type="ExternalTask",
                property="retries",
                new_value=str(retries),
            )
        )

    def fail(self, index: int, left: int) -> None:
        """A worker has failed a task after the launch."""
        self.retries[NAMES[index]] = left
        self.failures.append(logs.task_entry(task(index), "failure", SENT + seconds(3), message="no"))

    # -- what it is asked

    def engine_now(self) -> datetime:
        return self.now

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        self.asked.append("batches")
        assert query.type == "set-external-task-retries"
        if query.sorting and not self.sorts:
            raise Refused("no", 400, "InvalidRequestException", "Cannot set query parameter 'sortBy'")
        shown = sorted(self.running, key=lambda batch: batch.start_time, reverse=True)
        if not self.sorts:
            shown = [batch.model_copy(update={"start_time": UNKNOWN_TIME}) for batch in shown]
        return shown[first : first + size]

    async def historic_batches(self, query: Any, first: int, size: int) -> list[HistoricBatch]:
        self.asked.append("history")
        if not self.history:
            return []
        alive = [
            HistoricBatch(**{name: getattr(batch, name) for name in HistoricBatch.model_fields if hasattr(batch, name)},
                          end_time=None)
            for batch in self.running
        ]  # fmt: skip
        found = sorted([*alive, *self.ended], key=lambda batch: batch.start_time, reverse=True)
        return found[first : first + size]

    async def count_historic_batches(self, query: Any) -> int:
        return len(self.ended)

    async def user_operations(self, query: Any, first: int, size: int) -> list[UserOperation]:
        self.asked.append("operations")
        return self.operations

    async def external_tasks(self, query: Any, first: int, size: int) -> list[ExternalTask]:
        self.asked.append("tasks")
        there = [index for index, name in enumerate(NAMES) if name in query.external_task_id_in]
        expiries = {one.activity_instance_id: one.timestamp for one in self.failures}
        tasks = [task(index) for index in there if NAMES[index] in self.retries]
        return [
            one.model_copy(
                update={
                    "retries": self.retries[one.id],
                    "lock_expiration_time": expiries.get(one.activity_instance_id),
                }
            )
            for one in tasks
        ]

    async def external_task_log(self, query: Any, first: int, size: int) -> Sequence[HistoricExternalTaskLog]:
        if not self.log:
            raise NotThere("It is not there.", 404, "NotFoundException")
        return [one for one in self.failures if one.activity_instance_id in query.activity_instance_id_in]
