"""What the worker of a task said when it failed, as one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.task_states import error_said

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.session.connection_identity import ConnectionIdentity
    from store.contract.records import ExternalTask


async def error_of(client: EngineClient, task: ExternalTask, identity: ConnectionIdentity) -> str:
    """What the worker of a task said when it failed: the message, then the details."""
    if task.error_message is None and task.retries is None:
        return "This task has never failed."
    details = await client.error_details(task.id)
    message = task.error_message or error_said(task)
    if not details:
        return f"{message}\n\n{identity.said_of_none('The worker sent no details.')}"
    return details if details.startswith(message) else f"{message}\n\n{details}"
