"""What a type of batch is, and what one order makes of it.

Creation, seed, execution, monitor and lists know types as values of ``BatchType`` only; each has a file of its own in
``store/batch/types``.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from retriage.store.contract.errors import ContractError
from retriage.store.tables import ExternalTask, Job, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

TargetJob = aliased(Job)
"""A job that a batch changes, beside the batch's own."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the ids of a batch name.

    Attributes:
        key: the id of what they name.
        deployment: the deployment by which they are grouped.
        join: adds the row that an id names, and that of its deployment, to a select; the id is given.
    """

    key: ColumnElement[Any]
    deployment: ColumnElement[Any]
    join: Callable[[Rows, ColumnElement[Any]], Rows]


class Ordered(NamedTuple):
    """What the jobs of a batch are to do: the batch, by id, and what its type has written for them."""

    batch_id: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchType:
    """One type of batch.

    A set of its jobs is carried out by one call of ``work``. Where that raises, the transaction is taken back and each
    job of the set is carried out alone, by a call in a transaction of its own: what it raises then is what the job
    tells of its failure.

    Attributes:
        name: in the contract.
        target: what its ids name.
        work: does what was ordered to all that a select of ids names; of few statements, whatever the number of ids.
        unknown: what a job says of an id that names nothing; ``{}`` stands for the id. None: such ids are passed over.
        known_only: ids that name nothing are left out when the batch is made.
        of_instance: a job of one id belongs to the process instance that it names.
    """

    name: str
    target: Target
    work: Callable[[AsyncConnection, Rows, Ordered], Awaitable[None]]
    unknown: str | None = None
    known_only: bool = False
    of_instance: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch that is to be made; all of the order is checked that can be without the database.

    Attributes:
        type: its type.
        configuration: what its jobs need to know, of values that JSON has.
        explicit: ids that were given one by one, each once.
        sources: gives selects of further ids; raises what the contract checks last.
        empty: the refusal where nothing is named.
        operation: the order and what it is given to, as the user operation log calls them.
        logged: properties that the user operation log keeps, beside the number of ids.
        counted: that log keeps the number of ids.
        about: reads what the order is about, for that log.
        check: looks at the database before anything is collected; raises a refusal.
        refusal: raised when something is named.
        write_more: writes further rows of the batch, whose id is given.
    """

    type: BatchType
    configuration: Mapping[str, Any]
    explicit: list[str]
    sources: Callable[[], list[Rows]]
    empty: ContractError
    operation: tuple[str, str]
    logged: Mapping[str, object] = field(default_factory=dict)
    counted: bool = True
    about: Callable[[AsyncConnection], Awaitable[dict[str, str | None]]] | None = None
    check: Callable[[AsyncConnection], Awaitable[None]] | None = None
    refusal: ContractError | None = None
    write_more: Callable[[AsyncConnection, str], Awaitable[None]] | None = None

    @property
    def written(self) -> str:
        """Its configuration as the batch keeps it."""
        return json.dumps(self.configuration, ensure_ascii=False)

    def check_count(self, elements: int) -> None:
        """Check that it has ids and may be made.

        Raises:
            ContractError: 400 or 500.
        """
        if not elements:
            raise self.empty
        if self.refusal is not None:
            raise self.refusal


def _with_task(rows: Rows, identity: ColumnElement[Any]) -> Rows:
    definition = col(ProcessDefinition.id) == col(ExternalTask.process_definition_id)
    return rows.outerjoin(ExternalTask, col(ExternalTask.id) == identity).outerjoin(ProcessDefinition, definition)


def _with_job(rows: Rows, identity: ColumnElement[Any]) -> Rows:
    return rows.outerjoin(TargetJob, col(TargetJob.id) == identity)


def _with_instance(rows: Rows, identity: ColumnElement[Any]) -> Rows:
    running = and_(col(ProcessInstance.id) == identity, col(ProcessInstance.end_time).is_(None))
    definition = col(ProcessDefinition.id) == col(ProcessInstance.process_definition_id)
    return rows.outerjoin(ProcessInstance, running).outerjoin(ProcessDefinition, definition)


TASKS = Target(col(ExternalTask.id), col(ProcessDefinition.deployment_id), _with_task)
JOBS = Target(col(TargetJob.id), col(TargetJob.deployment_id), _with_job)
INSTANCES = Target(col(ProcessInstance.id), col(ProcessDefinition.deployment_id), _with_instance)
"""Running process instances."""
