"""What the user of the connection may do, as ``GET /authorization/check`` tells.

The engine asks for a user there: on one without a login it answers 401, whatever else it lets anybody do (observed on
Camunda 7.24.0). Where authorization is off it answers yes to everything.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from retriage.console.engine.errors import EngineProblem, NoLogin, Refused
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

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
SUSPEND_THESE = Right(
    "CREATE_BATCH_UPDATE_PROCESS_INSTANCES_SUSPEND", "BATCH", 13, "create batches that suspend instances"
)
CANCEL_THESE = Right(
    "CREATE_BATCH_DELETE_RUNNING_PROCESS_INSTANCES", "BATCH", 13, "create batches that cancel instances"
)
SET_VARIABLES_OF_THESE = Right("CREATE_BATCH_SET_VARIABLES", "BATCH", 13, "create batches that set variables")
MODIFY_THESE = Right("CREATE_BATCH_MODIFY_PROCESS_INSTANCES", "BATCH", 13, "create batches that modify instances")
RETRY_THESE_JOBS = Right("CREATE_BATCH_SET_JOB_RETRIES", "BATCH", 13, "create batches that set retries of jobs")
READ_BATCHES = Right("READ", "BATCH", 13, "read batches")
READ_INSTANCES = Right("READ", "PROCESS_INSTANCE", 8, "read process instances, tasks and incidents")
READ_OF_DEFINITION = Right("READ_INSTANCE", "PROCESS_DEFINITION", 6, "read the instances of any process")
UPDATE_INSTANCES = Right("UPDATE", "PROCESS_INSTANCE", 8, "change process instances, their tasks and jobs")
UPDATE_OF_DEFINITION = Right("UPDATE_INSTANCE", "PROCESS_DEFINITION", 6, "change the instances of any process")
UPDATE_VARIABLES = Right("UPDATE_VARIABLE", "PROCESS_INSTANCE", 8, "change variables of process instances")
UPDATE_VARIABLES_OF_DEFINITION = Right(
    "UPDATE_INSTANCE_VARIABLE", "PROCESS_DEFINITION", 6, "change variables of the instances of any process"
)
READ_HISTORY = Right("READ_HISTORY", "PROCESS_DEFINITION", 6, "read the history of any process")
READ_BATCH_HISTORY = Right("READ_HISTORY", "BATCH", 13, "read ended batches")
UNSEEN_ENDS = "this user may not read ended batches (READ_HISTORY on Batch)"
ALL = (
    LAUNCH, LAUNCH_THESE, SUSPEND_THESE, CANCEL_THESE, SET_VARIABLES_OF_THESE, MODIFY_THESE, RETRY_THESE_JOBS,
    READ_BATCHES, READ_INSTANCES, READ_OF_DEFINITION, UPDATE_INSTANCES, UPDATE_OF_DEFINITION, UPDATE_VARIABLES,
    UPDATE_VARIABLES_OF_DEFINITION, READ_HISTORY, READ_BATCH_HISTORY,
)  # fmt: skip
"""Permissions and resources as Camunda 7 numbers them (its user guide, "Authorization Service")."""
OF_DEFINITION = (READ_OF_DEFINITION, UPDATE_OF_DEFINITION, UPDATE_VARIABLES_OF_DEFINITION, READ_HISTORY)
"""Those that a user may have on some processes only; the id of the resource is the key of the process definition."""
FIRST_TASKS = 100
MOST_ASKED = 5
"""So many processes are asked about one by one at most: those of the first tasks that the user sees."""


@dataclass(frozen=True)
class Rights:
    """What is known of the user's rights. What is not known is no reason to forbid anything: the engine decides.

    Attributes:
        login: whether the engine knows a user at all.
        granted: right -> whether the user has it on every resource.
        asked_on: keys of the process definitions whose rights were asked for one by one: those of the first tasks that
            the user sees, where it has not every right on all of them.
        partly: right -> those of them that the user has it on.
    """

    login: Login = "not known"
    granted: Mapping[Right, bool] = field(default_factory=dict)
    asked_on: tuple[str, ...] = ()
    partly: Mapping[Right, tuple[str, ...]] = field(default_factory=dict)

    def not_on_all(self, *rights: Right) -> bool:
        """The user has none of these on every resource; it may have them on some."""
        return all(self.granted.get(right) is False for right in rights)

    def lacks(self, *rights: Right) -> bool:
        """The user has none of these, on no process that was asked about either."""
        return self.not_on_all(*rights) and not self.only_on(*rights)

    def only_on(self, *rights: Right) -> tuple[str, ...]:
        """Keys of the processes that the user has one of these on; empty where it has one on all, or on none."""
        if not self.not_on_all(*rights):
            return ()
        return tuple(key for key in self.asked_on if any(key in self.partly.get(right, ()) for right in rights))

    def why_no_variables(self) -> str:
        """One sentence if the engine will refuse to set or delete variables of an instance by a request of its own."""
        change = (UPDATE_VARIABLES, UPDATE_INSTANCES, UPDATE_VARIABLES_OF_DEFINITION, UPDATE_OF_DEFINITION)
        if self.lacks(*change):
            return "This user may not change variables of single instances (UPDATE_VARIABLE on ProcessInstance)."
        return ""

    def lines(self) -> list[tuple[str, str]]:
        """Each right with how far the user has it, and what it allows."""
        told = []
        for right, yes in self.granted.items():
            keys = self.only_on(right)
            label = "right" if yes else "in part" if keys else "NO right"
            only = f" (only {', '.join(keys)})" if keys else ""
            told.append((label, f"to {right.said}{only}  {right.permission} on {right.resource}"))
        return told

    @property
    def to_be_asked(self) -> bool:
        """They are not known yet, or no task was to be seen whose process could be asked about."""
        return self.login == "not known" or (not self.asked_on and any(map(self.not_on_all, OF_DEFINITION)))

    def why_no_launch(self) -> str:
        """One sentence if the engine will refuse a batch; empty if it will not, or that is not known."""
        if self.lacks(LAUNCH, LAUNCH_THESE):
            return "This user has no right to create batches (CREATE on Batch): the engine would refuse a launch."
        return ""

    def unseen(self, subject: str) -> str:
        """One sentence where an empty list of a subject may be a want of rights; empty where it says what is there."""
        if subject == "batches":
            return "Batches cannot be read by this user (READ on Batch)." if self.lacks(READ_BATCHES) else ""
        if self.not_on_all(READ_INSTANCES, READ_OF_DEFINITION):
            things = "jobs of process instances" if subject == "jobs" else subject
            return f"This user may not read all {things}: the engine shows only those it may."
        return ""


class Checks(Protocol):
    """The part of the client that asks for a right."""

    async def has_right(self, right: Right, resource: str = "") -> bool:
        """Whether the user has it on this resource; on every one where none is named."""
        ...

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of the external tasks that the user may read."""
        ...


async def find_rights(client: Checks) -> Rights:
    """Ask for every right that the console needs, a question each; an engine that will not tell leaves them open.

    Rights that the user does not have on all processes are asked for on those of the first tasks it sees: a right on
    one process is enough for the engine to carry an order out there (observed on Camunda 7.24.0).

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
    rights = Rights("asked", {right: yes for right, yes in told.items() if yes is not None})
    narrow = [right for right in OF_DEFINITION if rights.not_on_all(right)]
    if not narrow:
        return rights
    tasks = await client.external_tasks(ExternalTaskQuery(), 0, FIRST_TASKS)
    keys = tuple(dict.fromkeys(task.process_definition_key for task in tasks))[:MOST_ASKED]
    partly = {right: tuple([key for key in keys if await _answer(client, right, key)]) for right in narrow}
    return replace(rights, asked_on=keys, partly=partly)


async def _answer(client: Checks, right: Right, resource: str = "") -> bool | None:
    try:
        return await client.has_right(right, resource)
    except EngineProblem:
        return None
