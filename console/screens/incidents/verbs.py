"""The ways from an incident to what failed, and to the process instance that waits for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.errors import EngineProblem, NotThere
from retriage.console.screens.verbs import Verbs
from retriage.console.text.inert import inert
from retriage.console.text.words import short
from retriage.store.contract.queries import JobQuery, ProcessInstanceQuery

if TYPE_CHECKING:
    from retriage.console.causes.group_members import GroupMember
    from retriage.console.engine.client import EngineClient
    from retriage.console.screens.base import ConsoleScreen
    from retriage.console.screens.navigator import Noun
    from retriage.store.contract.records import Incident


class IncidentVerbs(Verbs["ConsoleScreen"]):
    """Actions about an incident.

    Args:
        screen: a list of incidents, or one of them.
        incident: the incident that is meant.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("incident",)

    def __init__(self, screen: ConsoleScreen, incident: Callable[[], Incident | GroupMember | None]) -> None:
        super().__init__(screen)
        self._incident = incident

    def action_instance(self) -> None:
        """Jump to the process instance."""
        incident = self._incident()
        if incident is None:
            return
        if incident.process_instance_id is None:
            self.session.news.say("This incident belongs to no process instance: its job is one of a batch.", "warning")
        else:
            query = ProcessInstanceQuery(process_instance_ids=[incident.process_instance_id])
            self.navigator.jump("instances", query)

    def action_failed(self) -> None:
        """Open the task or job that failed."""
        incident = self._incident()
        if incident is not None:
            self.look_up(partial(self._show_what_failed, incident), "incident.failed")

    async def _show_what_failed(self, incident: Incident | GroupMember) -> None:
        try:
            failed = await self.session.connection.ask(lambda client: _what_failed(client, incident))
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
            return
        if failed is None:
            self.session.news.say(f"What failed ({inert(short(incident.configuration))}) is gone.", "warning")
        else:
            self.navigator.show(*failed)


async def _what_failed(client: EngineClient, incident: Incident | GroupMember) -> tuple[Noun, object] | None:
    """The job or external task behind an incident; nothing if it is gone."""
    if incident.configuration is None:
        return None
    if incident.incident_type == "failedJob":
        jobs = await client.jobs(JobQuery(job_id=incident.configuration), 0, 1)
        return ("job", jobs[0]) if jobs else None
    try:
        return "task", await client.external_task(incident.configuration)
    except NotThere:
        return None
