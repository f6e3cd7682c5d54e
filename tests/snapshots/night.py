"""The engine of a bad night: the same records every time, with ids as Camunda makes them."""

import asyncio
from datetime import timedelta
from functools import cache
from typing import Any

from retriage.console.engine.identity import CAMUNDA, Identity
from retriage.store.contract.records import BatchStatistics, ExternalTask, HistoricBatch, Incident, Job, ProcessInstance
from tests.console import fake
from tests.snapshots.stopped import MOMENT

MESSAGES = {
    0: "HTTP 503 from psp: upstream connect error or disconnect/reset before headers, retry after {n} ms",
    1: "card {n} expired",
    2: "SMTP 421 4.7.{n} Service not available, closing transmission channel",
    3: "timeout after {n} ms waiting for stock-service",
    4: "HTTP 503 from psp: upstream connect error or disconnect/reset before headers, retry after {n} ms",
}
TENANTS = ("shop-eu", "shop-us", None)
RUNNING, FAILED, ENDED = (f"{head}-1f5e-11f1-9c3a-0242ac120002" for head in ("6e0b9d10", "69d2f3a5", "64c7a8e2"))
"""Ids of the batches."""


def uuid(index: int, kind: int = 0) -> str:
    """A time-based id: all of one engine end alike."""
    return f"{0x5F1C1A1E + index * 7919 + kind * 0x01010101:08x}-1f5e-11f1-9c3a-0242ac120002"


@cache
def _made(index: int) -> ExternalTask:
    """The task of this index without its lock; all pictures are taken at the same moment."""
    one = fake.task(index)
    message = MESSAGES[index % 7 % 5].format(n=index * 37 % 9000)
    return one.model_copy(update={
        "id": uuid(index),
        "process_instance_id": uuid(index, 1),
        "create_time": MOMENT - timedelta(hours=3) + timedelta(seconds=8 * index),
        "error_message": message if one.error_message is not None else None,
        "tenant_id": TENANTS[index % 3],
        "process_definition_id": f"OrderProcess:{13 + index % 2}:4b1f0c77-1f5e-11f1-9c3a-0242ac120002",
        "lock_expiration_time": None,
    })  # fmt: skip


class Night(fake.FakeEngine):
    """The fake engine with records that look like those of a shop."""

    def __init__(self, tasks: int = 1240) -> None:
        super().__init__(tasks)
        self.records = [self.made(index) for index in range(tasks)]
        self.held_back: set[str] = set()
        """Names of questions that are never answered."""

    def made(self, index: int) -> ExternalTask:
        """The task of this index."""
        one = _made(index)
        locked = fake.task(index).lock_expiration_time
        return one if locked is None else one.model_copy(update={"lock_expiration_time": locked})

    def _one(self, index: int) -> ExternalTask:
        return self.records[index]

    async def _hold(self, question: str) -> None:
        if question in self.held_back:
            await asyncio.Event().wait()

    async def identity(self) -> Identity:
        await self._wait()
        return Identity(CAMUNDA, "7.24.0", "default", "")

    async def external_tasks(self, query: Any, first: int, size: int) -> list[ExternalTask]:
        await self._hold("external_tasks")
        return await super().external_tasks(query, first, size)

    async def count_external_tasks(self, query: Any) -> int:
        await self._hold("count_external_tasks")
        return await super().count_external_tasks(query)

    def _failed(self) -> list[Incident]:
        return [fake.incident(one) for one in self.records if one.retries == 0]

    async def process_instances(self, query: Any, first: int, size: int) -> list[ProcessInstance]:
        await self._wait()
        there = {one.process_instance_id: at for at, one in enumerate(self.records)}
        wanted = query.process_instance_ids or list(there)
        found = [self.records[there[id]] for id in wanted if id in there]
        found = [one for one in found if not query.with_incident or one.retries == 0]
        return [
            fake.instance(one).model_copy(
                update={
                    "tenant_id": TENANTS[there[one.process_instance_id] % 3],
                    "suspended": there[one.process_instance_id] % 11 == 6,
                }
            )
            for one in found[first : first + size]
        ]


def failed_jobs(number: int = 34) -> list[Job]:
    """Jobs that have no retries left, of a few causes."""
    causes = (
        "Cannot find external task with id {id}: externalTask is null",
        "ENGINE-03005 Execution of 'UPDATE ExternalTaskEntity[{id}]' failed. Entity was updated by another transaction "
        "concurrently.",
        "Cannot set retries of external task {id}: the connection pool of the engine has been shut down",
    )
    return [
        fake.job(uuid(at, 5), message=causes[(at % 10 > 6) + (at % 10 > 8)].format(id=uuid(at))).model_copy(
            update={
                "batch_id": FAILED,
                "job_definition_id": FAILED,
                "create_time": MOMENT - timedelta(minutes=38, seconds=at),
            }
        )
        for at in range(number)
    ]


def batch(id: str, total: int, created: int, completed: int, failed: int, minutes: int) -> BatchStatistics:
    """A running batch that began so many minutes ago."""
    return fake.statistics(id, total, created, completed, failed).model_copy(
        update={
            "start_time": MOMENT - timedelta(minutes=minutes),
            "create_user_id": "ann",
            "batch_job_definition_id": id,
        }
    )


def with_batches(tasks: int = 1240) -> Night:
    """A night with a batch that runs and one that only failed jobs keep open."""
    engine = Night(tasks)
    engine.running[RUNNING] = batch(RUNNING, 4740, 4740, 2105, 0, 4)
    engine.running[FAILED] = batch(FAILED, 1200, 1200, 1166, 34, 41)
    engine.all_jobs = failed_jobs()
    return engine


def ended() -> HistoricBatch:
    """A batch that is in the history."""
    before = batch(ENDED, 512, 512, 512, 0, 75)
    fields = {name: getattr(before, name) for name in HistoricBatch.model_fields if hasattr(before, name)}
    return HistoricBatch(**(fields | {"end_time": MOMENT - timedelta(minutes=71)}))
