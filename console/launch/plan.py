"""The plan of a launch: what will be sent, what it makes of the tasks, what it costs the engine. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.launch.request_text import curl_text, json_text
from retriage.console.operations.preview import (
    BY_HAND,
    Kind,
    PreviewClass,
    class_by_hand,
    kind_of,
    numbers_by_kind,
    overlap_classes,
    preview_classes,
)
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.counts import SelectionCounts
from retriage.console.reading.narrowed_queries import Trait, narrowed
from retriage.console.reading.selected_tasks import SelectedTasks
from retriage.console.reading.selection import Composed, Everything, Marked, Selection, named_by_query
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.values import INT_MAX

JOBS_PER_SEED = 100
"""``batchJobsPerSeed`` of an engine that was not told otherwise."""

TASKS_PER_JOB = 1
"""``invocationsPerBatchJob`` of an engine that was not told otherwise."""

Way = Literal["query", "failed", "left", "composed", "ids"]
"""How the engine is told: the query as it is, the query and ``noRetriesLeft``, the query and ``withRetriesLeft``, the
composed request as it is, or the ids of the tasks."""

NO_QUERY = "no query leaves the others out"


@dataclass(frozen=True)
class LaunchPlan:
    """A launch, thought through.

    Tasks that never failed, that have the number already, that would lose retries, and named tasks that are gone, are
    left out unless the operator takes them in. Only setting to 0 takes those that lose retries: that is what it is for.
    A query is sent only where it can take nothing that is to be left out, also among tasks that come to match before
    the engine reads it; otherwise the tasks are named by their ids.

    Attributes:
        selection: what was taken.
        retries: the value to set, 0 or more.
        facts: what was counted.
        selected_tasks: the tasks themselves, where they were read.
        included: what the operator takes in by hand.
        apart: tasks with retries left can be told apart; false where there are too many to be read.
        by_ids_because: why the engine cannot be told the query itself; empty where it can.
        jobs_per_seed: ``batchJobsPerSeed`` of the engine.
        tasks_per_job: ``invocationsPerBatchJob`` of the engine.
    """

    selection: Selection
    retries: int
    facts: SelectionCounts
    selected_tasks: SelectedTasks | None = None
    included: frozenset[Kind] = frozenset()
    apart: bool = True
    by_ids_because: str = ""
    jobs_per_seed: int = JOBS_PER_SEED
    tasks_per_job: int = TASKS_PER_JOB

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= INT_MAX:
            raise ValueError("The number of retries must be 0 or more (and fit in 32 bits).")

    def but(self, **changes: object) -> "LaunchPlan":
        """The plan with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def said(self) -> str:
        """What was chosen, in words."""
        return self.selection.describe()

    def only(self, ids: Collection[str], said: str) -> "LaunchPlan":
        """The plan over some of the tasks that it names, as ``said`` in words."""
        selection = Marked(frozenset(ids), said)
        if self.selected_tasks is None:
            return self.but(selection=selection, facts=replace(self.facts, asked=len(ids), found=len(ids)))
        selected_tasks = self.selected_tasks.only(ids)
        return self.but(selection=selection, selected_tasks=selected_tasks, facts=selected_tasks.facts())

    @property
    def operation(self) -> SetRetries:
        """What is done."""
        return SetRetries(self.retries)

    # -- which tasks ------------------------------------------------------------------------------------------------

    @cached_property
    def numbers(self) -> Mapping[Kind, int]:
        """How many tasks of each kind the selection holds; kinds without tasks are left out."""
        return numbers_by_kind(self.facts, self.retries, self.apart)

    def takes_kind(self, kind: Kind) -> bool:
        """Whether tasks of this kind are meant."""
        return kind not in BY_HAND or kind in self.included or (kind == "lowered" and self.retries == 0)

    def takes(self, has: int | None) -> bool:
        """Whether a task of the selection that has so many retries is taken (``None``: it never failed)."""
        if self.way == "failed":
            return has == 0
        if self.way == "left":
            return has != 0
        return self.way in ("query", "composed") or self.takes_kind(kind_of(has, self.retries))

    @property
    def left_out(self) -> int:
        """Tasks of the selection that the launch does not take."""
        return sum(number for kind, number in self.numbers.items() if not self.takes_kind(kind))

    @property
    def count(self) -> int:
        """Tasks that the launch takes; those that are gone but taken in are counted."""
        return sum(number for kind, number in self.numbers.items() if self.takes_kind(kind))

    # -- how the engine is told -------------------------------------------------------------------------------------

    @cached_property
    def way(self) -> Way:
        """How the engine is told which tasks."""
        if isinstance(self.selection, Marked) or self.by_ids_because:
            return "ids"
        if isinstance(self.selection, Composed):
            return "composed" if self._composed_takes_nothing_else(self.selection) else "ids"
        return self._way_of_query() if named_by_query(self.selection) else "ids"

    @property
    def _may_come(self) -> bool:
        """A task that is to be left out may come to match, though none does now."""
        return not (self.takes_kind("never_failed") and self.takes_kind("lowered"))

    def _composed_takes_nothing_else(self, selection: Composed) -> bool:
        if self.left_out:
            return False
        sources = selection.sources
        instances = (
            sources.process_instance_ids, sources.process_instance_query, sources.historic_process_instance_query
        )  # fmt: skip
        query = sources.external_task_query
        failed_only = not any(one is not None for one in instances) and (query is None or bool(query.no_retries_left))
        return not self._may_come or (failed_only and self.retries > 0)

    def _way_of_query(self) -> Way:
        taken = {kind for kind in self.numbers if self.takes_kind(kind)}
        of_no_retries: Kind = "failed" if self.retries else "unchanged"
        left = taken - {of_no_retries} if self.retries == 0 else taken - {"failed"}
        if not left:
            return "failed"
        if "unknown" in self.numbers:
            return "query" if of_no_retries in taken or of_no_retries not in self.numbers else "left"
        if self._may_come:
            return "ids"
        if not self.left_out:
            return "query"
        return "left" if self.retries == 0 else "ids"

    @property
    def by_query(self) -> bool:
        """The engine is told a query of tasks, and takes what matches when the order arrives."""
        return self.way in ("query", "failed", "left")

    @property
    def by_ids(self) -> bool:
        """The request names every task by id: what is launched is frozen."""
        return self.way == "ids"

    @property
    def why_by_ids(self) -> str:
        """Why ids are sent although a query was chosen, in a few words; empty where none was, or it is sent."""
        if not self.by_ids or isinstance(self.selection, Marked):
            return ""
        return self.by_ids_because or NO_QUERY

    def describe(self) -> str:
        """What is taken, in words, for the head of the dialog."""
        every = isinstance(self.selection, Everything | Composed) and self.selection.every_task
        if not self.left_out or self.way in ("query", "composed"):
            return self.selection.describe()
        if self.by_ids:
            return "of all external tasks" if every and not self._but else self.selection.describe()
        which = "without retries left" if self.way == "failed" else "with retries left"
        return f"all {which}" if every else f"{self.selection.describe()}, those {which}"

    @property
    def _but(self) -> bool:
        return isinstance(self.selection, Everything) and bool(self.selection.but)

    @property
    def everything(self) -> bool:
        """It would take every external task of the engine, so the operator has to say yes to that."""
        if isinstance(self.selection, Marked) or self._but:
            return False
        return self.selection.every_task and self.facts.asked > 0 and not self.left_out

    @property
    def ready(self) -> bool:
        """The request can be made."""
        return (
            not self.by_ids
            or self.selected_tasks is not None
            or (isinstance(self.selection, Marked) and not self.left_out)
        )

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
        if self.selected_tasks is None:
            return sorted(self.selection.ids) if isinstance(self.selection, Marked) else []
        taken = {id for id, has in self.selected_tasks.retries.items() if self.takes(has)}
        if self.takes_kind("gone"):
            taken.update(self.selected_tasks.gone)
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
        if isinstance(self.selection, Composed) and self.way == "composed":
            return self.selection.sources.model_copy(update={"retries": self.retries})
        return SetExternalTaskRetries(retries=self.retries, external_task_ids=list(self.ids))

    @cached_property
    def prepared(self) -> BatchRequest:
        """The request with the bytes that are shown, written down and sent."""
        return BatchRequest(self.request)

    def _query(self, query: ExternalTaskQuery) -> ExternalTaskQuery:
        unsorted = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
        traits: dict[Way, Trait] = {"failed": "no_retries", "left": "retries_left"}
        trait = traits.get(self.way)
        return (narrowed(unsorted, trait) or unsorted) if trait is not None else unsorted

    def json(self, ids: int | None = 3) -> str:
        """The body for the screen, one field a line; of a list of ids the first few (``None``: all of them)."""
        return json_text(self.prepared, ids)

    def curl(self, url: str, user: str | None = None, headers: Sequence[str] = ()) -> str:
        """The whole request as a shell command, without any password or token: curl asks, or takes ``$TOKEN``."""
        return curl_text(self.prepared, url, user, headers)

    # -- what it says -----------------------------------------------------------------------------------------------

    def preview(self) -> list[PreviewClass]:
        """What becomes of the tasks that are taken without being asked for, and what of all taken ones is held up."""
        return preview_classes(self.facts, self.retries, self.numbers) + overlap_classes(self.facts, *self._held_up())

    def _held_up(self) -> tuple[int, int, int, int]:
        """How many of those taken are locked, may be so, wait for their retry time, are suspended."""
        facts, selected_tasks = self.facts, self.selected_tasks
        if selected_tasks is not None and selected_tasks.at == facts.at:
            held, unsure, delayed, suspended = (
                sum(self.takes(selected_tasks.retries[id]) for id in some)
                for some in (
                    selected_tasks.held, selected_tasks.unsure, selected_tasks.delayed, selected_tasks.suspended,
                )
            )  # fmt: skip
            return held - unsure, unsure, delayed, suspended
        if facts.unsure is not None:
            return facts.locked - facts.unsure, facts.unsure, facts.delayed, facts.suspended
        # Counts tell no retry time from a lock.
        if self.way == "failed":
            suspended = facts.suspended if facts.failed_suspended is None else facts.failed_suspended
            return 0, facts.delayed, 0, suspended
        return 0, facts.locked + facts.delayed, 0, facts.suspended

    def class_by_hand(self, kind: Kind) -> PreviewClass | None:
        """The group of a kind that the operator decides about, if there is one."""
        return class_by_hand(self.facts, self.retries, kind, self.numbers)

    def warnings(self) -> list[str]:
        """What the operator should have read before sending."""
        if not self.facts.asked:
            return ["There is nothing to launch: no task matches."]
        if self.retries == 0 and self.facts.no_retries >= self.facts.asked:
            return ["They all have 0 retries already: this changes nothing."]
        if not self.count:
            return ["Nothing is left to launch: space includes what is left out."]
        said = ["This takes EVERY external task of the engine."] if self.everything else []
        if self.retries == 0:
            said.append("With 0 retries no worker gets these tasks, and each that had some raises an incident.")
        return said

    @property
    def shown(self) -> tuple[object, ...]:
        """All that the operator has to have read before it is sent: which tasks, how many, and what becomes of them."""
        return (self.retries, self.way, self.count, self.left_out, tuple(sorted(self.numbers.items())), self.included)
