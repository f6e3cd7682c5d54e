"""Orders to the engine: what changes something. Sent once, never repeated."""

from console.engine.answers import read_json, record
from console.engine.channel import Channel
from console.engine.errors import Unanswered, Unintelligible
from console.engine.paths import part
from store.contract.orders import SetExternalTaskRetries
from store.contract.records import Batch


class Orders:
    """The orders of a client.

    Every order may raise :class:`~console.engine.errors.Unanswered`: it was sent, and nobody knows what became of it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def set_retries_async(self, order: SetExternalTaskRetries) -> Batch:
        """Launch a batch that sets the retries of many external tasks.

        Raises:
            Unanswered: look with :func:`console.engine.lookup.find_launch` before launching again.
        """
        body = order.model_dump(mode="json", by_alias=True, exclude_none=True)
        since = self._channel.engine_now()
        what = "launch of the batch"
        answer = await self._channel.order("POST", "external-task/retries-async", what, body=body)
        try:
            return record(Batch, read_json(answer.content))
        except Unintelligible as problem:
            sentence = f"The {what} was answered with something that is no batch: it may have been carried out."
            raise Unanswered(sentence, what, since) from problem

    async def suspend_batch(self, id: str, suspended: bool) -> None:
        """Suspend a batch, or let it go on."""
        what = "suspension of the batch" if suspended else "resumption of the batch"
        await self._channel.order("PUT", f"batch/{part(id)}/suspended", what, body={"suspended": suspended})

    async def delete_batch(self, id: str, cascade: bool = False) -> None:
        """Delete a running batch with its jobs; with ``cascade`` its history too. Tasks already set stay set."""
        params = {"cascade": "true" if cascade else "false"}
        await self._channel.order("DELETE", f"batch/{part(id)}", "deletion of the batch", params=params)

    async def retry_jobs(self, job_definition_id: str, retries: int) -> None:
        """Give all jobs of the definition that have 0 retries new ones."""
        path = f"job-definition/{part(job_definition_id)}/retries"
        await self._channel.order("PUT", path, "order to retry the jobs", body={"retries": retries})

    async def set_job_retries(self, job_id: str, retries: int) -> None:
        """Set the retries of one job."""
        await self._channel.order(
            "PUT", f"job/{part(job_id)}/retries", "order to retry the job", body={"retries": retries}
        )

    async def delete_job(self, id: str) -> None:
        """Delete a job: what it was to do is never done."""
        await self._channel.order("DELETE", f"job/{part(id)}", "deletion of the job")

    async def set_external_task_retries(self, id: str, retries: int) -> None:
        """Set the retries of one external task, at once and without a batch."""
        path = f"external-task/{part(id)}/retries"
        await self._channel.order("PUT", path, "order to set the retries", body={"retries": retries})
