"""One external task in full: what is known, and the error details its worker sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from console.actions import at
from console.screens.reading.screen import ReadingScreen
from console.screens.tasks.lookups import TaskLooks
from console.screens.tasks.subject import STATES, error_said, state_of
from console.session.session import Session
from console.text.inert import inert
from console.text.words import day
from console.widgets.bindings import bindings
from console.widgets.pane import Fact, Item

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.records import ExternalTask


class TaskDetail(TaskLooks, ReadingScreen):
    """A task with its error message and error details."""

    PLACES: ClassVar[tuple[str, ...]] = ("tasks", "task", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"tasks"}))
    VIEW = "tasks"
    HEADING = "What the worker said"

    def __init__(self, session: Session, task: ExternalTask) -> None:
        super().__init__(session, f"Task {inert(task.id)}", task.id)
        self._shown = task

    def task_in_hand(self) -> ExternalTask:
        """The task shown."""
        return self._shown

    def action_retry(self) -> None:
        """Launch a batch for this task."""
        from console.reading.selection import Marked
        from console.screens.launch.flow import open_launch

        open_launch(self.app, self.session, Marked(frozenset({self._shown.id}), "the task on the screen"))

    def facts(self) -> list[Item]:
        """Every field of the task; on a small screen the last ones do not fit."""
        task, now = self._shown, datetime.now(UTC)
        letter = state_of(task, now)
        meaning, ink = STATES[letter]
        fields: list[tuple[str, str | None]] = [
            ("topic", task.topic_name),
            ("key", task.business_key),
            ("retries", "never failed" if task.retries is None else str(task.retries)),
            ("worker", task.worker_id),
            ("lock", day(task.lock_expiration_time)),
            ("created", day(task.create_time)),
            ("activity", task.activity_id),
            ("process", task.process_definition_id),
            ("instance", task.process_instance_id),
            ("tenant", task.tenant_id),
            ("priority", str(task.priority)),
            ("execution", task.execution_id),
        ]
        items: list[Item] = [Fact("state", f"{letter}  {meaning}", ink, lines=3)]
        items += [Fact(label, inert(text), lines=2) for label, text in fields if text]
        return items

    async def text(self, client: EngineClient) -> str:
        """The message, then the details."""
        return await error_of(client, self._shown)


async def error_of(client: EngineClient, task: ExternalTask) -> str:
    """What the worker of a task said when it failed: the message, then the details."""
    if task.error_message is None and task.retries is None:
        return "This task has never failed."
    details = await client.error_details(task.id)
    message = task.error_message or error_said(task)
    if not details:
        return f"{message}\n\nThe worker sent no details."
    return details if details.startswith(message) else f"{message}\n\n{details}"
