"""What the user of the connection may do, as ``GET /authorization/check`` tells.

The engine asks for a user there: on one without a login it answers 401, whatever else it lets anybody do (observed on
Camunda 7.24.0). Where authorization is off it answers yes to everything.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from console.engine.errors import EngineProblem, NoLogin, Refused

Login = Literal["not known", "no login", "asked"]


@dataclass(frozen=True)
class Right:
    """A permission on a resource, as the engine names them.

    Attributes:
        permission: READ, CREATE …
        resource: name of the resource.
        type: number of the resource.
        said: what whoever has it may do.
    """

    permission: str
    resource: str
    type: int
    said: str


LAUNCH = Right("CREATE", "BATCH", 13, "create batches")
LAUNCH_THESE = Right("CREATE_BATCH_SET_EXTERNAL_TASK_RETRIES", "BATCH", 13, "create batches that set retries")
READ_BATCHES = Right("READ", "BATCH", 13, "read batches")
READ_INSTANCES = Right("READ", "PROCESS_INSTANCE", 8, "read process instances, tasks and incidents")
READ_OF_DEFINITION = Right("READ_INSTANCE", "PROCESS_DEFINITION", 6, "read the instances of any process")
UPDATE_INSTANCES = Right("UPDATE", "PROCESS_INSTANCE", 8, "change process instances, their tasks and jobs")
UPDATE_OF_DEFINITION = Right("UPDATE_INSTANCE", "PROCESS_DEFINITION", 6, "change the instances of any process")
READ_HISTORY = Right("READ_HISTORY", "PROCESS_DEFINITION", 6, "read the history of any process")
READ_BATCH_HISTORY = Right("READ_HISTORY", "BATCH", 13, "read ended batches")
ALL = (
    LAUNCH, LAUNCH_THESE, READ_BATCHES, READ_INSTANCES, READ_OF_DEFINITION, UPDATE_INSTANCES, UPDATE_OF_DEFINITION,
    READ_HISTORY, READ_BATCH_HISTORY,
)  # fmt: skip
"""Permissions and resources as Camunda 7 numbers them (its user guide, "Authorization Service")."""


@dataclass(frozen=True)
class Rights:
    """What is known of the user's rights. What is not known is no reason to forbid anything: the engine decides.

    Attributes:
        login: whether the engine knows a user at all.
        granted: right -> whether the user has it on every resource; a right on some of them only is told as no.
    """

    login: Login = "not known"
    granted: Mapping[Right, bool] = field(default_factory=dict)

    def lacks(self, *rights: Right) -> bool:
        """The user has none of these."""
        return all(self.granted.get(right) is False for right in rights)

    def why_no_launch(self) -> str:
        """One sentence if the engine will refuse a batch; empty if it will not, or that is not known."""
        if self.lacks(LAUNCH, LAUNCH_THESE):
            return "This user has no right to create batches (CREATE on Batch): the engine would refuse a launch."
        return ""

    def unseen(self, subject: str) -> str:
        """One sentence where an empty list of a subject may be a want of rights; empty where it says what is there."""
        if subject == "batches":
            return "Batches cannot be read by this user (READ on Batch)." if self.lacks(READ_BATCHES) else ""
        if self.lacks(READ_INSTANCES, READ_OF_DEFINITION):
            things = "jobs of process instances" if subject == "jobs" else subject
            return f"This user may not read all {things}: the engine shows only those it may."
        return ""


class Checks(Protocol):
    """The part of the client that asks for a right."""

    async def has_right(self, right: Right) -> bool:
        """Whether the user has it, on every resource."""
        ...


async def find_rights(client: Checks) -> Rights:
    """Ask for every right that the console needs, a question each; an engine that will not tell leaves them open.

    Raises:
        EngineProblem: the engine did not answer.
    """
    try:
        first = await client.has_right(ALL[0])
    except NoLogin:
        return Rights("no login")
    except Refused as problem:
        if problem.retry_after:
            raise
        return Rights()
    others = await asyncio.gather(*(_answer(client, right) for right in ALL[1:]))
    told = {ALL[0]: first} | dict(zip(ALL[1:], others, strict=True))
    return Rights("asked", {right: yes for right, yes in told.items() if yes is not None})


async def _answer(client: Checks, right: Right) -> bool | None:
    try:
        return await client.has_right(right)
    except EngineProblem:
        return None
