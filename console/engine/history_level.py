"""How much the engine writes into its history, inferred from what it shows: no question of the contract tells it.

At level full each external task and each job has an entry in its log from the moment it is created. At activity and
audit instances are in the history but no log is; at none there is nothing (observed on Camunda 7.24.0). Only batches of
level full are remembered once they have ended.
"""

from collections.abc import Collection
from typing import Literal, Protocol

from retriage.console.engine.errors import EngineProblem, Refused
from retriage.console.engine.rights import FIRST_TASKS, READ_HISTORY, Rights
from retriage.store.contract.history import HistoricExternalTaskLogQuery, HistoricJobLogQuery
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    JobQuery,
    ProcessInstanceQuery,
)
from retriage.store.contract.records import ExternalTask, Job, ProcessInstance

HistoryLevel = Literal["not known", "refused", "none", "activity or audit", "full"]
"""*refused*: the engine answers questions for the history with a refusal, as where a proxy or a plug-in closes it."""


History = Literal["kept", "unreadable", "not known"]
"""Whether the history shows how tasks ended: *unreadable* where none is kept, or this user may not read all of it."""


class HistoryQuestions(Protocol):
    """The part of the client that shows something of now and of the history."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...

    async def process_instances(self, query: ProcessInstanceQuery, first: int, size: int) -> list[ProcessInstance]:
        """A page of running process instances."""
        ...

    async def count_external_task_log(self, query: HistoricExternalTaskLogQuery) -> int:
        """How many entries of the external task log match."""
        ...

    async def jobs(self, query: JobQuery, first: int, size: int) -> list[Job]:
        """A page of jobs."""
        ...

    async def count_job_log(self, query: HistoricJobLogQuery) -> int:
        """How many entries of the job log match."""
        ...

    async def count_historic_process_instances(self, query: HistoricProcessInstanceQuery) -> int:
        """How many process instances match, running or ended."""
        ...


async def infer_history_level(client: HistoryQuestions, processes: Collection[str] = ()) -> HistoryLevel:
    """The level, as far as a task shows it, or a job where there is no task; a few small questions. What a user
    may not read looks like what is not kept, so ask only where the history may be read.

    Args:
        client: asks the engine.
        processes: keys of the processes whose history the user may read, where it may not read that of all.

    Raises:
        EngineProblem: the engine did not answer.
    """
    tasks = await client.external_tasks(ExternalTaskQuery(), 0, FIRST_TASKS if processes else 1)
    tasks = [task for task in tasks if not processes or task.process_definition_key in processes]
    instance = tasks[0].process_instance_id if tasks else None
    try:
        if tasks:
            # The table of this log has an index for instances, and none for tasks.
            query = HistoricExternalTaskLogQuery(external_task_id=tasks[0].id, process_instance_id=instance)
            logged = await client.count_external_task_log(query)
        else:
            jobs = await client.jobs(JobQuery(), 0, FIRST_TASKS)
            # Those of batches are of no process: other rights decide who reads their log.
            of_processes = [job for job in jobs if job.process_instance_id and job.process_definition_key]
            job = next((one for one in of_processes if one.process_definition_key in processes or not processes), None)
            if job is None:
                return "not known"
            instance = job.process_instance_id
            logged = await client.count_job_log(HistoricJobLogQuery(job_id=job.id))
        if logged:
            return "full"
    except Refused as problem:
        return "refused" if problem.says_never else "not known"
    except EngineProblem:
        return "not known"
    kept = HistoricProcessInstanceQuery(process_instance_id=instance)
    return "activity or audit" if await client.count_historic_process_instances(kept) else "none"


_BY_WHAT_IS_THERE = (
    "Once the batch is done, only the {unit}s that are still there show what became of it, and the gate of a run "
    "judges by them."
)


def what_is_lost(level: HistoryLevel, rights: Rights | None = None, unit: str = "task") -> str:
    """What cannot be known of a batch at this level, or by a user with these rights; empty where everything can.

    The lists of the history are empty for a user without the right to read them, not refused (observed on Camunda
    7.24.0).

    Args:
        level: of the history.
        rights: of the user; all where they are not given.
        unit: what the batch is about: ``task``, ``instance`` or ``job``.
    """
    one, only_there = f"{'an' if unit[0] in 'aeiou' else 'a'} {unit}", _BY_WHAT_IS_THERE.format(unit=unit)
    if rights is not None and rights.not_on_all(READ_HISTORY):
        keys = rights.only_on(READ_HISTORY)
        which = f" of other processes than {', '.join(keys)}" if keys else ""
        need = "READ_HISTORY on PROCESS_DEFINITION"
        return f"This user may not read the history{which} ({need}): how {one} ended is not known. {only_there}"
    if level in ("full", "not known"):
        return ""
    if level == "refused":
        return f"The engine refuses every question for its history: how {one} ended is not known. {only_there}"
    if level == "none":
        return f"History level none: the engine does not keep how {one} ended. {only_there}"
    if unit == "job":
        return f"History level {level}: the engine does not keep how {one} ended. {only_there}"
    return f"History level {level}: once the batch has ended, the engine cannot say how; only its {unit}s will show it."
