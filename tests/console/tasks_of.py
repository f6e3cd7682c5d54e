"""A handful of tasks that answers questions by the engine's rules, to compare a survey with."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from retriage.store.contract.history import HistoricActivityInstance, HistoricExternalTaskLog
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask, Incident

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def task(
    id: str, retries: int | None = 0, *, locked: bool = False, suspended: bool = False, topic: str = "a"
) -> ExternalTask:
    """A task."""
    lock = NOW + timedelta(minutes=5) if locked else None
    named = dict.fromkeys(ExternalTask.model_fields, "") | {"create_time": None, "priority": 0}
    return ExternalTask.model_validate(
        {
            **named,
            "id": id,
            "retries": retries,
            "lock_expiration_time": lock,
            "suspended": suspended,
            "topic_name": topic,
        }
    )


def matches(task: ExternalTask, query: ExternalTaskQuery) -> bool:
    """The engine's conditions, for the filters that surveys use."""
    locked = task.lock_expiration_time is not None and task.lock_expiration_time > NOW
    left = task.retries is None or task.retries > 0
    return (
        (not query.external_task_id_in or task.id in query.external_task_id_in)
        and (query.topic_name is None or task.topic_name == query.topic_name)
        and (not query.locked or locked)
        and (not query.not_locked or not locked)
        and _wins(query.no_retries_left, task.retries == 0, query.with_retries_left, left)
        and _wins(query.suspended, task.suspended, query.active, not task.suspended)
    )


def _wins(first: bool | None, holds: bool, second: bool | None, holds_too: bool) -> bool:
    return holds if first else holds_too if second else True


class Tasks:
    """Plays the engine's two questions and keeps what was asked."""

    def __init__(self, tasks: Iterable[ExternalTask]) -> None:
        self.tasks = list(tasks)
        self.asked: list[ExternalTaskQuery] = []
        self.pages = 0

    def engine_now(self) -> datetime:
        return NOW

    async def external_task_log(self, query: object, first: int, size: int) -> list[HistoricExternalTaskLog]:
        return []

    async def historic_activity_instances(self, query: object, first: int, size: int) -> list[HistoricActivityInstance]:
        return []

    async def incidents(self, query: object, first: int, size: int) -> list[Incident]:
        return []

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        self.asked.append(query)
        return sum(matches(task, query) for task in self.tasks)

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        self.pages += 1
        found = sorted((task for task in self.tasks if matches(task, query)), key=lambda task: task.id)
        return found[first : first + size]

    @contextmanager
    def losing(self, gone: Iterator[list[str]]) -> Iterator[None]:
        """Some tasks vanish after every page."""
        answer = self.external_tasks

        async def and_lose(query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
            page = await answer(query, first, size)
            lost = set(next(gone, []))
            self.tasks = [task for task in self.tasks if task.id not in lost]
            return page

        self.external_tasks = and_lose  # type: ignore[method-assign]
        yield
        self.external_tasks = answer  # type: ignore[method-assign]
