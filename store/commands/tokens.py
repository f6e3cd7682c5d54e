"""Tokens of instances: the executions where they wait, and the external tasks and jobs that belong to them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import CanNotGoOn, Kind, Move, Pause, Process, Waiting, at_node, walk
from retriage.store.commands import incidents
from retriage.store.commands.job_log import write_log
from retriage.store.commands.news import fetchable, jobs_made
from retriage.store.commands.operands import operands
from retriage.store.commands.processes import process_of
from retriage.store.contract.errors import engine_error
from retriage.store.contract.records import ASYNC_JOB, VariableValue
from retriage.store.contract.states import COMPLETED, LogState
from retriage.store.database import IdRun, new_id, now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.queries.variables import of_instance
from retriage.store.tables import (
    ErrorDetails,
    Execution,
    ExternalTask,
    ExternalTaskLog,
    Job,
    JobDefinition,
    JobLog,
    ProcessDefinition,
    ProcessInstance,
)
from retriage.store.tables.types import col

RETRIES = 3
"""Attempts that the job of a token has, as on an engine on which nothing else is set."""


@dataclass(frozen=True, slots=True)
class Running:
    """The instance that tokens move in."""

    id: str
    definition_id: str
    tenant_id: str | None


_PLACES = (col(Execution.activity_id), col(Execution.in_transition))
_WAITING = (
    select(*_PLACES, func.count().label("tokens"))
    .where(col(Execution.process_instance_id) == bindparam("instance"))
    .group_by(*_PLACES)
)

LOGGED = (
    "topic_name",
    "priority",
    "activity_id",
    "activity_instance_id",
    "execution_id",
    "process_instance_id",
    "process_definition_id",
    "tenant_id",
)
"""Columns that an entry of the log takes over from its task."""


@dataclass(slots=True)
class Tokens:
    """The tokens of an instance, without one that moves: how many, and how many of them at each join."""

    count: int = 0
    joins: dict[str, int] = field(default_factory=dict)

    def add(self, process: Process, row: Any) -> None:
        """Count those that wait at one place."""
        self.count += row.tokens
        if process.nodes[row.activity_id].kind is Kind.FORK and not row.in_transition:
            self.joins[row.activity_id] = row.tokens


async def go_on(
    connection: AsyncConnection,
    instance: Running,
    move: Move | None,
    transient: Mapping[str, VariableValue],
    *,
    new: bool = False,
) -> bool:
    """Let a token move on that its execution has already left, and end the instance after its last token.

    Args:
        connection: the caller's transaction, which holds the instance's row.
        instance: where the token moves.
        move: what it does next; none for a token that has come to its end.
        transient: variables of this request that are not stored.
        new: the instance has just been made, and has no other tokens.

    Returns:
        Whether the instance has ended.

    Raises:
        ContractError: 500, the token can take no way. The caller's transaction must not be committed.
    """
    tokens = Tokens() if new else await tokens_of(connection, instance)
    await place(connection, instance, move, transient, tokens)
    if not tokens.count:
        await end_instances(connection, [instance.id], now())
    return not tokens.count


async def place(
    connection: AsyncConnection,
    instance: Running,
    move: Move | None,
    variables: Mapping[str, VariableValue],
    tokens: Tokens,
) -> None:
    """Let a token move on, and write down where it waits; see ``go_on``. The instance may be left without tokens.

    Args:
        connection: the caller's transaction, which holds the instance's row.
        instance: where the token moves.
        move: what it does next.
        variables: what it sees beside, or above, the variables of the instance.
        tokens: the others; what becomes of this one is added.
    """
    if move is None:
        return
    process = await process_of(connection, instance.definition_id)
    stored = await of_instance(connection, instance.id, process.reads) if process.reads else {}
    arrivals = Arrivals()
    try:
        await arrivals.add(connection, instance, process, move, operands(stored | dict(variables)), tokens)
    except CanNotGoOn as reason:
        raise engine_error(str(reason)) from None
    await arrivals.write(connection)


async def tokens_of(connection: AsyncConnection, instance: Running) -> Tokens:
    """The tokens that an instance has now."""
    process = await process_of(connection, instance.definition_id)
    tokens = Tokens()
    for row in await connection.execute(_WAITING, {"instance": instance.id}):
        tokens.add(process, row)
    return tokens


class Arrivals:
    """Where tokens arrive, of any number of instances, as rows that one statement for each table writes."""

    def __init__(self) -> None:
        self._at = now()
        self._executions: list[dict[str, Any]] = []
        self._tasks: list[dict[str, Any]] = []
        self._jobs: list[dict[str, Any]] = []
        self._job_log: list[dict[str, Any]] = []
        self._at_joins: Counter[tuple[str, str]] = Counter()
        self._whole: set[tuple[str, str]] = set()
        self._definitions: dict[str, dict[tuple[str, Pause], Any]] = {}

    async def add(
        self,
        connection: AsyncConnection,
        instance: Running,
        process: Process,
        move: Move,
        values: Mapping[str, Any],
        tokens: Tokens,
    ) -> None:
        """Let one token move on.

        Args:
            connection: where the definitions of jobs are read.
            instance: where it moves.
            process: of that instance.
            move: what it does next.
            values: variables that it sees, as operands.
            tokens: the others of the instance; what becomes of this one is added.

        Raises:
            CanNotGoOn: it can take no way. Nothing is added then.
        """
        steps = walk(process, move, values, tokens.joins)
        others = tokens.count - sum(tokens.joins.values()) + sum(steps.waiting.values())
        tasks = [_task(instance, process, name, values, self._at) for name in steps.tasks]
        jobs, entries = [], []
        if steps.jobs:
            definitions = await self._definitions_of(connection, instance.definition_id)
            alone = not others and len(steps.jobs) == 1 and not tasks
            for waiting in steps.jobs:
                definition = definitions[waiting.node, waiting.pause]
                jobs.append(_job(instance, process, waiting, definition, values, self._at, alone))
                entries.append(_entry_of_job(jobs[-1], definition))
        self._tasks += tasks
        self._jobs += jobs
        self._job_log += entries
        self._executions += [_execution_of_task(row) for row in tasks]
        self._executions += [_execution_of_job(row, one) for row, one in zip(jobs, steps.jobs, strict=True)]
        tokens.count = others + len(tasks) + len(jobs)
        self._meet(instance.id, tokens.joins, steps.waiting)
        tokens.joins = {name: count for name, count in steps.waiting.items() if count}

    def _meet(self, instance_id: str, before: Mapping[str, int], after: Mapping[str, int]) -> None:
        """Bring the executions at joins to the new numbers. Those at one join are alike: which go does not matter."""
        for name, count in after.items():
            join = (instance_id, name)
            if not count:
                self._at_joins[join] = 0
                self._whole |= {join} if name in before else set()
            else:
                self._at_joins[join] += count - before.get(name, 0)

    async def _definitions_of(self, connection: AsyncConnection, definition_id: str) -> dict[tuple[str, Pause], Any]:
        """The job definitions of a process definition."""
        if definition_id not in self._definitions:
            table = JobDefinition.__table__  # type: ignore[attr-defined]
            of_definition = col(ProcessDefinition.id) == definition_id
            deployment = select(col(ProcessDefinition.deployment_id)).where(of_definition).scalar_subquery()
            statement = select(table, deployment.label("deployed_by")).where(
                table.c.process_definition_id == definition_id
            )
            rows = await connection.execute(statement)
            self._definitions[definition_id] = {(row.activity_id, _pause(row)): row for row in rows}
        return self._definitions[definition_id]

    async def write(self, connection: AsyncConnection) -> None:
        """Write all that was added."""
        for instance_id, join in self._whole:
            of_join = (col(Execution.activity_id) == join, col(Execution.in_transition).is_(False))
            await connection.execute(
                delete(Execution).where(col(Execution.process_instance_id) == instance_id, *of_join)
            )
        waiting = [_execution_at_join(*join) for join in self._at_joins.elements()]
        fetchable(connection, (row["topic_name"] for row in self._tasks))
        if self._executions or waiting:
            await connection.execute(insert(Execution), [*self._executions, *waiting])
        if self._tasks:
            await connection.execute(insert(ExternalTask), self._tasks)
            await connection.execute(insert(ExternalTaskLog), [_entry_of_task(row, self._at) for row in self._tasks])
        if self._jobs:
            jobs_made(connection)
            await connection.execute(insert(Job), self._jobs)
            await connection.execute(insert(JobLog), self._job_log)


def _task(instance: Running, process: Process, name: str, values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    node = process.nodes[name]
    with at_node(name):
        priority = node.priority.of(values)
    return {
        "id": new_id(),
        "topic_name": node.topic,
        "process_instance_id": instance.id,
        "process_definition_id": instance.definition_id,
        "execution_id": new_id(),
        "activity_id": name,
        "activity_instance_id": f"{name}:{new_id()}",
        "create_time": at,
        "priority": priority,
        "suspended": False,
        "tenant_id": instance.tenant_id,
    }


def _entry_of_task(task: dict[str, Any], at: datetime) -> dict[str, Any]:
    what = {"id": new_id(), "timestamp": at, "state": LogState.CREATED, "external_task_id": task["id"]}
    return what | {name: task[name] for name in LOGGED}


def _job(
    instance: Running,
    process: Process,
    waiting: Waiting,
    definition: Any,
    values: Mapping[str, Any],
    at: datetime,
    alone: bool,
) -> dict[str, Any]:
    """The job that a token waits for. Where it is the only one, its execution is the instance itself, as on an engine;
    but a timer has one of its own.
    """
    node = process.nodes[waiting.node]
    timer = waiting.pause is Pause.TIMER
    with at_node(node.id):
        due = node.timer.due(values, at) if timer and node.timer is not None else None
        priority = definition.overriding_job_priority
        priority = node.job_priority.of(values) if priority is None else priority
    return {
        "id": new_id(),
        "job_type": definition.job_type,
        "job_definition_id": definition.id,
        "deployment_id": definition.deployed_by,
        "retries": RETRIES if node.retry_cycle is None else node.retry_cycle.retries,
        "due_date": due,
        "suspended": definition.suspended,
        "priority": priority,
        "create_time": at,
        "process_instance_id": instance.id,
        "process_definition_id": instance.definition_id,
        "execution_id": instance.id if alone and not timer else new_id(),
        "activity_id": node.id,
        "flow_id": waiting.flow,
        "tenant_id": instance.tenant_id,
    }


def _pause(definition: Any) -> Pause:
    """Where a job definition lets tokens wait."""
    return Pause(definition.job_configuration) if definition.job_type == ASYNC_JOB else Pause.TIMER


def _entry_of_job(job: dict[str, Any], definition: Any) -> dict[str, Any]:
    taken = ("job_type", "job_definition_id", "deployment_id", "process_instance_id", "process_definition_id")
    return {
        "id": new_id(),
        "timestamp": job["create_time"],
        "state": LogState.CREATED,
        "job_id": job["id"],
        "job_retries": job["retries"],
        "job_priority": job["priority"],
        "job_due_date": job["due_date"],
        "job_configuration": definition.job_configuration,
        **{name: job[name] for name in (*taken, "execution_id", "activity_id", "tenant_id")},
    }


def _execution_of_task(task: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": task["execution_id"],
        "process_instance_id": task["process_instance_id"],
        "activity_id": task["activity_id"],
        "activity_instance_id": task["activity_instance_id"],
        "in_transition": False,
    }


def _execution_of_job(job: dict[str, Any], waiting: Waiting) -> dict[str, Any]:
    """A token that waits for a job before or after an activity is in no instance of it, and named by its execution."""
    name, timer = job["activity_id"], waiting.pause is Pause.TIMER
    return {
        "id": job["execution_id"],
        "process_instance_id": job["process_instance_id"],
        "activity_id": name,
        "activity_instance_id": f"{name}:{new_id()}" if timer else job["execution_id"],
        "in_transition": not timer,
    }


def _execution_at_join(instance_id: str, name: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "process_instance_id": instance_id,
        "activity_id": name,
        "activity_instance_id": f"{name}:{new_id()}",
        "in_transition": False,
    }


async def end_instances(connection: AsyncConnection, instances: Sequence[str], at: datetime) -> None:
    """Their last tokens are gone."""
    ended = update(ProcessInstance).where(one_of(col(ProcessInstance.id), instances))
    await connection.execute(ended.values(state=COMPLETED, end_time=at))


async def take_away(connection: AsyncConnection, tasks: Condition, jobs: Condition, at: datetime) -> None:
    """Remove external tasks and jobs that are not done, with an entry in the log; their incidents end as deleted.

    Args:
        connection: the caller's transaction, which holds the instances.
        tasks: which external tasks.
        jobs: which jobs.
        at: when.
    """
    of_tasks = select(col(ExternalTask.id)).where(tasks)
    of_jobs = select(col(Job.id)).where(jobs)
    await _log_removed(connection, tasks, at)
    await write_log(connection, jobs, LogState.DELETED, at)
    await incidents.delete(connection, of_tasks, at)
    await incidents.delete(connection, of_jobs, at)
    await connection.execute(delete(ErrorDetails).where(col(ErrorDetails.external_task_id).in_(of_tasks)))
    await connection.execute(delete(ExternalTask).where(tasks))
    await connection.execute(delete(Job).where(jobs))


async def _log_removed(connection: AsyncConnection, tasks: Condition, at: datetime) -> None:
    log = ExternalTaskLog.__table__.c  # type: ignore[attr-defined]
    columns = {
        "id": IdRun().column(func.row_number().over(order_by=col(ExternalTask.id))),
        "timestamp": literal(at, log.timestamp.type),
        "state": literal(int(LogState.DELETED), log.state.type),
        "external_task_id": col(ExternalTask.id),
        "worker_id": col(ExternalTask.worker_id),
        "retries": col(ExternalTask.retries),
        **{name: getattr(ExternalTask, name) for name in LOGGED},
    }
    rows = select(*columns.values()).where(tasks)
    await connection.execute(insert(ExternalTaskLog).from_select(list(columns), rows))
