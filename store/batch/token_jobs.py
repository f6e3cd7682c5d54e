"""Jobs that tokens of process instances wait for: carry out a set of them in one transaction.

A job whose token can not go on fails alone, before anything is written of it; the others are done by one statement for
each table, whatever their number. Trouble that can not be foreseen rolls the whole set back, and the runner carries its
jobs out one by one.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import Acquired, release
from retriage.store.batch.execute import MOST_FAILURES, Outcome
from retriage.store.batch.jobs import Failure, fail, finish
from retriage.store.bpmn import CanNotGoOn, How, Move, Pause
from retriage.store.commands.job_log import OF_ANY
from retriage.store.commands.operands import operands
from retriage.store.commands.processes import process_of
from retriage.store.commands.tokens import Arrivals, Running, Tokens, end_instances
from retriage.store.contract.records import TIMER_JOB
from retriage.store.contract.states import SUSPENDED
from retriage.store.database import keep, now
from retriage.store.queries.conditions import one_of
from retriage.store.queries.variables import of_tasks
from retriage.store.tables import Execution, Job, JobDefinition, ProcessInstance, Variable
from retriage.store.tables.types import Rows, col

LOCAL = and_(col(Variable.execution_id).is_not(None), col(Variable.deleted).is_(False))
_ID = col(ProcessInstance.id)
_JOBS: Rows = (
    select(
        col(Job.id),
        col(Job.job_type),
        col(Job.process_instance_id),
        col(Job.process_definition_id),
        col(Job.execution_id),
        col(Job.activity_id),
        col(Job.flow_id),
        col(Job.retries),
        col(Job.tenant_id),
        col(JobDefinition.job_configuration),
        col(ProcessInstance.state),
    )
    .join(JobDefinition, col(JobDefinition.id) == col(Job.job_definition_id))
    .join(ProcessInstance, _ID == col(Job.process_instance_id))
    .order_by(col(Job.id))
)


async def run_token_jobs(connection: AsyncConnection, acquired: Acquired) -> Outcome:
    """Carry out the jobs of tokens that an acquisition holds, those of one instance one after the other.

    Jobs that were suspended since they were acquired stay as they are, and are given back.

    Args:
        connection: the caller's transaction.
        acquired: the acquisition.
    """
    mine = acquired.held()
    await keep(connection, _ID, _ID.in_(select(col(Job.process_instance_id)).where(mine)))
    await keep(connection, col(Job.id), mine)
    jobs: Sequence[Row[Any]] = (await connection.execute(_JOBS.where(mine))).all()
    done, failures = await _move(connection, jobs) if jobs else ([], [])
    await fail(connection, failures)
    if done:
        await finish(connection, one_of(col(Job.id), done), now(), OF_ANY)
    left = len(jobs) - len(done) - len(failures)
    if len(jobs) < acquired.count:
        await release(connection, acquired)
        left = 0
    return Outcome(len(done), failures, left=bool(left))


async def _move(connection: AsyncConnection, jobs: Sequence[Row[Any]]) -> tuple[list[str], list[Failure]]:
    """Let the tokens of jobs go on, and end instances after their last tokens.

    Returns:
        The jobs that are done, and not removed yet; and those that failed, of which there are not too many: jobs after
        them are in neither list.
    """
    tokens = await _tokens(connection, jobs)
    names = {name for job in jobs for name in (await process_of(connection, job.process_definition_id)).reads}
    places = [(job.process_instance_id, job.execution_id) for job in jobs]
    variables = await of_tasks(connection, places, names) if names else {}
    arrivals = Arrivals()
    done: list[Row[Any]] = []
    failures: list[Failure] = []
    for job in jobs:
        if len(failures) == MOST_FAILURES:
            break
        process = await process_of(connection, job.process_definition_id)
        instance = Running(job.process_instance_id, job.process_definition_id, job.tenant_id)
        of_instance, local = variables.get((job.process_instance_id, job.execution_id), ({}, {}))
        others = tokens[instance.id]
        others.count -= 1
        try:
            if job.state == SUSPENDED:
                raise CanNotGoOn(f"ENGINE-03043 Execution with id '{job.execution_id}' is suspended.")
            move = _next_move(job)
            if move is not None:
                await arrivals.add(connection, instance, process, move, operands(of_instance | local), others)
        except CanNotGoOn as reason:
            others.count += 1
            cycle = process.nodes[job.activity_id].retry_cycle
            due = cycle.due(job.retries, now()) if cycle is not None and job.retries else None
            failures.append(Failure(job.id, str(reason), _trace(job.id, reason), reason.node, due))
        else:
            done.append(job)
    await _leave(connection, done)
    await arrivals.write(connection)
    ended = sorted({job.process_instance_id for job in done if not tokens[job.process_instance_id].count})
    if ended:
        await end_instances(connection, ended, now())
    return [job.id for job in done], failures


def _next_move(job: Row[Any]) -> Move | None:
    """What the token of a job does once it is done; none where it comes to its end."""
    if job.job_type == TIMER_JOB:
        return Move(How.LEAVE, job.activity_id)
    if job.job_configuration == Pause.BEFORE.value:
        return Move(How.RESUME, job.activity_id)
    return None if job.flow_id is None else Move(How.TAKE, job.flow_id)


def _trace(job_id: str, reason: CanNotGoOn) -> str:
    return f"ProcessEngineException: {reason}\n\tat {reason.node or 'its activity'}\n\tin job {job_id}\n"


async def _tokens(connection: AsyncConnection, jobs: Sequence[Row[Any]]) -> dict[str, Tokens]:
    """The tokens of the instances that jobs belong to."""
    definitions = {job.process_instance_id: job.process_definition_id for job in jobs}
    of_instance = col(Execution.process_instance_id)
    places = (of_instance, col(Execution.activity_id), col(Execution.in_transition))
    statement = select(*places, func.count().label("tokens")).where(one_of(of_instance, list(definitions)))
    found: dict[str, Tokens] = defaultdict(Tokens)
    for row in await connection.execute(statement.group_by(*places)):
        found[row.process_instance_id].add(await process_of(connection, definitions[row.process_instance_id]), row)
    return found


async def _leave(connection: AsyncConnection, jobs: Sequence[Row[Any]]) -> None:
    """Remove the executions of jobs that are done, with their variables."""
    executions = [job.execution_id for job in jobs]
    if not executions:
        return
    # Looked up by the instances alone: both lists together would be held against each other.
    of_instances = one_of(col(Variable.process_instance_id), sorted({job.process_instance_id for job in jobs}))
    local = select(col(Variable.id), col(Variable.execution_id)).where(of_instances, LOCAL)
    left = set(executions)
    ended = [row.id for row in await connection.execute(local) if row.execution_id in left]
    if ended:
        await connection.execute(update(Variable).where(one_of(col(Variable.id), ended)).values(deleted=True))
    await connection.execute(delete(Execution).where(one_of(col(Execution.id), executions)))
