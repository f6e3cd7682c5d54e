"""What the worker of a task said when it failed, as one text; how often it has failed, and what was said each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem, Refused
from retriage.console.reading.task_history import NEWEST_FIRST
from retriage.console.screens.task_states import error_said
from retriage.console.text.words import count, day
from retriage.store.contract.history import HistoricExternalTaskLogQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.store.contract.history import HistoricExternalTaskLog
    from retriage.store.contract.records import ExternalTask

ATTEMPTS = 20
"""So many failures of a task are told one by one, the newest ones."""


async def error_of(client: EngineClient, task: ExternalTask, identity: ConnectionIdentity) -> str:
    """What the worker of a task said when it failed: the message, then the details."""
    if task.error_message is None and task.retries is None:
        return "This task has never failed."
    details = await client.error_details(task.id)
    message = task.error_message or error_said(task)
    if not details:
        return f"{message}\n\n{identity.said_of_none('The worker sent no details.')}"
    return details if details.startswith(message) else f"{message}\n\n{details}"


async def attempts_of(client: EngineClient, task: ExternalTask) -> tuple[str, str]:
    """How often a task has failed, in a sentence, and below its error its newest failures, a line each; both are empty
    where it never has. The log of external tasks is kept at history level full only. Its table has an index for the
    process instance and none for the task (observed in the schema of Camunda 7.24.0), so the query names both."""
    if task.error_message is None and task.retries is None:
        return "", ""
    query = HistoricExternalTaskLogQuery(
        external_task_id=task.id, process_instance_id=task.process_instance_id, failure_log=True, sorting=NEWEST_FIRST
    )
    try:
        newest = await client.external_task_log(query, 0, ATTEMPTS)
        number = len(newest) if len(newest) < ATTEMPTS else await client.count_external_task_log(query)
    except EngineProblem as problem:
        if not (isinstance(problem, Refused) and problem.says_never):
            return "", f"How often it failed could not be read: {problem.sentence}"
        newest = []
    if not newest:
        return "", "How often it failed is not known: the engine keeps no log of it, or this user may not read it."
    often = "once" if number == 1 else f"{count(number)} times"
    said = f"Failed {often}, last at {day(newest[0].timestamp)} at worker {newest[0].worker_id or '-'}."
    if number == 1:
        return said, ""
    shown = "Every failure" if number == len(newest) else f"The newest {len(newest)} failures"
    return said, "\n".join([f"{shown}, the newest first:", *(_line(entry) for entry in newest)])


def _line(entry: HistoricExternalTaskLog) -> str:
    """When, at which worker, and the first line of what it said."""
    message = (entry.error_message or "no message").partition("\n")[0]
    return f"{day(entry.timestamp)}  {entry.worker_id or '-'}  {message}"
