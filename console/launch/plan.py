"""The plan of a launch: what will be sent, what it makes of the tasks, what it costs the engine. Pure."""

from dataclasses import dataclass, replace
from functools import cached_property

from console.launch.counts import SelectionCounts
from console.launch.preview import PreviewClass, gone_class, lowered_class, preview_classes
from console.launch.request_text import curl_text, json_text
from console.reading.narrowed_queries import narrowed
from console.reading.selected_tasks import SelectedTasks
from console.reading.selection import Composed, Everything, Marked, Selection, named_by_query
from store.contract.orders import SetExternalTaskRetries
from store.contract.queries import ExternalTaskQuery
from store.contract.values import INT_MAX

JOBS_PER_SEED = 100
"""``batchJobsPerSeed`` of an engine that was not told otherwise."""

TASKS_PER_JOB = 1
"""``invocationsPerBatchJob`` of an engine that was not told otherwise."""


@dataclass(frozen=True)
class LaunchPlan:
    """A launch, thought through.

    Tasks that would lose retries, and named tasks that are gone, are left out unless the operator takes them in.

    Attributes:
        selection: what was taken.
        retries: the value to set, 0 or more.
        facts: what was counted.
        roll: the tasks themselves, where they were read. A selection that the engine cannot be told as a query, and one
            that leaves single tasks out, is launched by the ids of the roll.
        with_lowered: take in those that would lose retries.
        with_gone: take in those that are gone.
        jobs_per_seed: ``batchJobsPerSeed`` of the engine.
        tasks_per_job: ``invocationsPerBatchJob`` of the engine.
    """

    selection: Selection
    retries: int
    facts: SelectionCounts
    roll: SelectedTasks | None = None
    with_lowered: bool = False
    with_gone: bool = False
    jobs_per_seed: int = JOBS_PER_SEED
    tasks_per_job: int = TASKS_PER_JOB

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= INT_MAX:
            raise ValueError("The number of retries must be 0 or more (and fit in 32 bits).")

    def but(self, **changes: object) -> "LaunchPlan":
        """The plan with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def lowered(self) -> int:
        """Tasks that have more retries now; at most so many where each one was not looked at."""
        return self.facts.above(self.retries)

    @property
    def by_query(self) -> bool:
        """The engine is told a query, and takes what matches when the order arrives."""
        return named_by_query(self.selection)

    @property
    def composed(self) -> bool:
        """The request is sent as the operator has put it together."""
        drops = (self.lowered and not self.with_lowered) or (self.facts.gone and not self.with_gone)
        return isinstance(self.selection, Composed) and not drops

    @property
    def by_ids(self) -> bool:
        """The request names every task by id: what is launched is frozen."""
        return not self.by_query and not self.composed

    @property
    def narrows(self) -> bool:
        """The query is sent with one more filter: no retries left. A query cannot leave out fewer."""
        return self.by_query and self.lowered > 0 and not self.with_lowered

    def describe(self) -> str:
        """What is taken, in words, for the head of the dialog."""
        if self.narrows and isinstance(self.selection, Everything) and self.selection.every_task:
            return "all without retries left"
        return self.selection.describe() + (", those without retries left" if self.narrows else "")

    @property
    def left_out(self) -> int:
        """Tasks of the selection that the launch does not take."""
        if self.by_query:
            return self.facts.retries_left if self.narrows else 0
        return (0 if self.with_lowered else self.lowered) + (0 if self.with_gone else self.facts.gone)

    @property
    def count(self) -> int:
        """Tasks that the launch takes; those that are gone but taken in are counted."""
        return max(self.facts.asked - self.left_out, 0)

    @property
    def everything(self) -> bool:
        """It would take every external task of the engine, so the operator has to say yes to that."""
        if isinstance(self.selection, Marked) or self.by_ids or self.narrows:
            return False
        return self.selection.every_task and self.facts.asked > 0

    @property
    def ready(self) -> bool:
        """The request can be made."""
        return self.by_query or self.composed or self.roll is not None or isinstance(self.selection, Marked)

    @property
    def jobs(self) -> int:
        """Batch jobs that it makes: one per so many tasks."""
        return -(-self.count // self.tasks_per_job)

    @property
    def seeds(self) -> int:
        """Executions of the seed job, at least: each deployment among the tasks begins a new one."""
        return -(-self.jobs // self.jobs_per_seed)

    @cached_property
    def ids(self) -> list[str]:
        """The ids that the request names, ascending."""
        named = self.selection.ids if isinstance(self.selection, Marked) else frozenset()
        if self.roll is None:
            return sorted(named)
        taken = set(self.roll.retries)
        if not self.with_lowered:
            taken.difference_update(self.roll.above(self.retries))
        if self.with_gone:
            taken.update(self.roll.gone)
        return sorted(taken)

    @cached_property
    def request(self) -> SetExternalTaskRetries:
        """The order as it is sent.

        Raises:
            ValueError: the tasks have to be read first.
        """
        if not self.ready:
            raise ValueError("the tasks of this selection must be read before it can be sent")
        if isinstance(self.selection, Everything) and self.by_query:
            return SetExternalTaskRetries(retries=self.retries, external_task_query=self._query(self.selection.query))
        if isinstance(self.selection, Composed) and self.composed:
            return self.selection.sources.model_copy(update={"retries": self.retries})
        return SetExternalTaskRetries(retries=self.retries, external_task_ids=list(self.ids))

    def _query(self, query: ExternalTaskQuery) -> ExternalTaskQuery:
        unsorted = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
        return (narrowed(unsorted, "no_retries") or unsorted) if self.narrows else unsorted

    def json(self, ids: int | None = 3) -> str:
        """The body for the screen, one field a line; of a list of ids the first few (``None``: all of them)."""
        return json_text(self.request, ids)

    def curl(self, url: str, user: str | None = None, token: bool = False) -> str:
        """The whole request as a shell command, without any password: curl asks for it, or takes ``$TOKEN``."""
        return curl_text(self.request, url, user, token)

    def preview(self) -> list[PreviewClass]:
        """What becomes of the tasks that are taken, group by group; groups without tasks are left out."""
        return preview_classes(self.facts, self.retries, self.by_query and self.lowered > 0)

    def lowered_class(self) -> PreviewClass | None:
        """Those that would lose retries, if there are any: the operator decides."""
        return lowered_class(self.facts, self.retries, self.by_query) if self.lowered else None

    def gone_class(self) -> PreviewClass | None:
        """Those that are gone, if there are any: the operator decides."""
        return gone_class(self.facts) if self.facts.gone else None

    def warnings(self) -> list[str]:
        """What the operator should have read before sending."""
        if not self.facts.asked:
            return ["There is nothing to launch: no task matches."]
        if not self.count:
            return ["Nothing is left to launch: space takes in what is left out."]
        said = ["This takes EVERY external task of the engine."] if self.everything else []
        if self.retries == 0 and self.facts.no_retries >= self.count:
            said.append("They all have 0 retries already: this changes nothing.")
        elif self.retries == 0:
            said.append("With 0 retries no worker gets these tasks, and each that had some raises an incident.")
        return said

    @property
    def wants_a_look(self) -> bool:
        """Something about it should be read before it is sent, however fast the keys came."""
        return bool(self.warnings() or self.lowered or self.facts.gone)
