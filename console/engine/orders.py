"""Orders to the engine: what changes something. Sent once, never repeated."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from retriage.console.engine.answers import read_json, record
from retriage.console.engine.batch_request import BatchRequest, body_bytes
from retriage.console.engine.channel import Channel, in_doubt
from retriage.console.engine.errors import RanAndFailed, Refused, Unanswered, Unintelligible, one_line
from retriage.console.engine.paths import part
from retriage.store.contract.orders import SetJobsRetries
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Batch

_OF_A_RUN = frozenset({"InvalidRequestException", "RestException"})
"""Types of what an engine answers when a job was run in a request and failed."""


class Orders:
    """The orders of a client.

    Every order may raise :class:`~retriage.console.engine.errors.Unanswered`: it was sent, and nobody knows what became
    of it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def guard_orders(self, why_not: Callable[[], str]) -> None:
        """Send no order while ``why_not()`` answers a sentence; it is raised as Forbidden."""
        self._channel.why_no_order = why_not

    async def launch_batch(self, request: BatchRequest) -> Batch:
        """Launch a batch with the very bytes of a request.

        Raises:
            Unanswered: :mod:`retriage.console.launch.find_batch` looks for what it made.
        """
        return await self._launch(request.path, request.body)

    async def _launch(self, path: str, body: bytes) -> Batch:
        since = self._channel.clock.now()
        what, sent_at = "launch of the batch", datetime.now(UTC)
        answer = await self._channel.order("POST", path, what, content=body)
        try:
            made = read_json(answer.content)
            if _is_batch(made):
                batch = record(Batch, made)
                if batch.start_time is not None:
                    self._channel.clock.reached(batch.start_time)
                    self._channel.clock.short_of(batch.start_time, sent_at)
                return batch
        except Unintelligible:
            pass
        raise Unanswered(in_doubt(what, "the answer is not a batch"), what, since, answer.status_code)

    async def _carry_out(self, method: str, path: str, what: str, *, params: Any = None, body: Any = None) -> None:
        """Send an order that an engine answers without a body (204)."""
        since = self._channel.clock.now()
        answer = await self._channel.order(method, path, what, params=params, body=body)
        if answer.content.strip():
            raise Unanswered(in_doubt(what, "the answer is not an engine's"), what, since, answer.status_code)

    async def suspend_batch(self, id: str, suspended: bool) -> None:
        """Suspend a batch, or let it go on."""
        what = "suspension of the batch" if suspended else "resumption of the batch"
        await self._carry_out("PUT", f"batch/{part(id)}/suspended", what, body={"suspended": suspended})

    async def delete_batch(self, id: str, cascade: bool = False) -> None:
        """Delete a running batch with its jobs; with ``cascade`` its history too. Tasks already set stay set."""
        params = {"cascade": "true" if cascade else "false"}
        await self._carry_out("DELETE", f"batch/{part(id)}", "deletion of the batch", params=params)

    async def retry_jobs(self, job_definition_id: str, retries: int) -> None:
        """Give all jobs of the definition that have 0 retries new ones."""
        path = f"job-definition/{part(job_definition_id)}/retries"
        await self._carry_out("PUT", path, "order to retry the jobs", body={"retries": retries})

    async def set_job_retries(self, job_id: str, retries: int) -> None:
        """Set the retries of one job."""
        await self._carry_out("PUT", f"job/{part(job_id)}/retries", "order to retry the job", body={"retries": retries})

    async def delete_job(self, id: str) -> None:
        """Delete a job: what it was to do is never done."""
        await self._carry_out("DELETE", f"job/{part(id)}", "deletion of the job")

    async def suspend_job(self, id: str, suspended: bool) -> None:
        """Suspend a job, or let it go on; an engine does not mind if there is none with this id."""
        what = "suspension of the job" if suspended else "resumption of the job"
        await self._carry_out("PUT", f"job/{part(id)}/suspended", what, body={"suspended": suspended})

    async def execute_job(self, id: str) -> None:
        """Carry a job out now, in this request, also one with no retries left or a suspended one.

        Raises:
            RanAndFailed: it ran and failed; the engine answers with the message of the failure.
            Refused: it was not run.
        """
        try:
            await self._carry_out("POST", f"job/{part(id)}/execute", "order to run the job", body={})
        except Refused as problem:
            # The same status and type tell that there is no such job: only the words differ.
            if problem.type not in _OF_A_RUN or f"No job found with id '{id}'" in problem.message:
                raise
            sentence = f"The job ran and failed: {one_line(problem.message) or 'without a message'}"
            raise RanAndFailed(sentence, problem.status, problem.type, problem.message, problem.code) from problem

    async def unlock(self, id: str) -> None:
        """Take the lock off an external task, whoever holds it; its worker is forgotten."""
        await self._carry_out("POST", f"external-task/{part(id)}/unlock", "order to unlock the task")

    async def lock(self, id: str, worker: str, seconds: int) -> None:
        """Lock an external task for a worker, also one without retries."""
        body = {"workerId": worker, "lockDuration": 1000 * seconds}
        await self._carry_out("POST", f"external-task/{part(id)}/lock", "order to lock the task", body=body)

    async def report_task(self, id: str, path: str, body: Mapping[str, Any]) -> None:
        """Report as the worker that has locked an external task: ``complete``, ``failure`` or ``bpmnError``.

        Raises:
            Refused: nothing was changed, also where the process could not go on behind the task.
        """
        await self._carry_out("POST", f"external-task/{part(id)}/{path}", "report on the task", body=dict(body))

    async def set_job_retries_async(self, jobs: Sequence[str] | JobQuery, retries: int) -> Batch:
        """Launch a batch that sets the retries of many jobs, named by their ids or by what they match."""
        if isinstance(jobs, JobQuery):
            order = SetJobsRetries(retries=retries, job_query=jobs)
        else:
            order = SetJobsRetries(retries=retries, job_ids=list(jobs))
        return await self._launch("job/retries", body_bytes(order))

    async def change_variables(
        self, instance_id: str, modifications: Mapping[str, Any], deletions: Sequence[str]
    ) -> None:
        """Set variables of one process instance and delete others, in one transaction."""
        path, body = f"process-instance/{part(instance_id)}/variables", {"modifications": modifications}
        what = "order to change the variables"
        await self._carry_out("POST", path, what, body={**body, "deletions": list(deletions)})

    async def change_local_variables(
        self, execution_id: str, modifications: Mapping[str, Any], deletions: Sequence[str]
    ) -> None:
        """Set variables of one execution alone, that of a task for instance, and delete others, in one transaction."""
        path, what = f"execution/{part(execution_id)}/localVariables", "order to change the variables of a task"
        body = {"modifications": modifications, "deletions": list(deletions)}
        await self._carry_out("POST", path, what, body=body)

    async def annotate_incident(self, id: str, note: str | None) -> None:
        """Write a note on an open incident in place of the one it has; none takes it away."""
        path, what = f"incident/{part(id)}/annotation", "order to write the note"
        if note is None:
            await self._carry_out("DELETE", path, what)
        else:
            await self._carry_out("PUT", path, what, body={"annotation": note})


def _is_batch(value: Any) -> bool:
    """A JSON value is a batch, as every engine of the family answers a launch: with an id, a type and its jobs."""
    if not isinstance(value, dict):
        return False
    named = all(isinstance(value.get(name), str) and value[name] for name in ("id", "type"))
    return named and type(value.get("totalJobs")) is int
