"""From an incident to what failed, and to the process instance that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from console.actions import at
from console.screens.base import ConsoleScreen
from console.text.inert import inert
from console.text.words import short
from console.widgets.bindings import bindings

if TYPE_CHECKING:
    from console.causes.group_members import GroupMember
    from console.engine.client import EngineClient
    from console.screens.reading.screen import ReadingScreen
    from store.contract.records import Incident


class IncidentLooks(ConsoleScreen):
    """A screen with an incident in hand."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"incident"}))

    def incident_in_hand(self) -> Incident | GroupMember | None:
        """The incident that is meant."""
        raise NotImplementedError

    def action_instance(self) -> None:
        """Jump to the process instance."""
        from console.screens.jump import jump
        from store.contract.queries import ProcessInstanceQuery

        incident = self.incident_in_hand()
        if incident is None:
            return
        if incident.process_instance_id is None:
            self.session.say("This incident belongs to no process instance: its job is one of a batch.", "warning")
        else:
            jump(self.app, "instances", ProcessInstanceQuery(process_instance_ids=[incident.process_instance_id]))

    @work(group="incident.failed", exclusive=True, exit_on_error=False)
    async def action_failed(self) -> None:
        """Open the task or job that failed."""
        from console.engine.errors import EngineProblem

        incident = self.incident_in_hand()
        if incident is None:
            return
        try:
            screen = await self.session.ask(lambda client: self._what_failed(client, incident))
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
            return
        if screen is None:
            self.session.say(f"What failed ({inert(short(incident.configuration))}) is not there any more.", "warning")
        else:
            self.app.push_screen(screen)

    async def _what_failed(self, client: EngineClient, incident: Incident | GroupMember) -> ReadingScreen | None:
        from console.engine.errors import NotThere
        from console.screens.jobs.detail import JobDetail
        from console.screens.tasks.detail import TaskDetail
        from store.contract.queries import JobQuery

        if incident.configuration is None:
            return None
        if incident.incident_type == "failedJob":
            jobs = await client.jobs(JobQuery(job_id=incident.configuration), 0, 1)
            return JobDetail(self.session, jobs[0]) if jobs else None
        try:
            return TaskDetail(self.session, await client.external_task(incident.configuration))
        except NotThere:
            return None
