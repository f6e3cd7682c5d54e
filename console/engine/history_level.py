"""How much the engine writes into its history, inferred from what it shows: no question of the contract tells it.

At level full each external task has an entry in its log from the moment it is created. At activity and audit instances
are in the history but no log is; at none there is nothing (observed on Camunda 7.24.0). Only batches of level full are
remembered once they have ended.
"""

from typing import Literal, Protocol

from console.engine.errors import EngineProblem
from store.contract.history import HistoricExternalTaskLogQuery
from store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from store.contract.records import ExternalTask, ProcessInstance

HistoryLevel = Literal["not known", "none", "activity or audit", "full"]


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

    async def count_historic_process_instances(self, query: HistoricProcessInstanceQuery) -> int:
        """How many process instances match, running or ended."""
        ...


async def infer_history_level(client: HistoryQuestions) -> HistoryLevel:
    """The level, as far as it shows; three small questions. What a user may not read looks like what is not kept, so
    ask only where the history may be read.

    Raises:
        EngineProblem: the engine did not answer.
    """
    tasks = await client.external_tasks(ExternalTaskQuery(), 0, 1)
    if not tasks:
        return "not known"
    task = tasks[0]
    try:
        if await client.count_external_task_log(HistoricExternalTaskLogQuery(external_task_id=task.id)):
            return "full"
    except EngineProblem:
        return "not known"
    kept = HistoricProcessInstanceQuery(process_instance_id=task.process_instance_id)
    return "activity or audit" if await client.count_historic_process_instances(kept) else "none"


def what_is_lost(level: HistoryLevel) -> str:
    """What cannot be known of a batch at this level, in one sentence; empty where everything can."""
    if level in ("full", "not known"):
        return ""
    return f"History level {level}: once the batch has ended, the engine cannot say how; only its tasks will show it."
