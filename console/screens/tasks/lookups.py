"""What can be looked up about a task, in the list and in its detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from console.actions import at
from console.screens.base import ConsoleScreen, ordering
from console.text.inert import inert
from console.text.words import count, short
from console.widgets.bindings import bindings

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.reading.selection import Everything, Marked
    from store.contract.records import ExternalTask


class TaskLooks(ConsoleScreen):
    """A screen with a task in hand."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"task"}))

    def locks_meant(self) -> Marked | Everything | None:
        """The tasks that an order about locks goes to; nothing where that cannot be said, and why was told."""
        from console.reading.selection import Marked

        task = self.task_in_hand()
        return Marked(frozenset({task.id})) if task is not None else None

    @ordering("task.unlock")
    async def action_unlock(self) -> None:
        """Take the locks off the tasks that are meant."""
        from console.engine.errors import EngineProblem
        from console.reading.locks import MOST, locked
        from console.screens.tasks.unlocking import question, unlocked

        meant = self.locks_meant()
        why = self.session.why_no_orders() or ("" if meant is not None else "There is no task to unlock.")
        if why or meant is None:
            self.session.say(why, "warning")
            return
        try:
            tasks = await self.session.ask(lambda client: locked(client, meant))
            if not tasks or len(tasks) > MOST:
                none = "No worker holds a lock on this." if not tasks else ""
                self.session.say(none or f"More than {count(MOST)} are locked: narrow the filter first.", "warning")
            elif await self.ask_late(question(tasks, self.session)):
                await unlocked(self.session, tasks)
                if self.is_attached:
                    self.unlocked()
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")

    def unlocked(self) -> None:
        """Locks were taken off."""

    def task_in_hand(self) -> ExternalTask | None:
        """The task that is meant."""
        raise NotImplementedError

    def action_details(self) -> None:
        """The error message and the error details, on the whole screen."""
        from console.screens.reading.full import FullText
        from console.screens.tasks.detail import error_of

        task = self.task_in_hand()
        if task is not None:
            heading = f"Task {inert(task.id)}: what the worker said"
            self.app.push_screen(FullText(self.session, self.VIEW, heading, task.id, lambda c: error_of(c, task)))

    def action_variables(self) -> None:
        """Variables of the process instance."""
        from console.screens.instances.detail import variables_said
        from console.screens.reading.full import FullText

        task = self.task_in_hand()
        if task is None:
            return
        instance = task.process_instance_id

        async def ask(client: EngineClient) -> str:
            return variables_said(await client.variables(instance))

        heading = f"Variables of instance {inert(instance)}"
        self.app.push_screen(FullText(self.session, self.VIEW, heading, instance, ask))

    @work(group="task.incidents", exclusive=True, exit_on_error=False)
    async def action_incidents(self) -> None:
        """The open incident of the task."""
        from console.screens.incidents.opening import open_incident

        task = self.task_in_hand()
        if task is not None:
            await open_incident(self.app, self.session, "Task", task.id)

    @work(group="task.batch", exclusive=True, exit_on_error=False)
    async def action_batch(self) -> None:
        """The batch that set its retries last, as far as the journal knows."""
        from console.screens.batches.opening import open_batch
        from console.session import saved_filters

        task = self.task_in_hand()
        if task is None:
            return
        launch = (await saved_filters.launched(self.session, [task.id])).get(task.id)
        if launch is None or launch.batch_id is None:
            self.session.say(f"No batch that was launched from here has set task {inert(short(task.id))}.", "muted")
        else:
            await open_batch(self.app, self.session, launch.batch_id)

    def action_instance(self) -> None:
        """Jump to the process instance."""
        from console.screens.jump import jump
        from store.contract.queries import ProcessInstanceQuery

        task = self.task_in_hand()
        if task is not None:
            jump(self.app, "instances", ProcessInstanceQuery(process_instance_ids=[task.process_instance_id]))
