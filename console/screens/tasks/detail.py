"""One external task in full: what is known, the error details its worker sent, and how often it has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.reading.selection import Marked
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.operations.dialog import open_for_tasks
from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.screens.task_states import STATES, state_of
from retriage.console.screens.tasks.error_text import attempts_of, error_of
from retriage.console.screens.tasks.verbs import TaskVerbs
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import day
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.pane import Fact, Item

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import ExternalTask


class TaskDetail(ReadingScreen):
    """A task with its error message, its error details and its failures."""

    PLACES: ClassVar[tuple[str, ...]] = ("tasks", "task", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"tasks", "task"}))
    VIEW = "tasks"
    HEADING = "What the worker said"

    def __init__(self, session: Session, task: ExternalTask) -> None:
        super().__init__(session, f"Task {inert(task.id)}", task.id, self.text)
        self._shown = task
        self.attach(TaskVerbs(self, lambda: self._shown, lambda: Marked(frozenset({self._shown.id}))))

    def action_retry(self) -> None:
        """Launch a batch for this task."""
        open_launch(self.app, self.session, self._chosen)

    def action_fix(self) -> None:
        """Set a variable of the instance of this task, and retry it."""
        open_for_tasks(self, "fix", self._chosen, lambda: None)

    def action_skip(self) -> None:
        """Let the instance of this task go on behind its activity."""
        open_for_tasks(self, "skip", self._chosen, lambda: None)

    def action_repeat(self) -> None:
        """Begin the activity of this task anew."""
        open_for_tasks(self, "repeat", self._chosen, lambda: None)

    def action_suspend(self) -> None:
        """Suspend the instance of this task."""
        open_for_tasks(self, "suspend", self._chosen, lambda: None)

    def action_activate(self) -> None:
        """Activate the instance of this task."""
        open_for_tasks(self, "activate", self._chosen, lambda: None)

    @property
    def _chosen(self) -> Marked:
        return Marked(frozenset({self._shown.id}), "the task on the screen")

    def facts(self) -> list[Item]:
        """Every field of the task; on a small screen the last ones do not fit."""
        task, now = self._shown, self.session.connection.now()
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
        """How often it failed, the message, the details, and the failures before."""
        said, attempts = await attempts_of(client, self._shown)
        error = await error_of(client, self._shown, self.session.connection.identity)
        return "\n\n".join(part for part in (said, error, attempts) if part)
