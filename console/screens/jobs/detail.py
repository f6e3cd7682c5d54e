"""One job in full, with the stack trace of its last failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.screens.jobs.subject import Jobs
from console.screens.reading.screen import ReadingScreen
from console.screens.session import Session
from console.widgets.inert import inert
from console.widgets.pane import Item

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.records import Job


class JobDetail(ReadingScreen):
    """A job with its stack trace."""

    VIEW = "jobs"
    HEADING = "Stack trace of the last failure"

    def __init__(self, session: Session, job: Job) -> None:
        super().__init__(session, f"Job {inert(job.id)}", job.id)
        self._shown = job

    def facts(self) -> list[Item]:
        """Every field of the job."""
        return Jobs().brief(self._shown, datetime.now(UTC))

    async def text(self, client: EngineClient) -> str:
        """The stack trace."""
        if self._shown.exception_message is None:
            return "This job has not failed."
        return await client.job_stacktrace(self._shown.id) or "The engine kept no stack trace."
