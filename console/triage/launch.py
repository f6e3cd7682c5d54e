"""The plan of a launch: what will be sent, what it makes of the tasks, what it costs the engine. Pure."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from console.triage.request import curl_text, json_text
from console.triage.selection import Everything, Marked, Selection, named_by_query
from console.triage.survey import Facts
from store.contract.orders import SetExternalTaskRetries
from store.contract.values import INT_MAX

JOBS_PER_SEED = 100
"""``batchJobsPerSeed`` of an engine that was not told otherwise."""

TASKS_PER_JOB = 1
"""``invocationsPerBatchJob`` of an engine that was not told otherwise."""

Tone = Literal["good", "plain", "warning"]


@dataclass(frozen=True)
class Outcome:
    """What becomes of some of the tasks.

    Attributes:
        count: how many; with ``at_most`` there may be fewer.
        label: which ones, "tries 0 -> 3".
        effect: what it means for them.
        tone: whether that is what the operator wants.
        at_most: the engine could not be asked exactly.
        overlaps: these tasks are counted in another line as well (locked, suspended).
    """

    count: int
    label: str
    effect: str
    tone: Tone = "plain"
    at_most: bool = False
    overlaps: bool = False


@dataclass(frozen=True)
class Plan:
    """A launch, thought through.

    Attributes:
        selection: what was taken. One that the engine cannot be told as a query must be settled before it is sent
            (:func:`console.triage.settle.settled`); the plan of the unsettled one tells everything but the request.
        retries: the value to set, 0 or more.
        facts: what was counted.
        jobs_per_seed: ``batchJobsPerSeed`` of the engine.
        tasks_per_job: ``invocationsPerBatchJob`` of the engine.
    """

    selection: Selection
    retries: int
    facts: Facts
    jobs_per_seed: int = JOBS_PER_SEED
    tasks_per_job: int = TASKS_PER_JOB

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= INT_MAX:
            raise ValueError("The number of retries must be 0 or more (and fit in 32 bits).")

    @property
    def count(self) -> int:
        """Tasks that the request names; those that are gone are still named by their ids."""
        return self.facts.asked

    @property
    def everything(self) -> bool:
        """It would take every external task of the engine, so the operator has to say yes to that."""
        return isinstance(self.selection, Everything) and self.selection.every_task

    @property
    def by_ids(self) -> bool:
        """The request names tasks by id, not by query."""
        return not named_by_query(self.selection)

    @property
    def ready(self) -> bool:
        """The request can be made: the selection is ids, or a query that the engine understands."""
        return isinstance(self.selection, Marked) or named_by_query(self.selection)

    @property
    def jobs(self) -> int:
        """Batch jobs that it makes: one per so many tasks."""
        return -(-self.count // self.tasks_per_job)

    @property
    def seeds(self) -> int:
        """Executions of the seed job, at least: each deployment among the tasks begins a new one."""
        return -(-self.jobs // self.jobs_per_seed)

    @cached_property
    def request(self) -> SetExternalTaskRetries:
        """The order as it is sent.

        Raises:
            ValueError: the selection has to be settled first.
        """
        if isinstance(self.selection, Marked):
            return SetExternalTaskRetries(retries=self.retries, external_task_ids=sorted(self.selection.ids))
        if not self.ready:
            raise ValueError("this selection must be settled into ids before it can be sent")
        unsorted = self.selection.query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
        return SetExternalTaskRetries(retries=self.retries, external_task_query=unsorted)

    def json(self, ids: int | None = 3) -> str:
        """The body for the screen, one field a line; of a list of ids the first few (``None``: all of them)."""
        return json_text(self.request, ids)

    def curl(self, url: str, user: str | None = None, token: bool = False) -> str:
        """The whole request as a shell command, without any password: curl asks for it, or takes ``$TOKEN``."""
        return curl_text(self.request, url, user, token)

    def outcomes(self) -> list[Outcome]:
        """What becomes of the tasks, group by group; groups without tasks are left out."""
        told = [*self._failed(), *self._with_retries(), *self._held(), *self._gone()]
        return [outcome for outcome in told if outcome.count]

    def warnings(self) -> list[str]:
        """What the operator should have read before sending."""
        said = ["This takes EVERY external task of the engine."] if self.everything else []
        if not self.count:
            said.append("Nothing matches: the engine would refuse the launch.")
        if self.retries == 0:
            said.append("With 0 retries no worker gets these tasks, and each one raises an incident.")
        return said

    def _failed(self) -> list[Outcome]:
        count, value = self.facts.no_retries, self.retries
        if value == 0:
            return [Outcome(count, "tries 0 -> 0", "nothing changes")]
        return [Outcome(count, f"tries 0 -> {value}", "incident closes, a worker may fetch it", "good")]

    def _with_retries(self) -> list[Outcome]:
        facts, value = self.facts, self.retries
        if not facts.looked:
            effect = f"set to {value}: those with more are LOWERED" if value else "set to 0: an incident each"
            return [Outcome(facts.retries_left, "tries left or never failed", effect, "warning")]
        told = [_changed(before, value, count) for before, count in facts.retries.items() if before is not None]
        never = Outcome(facts.retries.get(None, 0), f"never failed (-) -> {value}", "has no need of it", "warning")
        if value == 0:
            never = Outcome(never.count, "never failed (-) -> 0", "raises an incident", "warning")
        return [*sorted(told, key=lambda outcome: -outcome.count), never]

    def _held(self) -> list[Outcome]:
        return [
            Outcome(self.facts.locked, "locked by a worker", "set now, fetchable later", overlaps=True),
            Outcome(self.facts.suspended, "suspended", "set now, waits for its instance", overlaps=True),
        ]

    def _gone(self) -> list[Outcome]:
        effect = "their jobs fail and keep the batch open"
        return [Outcome(self.facts.gone, "gone since they were marked", effect, "warning")]


def _changed(before: int, after: int, count: int) -> Outcome:
    label = f"tries {before} -> {after}"
    if after == 0:
        return Outcome(count, label, "LOWERED to 0: raises an incident", "warning")
    if after < before:
        return Outcome(count, label, "LOWERED", "warning")
    return Outcome(count, label, "unchanged" if after == before else "raised")
