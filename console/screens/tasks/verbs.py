"""What can be looked up about a task and ordered for it, in the list and in its detail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.screens.reading.full import FullText
from retriage.console.screens.tasks.error_text import error_of
from retriage.console.screens.variables_text import variables_said
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.console.text.inert import inert
from retriage.console.text.words import short
from retriage.store.contract.queries import ProcessInstanceQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.selection import Everything, Marked
    from retriage.console.screens.base import ConsoleScreen
    from retriage.store.contract.records import ExternalTask


class TaskVerbs(Verbs["ConsoleScreen"]):
    """Actions about a task.

    Args:
        screen: a list of tasks, or one task.
        task: the task that is meant.
        locks_meant: the tasks that an order about locks goes to; nothing where that cannot be said, and why was told.
        unlocked: called when locks were taken off.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("task",)

    def __init__(
        self,
        screen: ConsoleScreen,
        task: Callable[[], ExternalTask | None],
        locks_meant: Callable[[], Marked | Everything | None],
        unlocked: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(screen)
        self._task = task
        self._locks_meant = locks_meant
        self._unlocked = unlocked

    def action_unlock(self) -> None:
        """Take the locks off the tasks that are meant."""
        self.order(partial(self._unlock, self._locks_meant()), "task.unlock")

    async def _unlock(self, meant: Marked | Everything | None) -> None:
        from retriage.console.orders.unlock import unlock  # 18 ms

        if await carry_out(self.screen, partial(unlock, self.session, meant)) is not None and self.screen.is_attached:
            self._unlocked()

    def action_work(self) -> None:
        """Report on the task as its worker would."""
        if (task := self._task()) is not None:
            self.order(partial(self._work, task), "task.work")

    async def _work(self, task: ExternalTask) -> None:
        from retriage.console.screens.tasks.by_hand import work_on  # 22 ms

        await work_on(self.screen, task)

    def action_details(self) -> None:
        """The error message and the error details, on the whole screen."""
        task = self._task()
        if task is not None:
            heading = f"Task {inert(task.id)}: what the worker said"
            view = self.screen.VIEW
            identity = self.session.connection.identity
            self.app.push_screen(FullText(self.session, view, heading, task.id, lambda c: error_of(c, task, identity)))

    def action_variables(self) -> None:
        """Variables of the process instance."""
        task = self._task()
        if task is None:
            return
        instance = task.process_instance_id

        async def ask(client: EngineClient) -> str:
            variables = await client.variables(instance)
            said = variables_said(variables)
            return said if variables else self.session.connection.identity.said_of_none(said)

        heading = f"Variables of instance {inert(instance)}"
        self.app.push_screen(FullText(self.session, self.screen.VIEW, heading, instance, ask))

    def action_incidents(self) -> None:
        """The open incident of the task."""
        task = self._task()
        if task is not None:
            self.look_up(partial(self.navigator.show_incident_of, "Task", task.id), "task.incidents")

    def action_batch(self) -> None:
        """The batch that set its retries last, as far as the journal knows."""
        task = self._task()
        if task is not None:
            self.look_up(partial(self._open_batch, task.id), "task.batch")

    async def _open_batch(self, task_id: str) -> None:
        launch = (await self.session.memory.earlier([task_id])).get(task_id)
        if launch is None or launch.batch_id is None:
            self.session.news.say(
                f"No batch that was launched from here has set task {inert(short(task_id))}.", "muted"
            )
        else:
            await self.navigator.show_batch(launch.batch_id)

    def action_instance(self) -> None:
        """Jump to the process instance."""
        task = self._task()
        if task is not None:
            self.navigator.jump("instances", ProcessInstanceQuery(process_instance_ids=[task.process_instance_id]))
