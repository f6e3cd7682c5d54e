"""What is done to many things at once, as a value: which units it takes, its request, what proves its effect, the way
back. A file beside this one holds each operation; :mod:`retriage.console.operations.known` finds one by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from retriage.console.batches.batch_end import BatchEnd, end_of
from retriage.console.engine.errors import Refused
from retriage.console.operations.work_counts import Decided, Obstacles, WorkCounts
from retriage.console.reading.failure_proofs import IncidentTimes
from retriage.console.reading.pages import believed
from retriage.console.text.words import things
from retriage.store.contract.queries import BatchStatisticsQuery
from retriage.store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from retriage.console.batches.outcome import SeenBefore
    from retriage.console.engine.batch_request import BatchRequest
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.history_level import History
    from retriage.console.engine.rights import Right
    from retriage.console.operations.evidence import Before, Effect
    from retriage.console.operations.preview import Kind
    from retriage.console.reading.page_limit import PageLimit
    from retriage.console.reading.selection import Instances, Selection
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.contract.records import BatchStatistics, ExternalTask
    from retriage.store.journal import RunTask, TaskBefore
    from retriage.store.journal.records import OperationName


@dataclass(frozen=True)
class FreezeRules:
    """Which units of a selection are taken, and how they are read.

    Attributes:
        included: kinds of tasks that are taken in although they are left out otherwise.
        wanted: what the console itself looks for in tasks.
        limit: take so many at most, the oldest; ``None`` takes all.
        pages: how often a page is asked for; as fast as they come where it is none.
        progress: called with the number of units known, after every page.
    """

    included: frozenset[Kind] = frozenset()
    wanted: Callable[[ExternalTask], bool] = lambda task: True
    limit: int | None = None
    pages: PageLimit | None = None
    progress: Callable[[int], object] = lambda number: None

    async def turn(self) -> None:
        """Wait until the next page may be asked for."""
        if self.pages is not None:
            await self.pages.wait()


AS_THEY_ARE = FreezeRules()
"""All that are usually taken, as fast as they come."""


@dataclass
class FrozenUnits:
    """What a selection names, of one moment.

    Attributes:
        at: when reading began, by the engine's clock.
        tasks: the units that are taken, the oldest first.
        left_out: why -> how many are not taken.
        causes: topic and cause -> how many of the tasks that are taken had failed so, about; none of other units.
        also: a key of :attr:`Operation.also` -> how much of it goes the way of the units that are taken.
        told: sentences for the operator's eyes: what the units have.
        one_by_one: process instances that an undo would need a request each for.
        operation: the one that is to be carried out, where its arguments were only known when the units were read.
    """

    at: datetime
    tasks: list[FrozenTask] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    also: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    one_by_one: int = 0
    operation: Operation | None = None


@dataclass
class CheckedUnits:
    """Units as they are now, just before they are sent.

    Attributes:
        at: when reading began, by the engine's clock.
        taken: id of one that can be sent -> the retries that it has; ``None`` of other units than tasks.
        to_set: process instances of these that :attr:`Operation.fix` is to be done to before, with ``None``.
        to_set_locally: executions within them that hide what is set and are set before -> what they have.
        left_out: ordinal -> why it is not sent.
        before: id of a task -> all that it has.
        incidents: of tasks, where no log is kept.
        operation: what these are sent for, where a batch takes alike units only: those that are neither taken nor left
            out are sent later.
    """

    at: datetime
    taken: dict[str, int | None] = field(default_factory=dict)
    to_set: dict[str, int | None] = field(default_factory=dict)
    to_set_locally: dict[str, str] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    before: dict[str, SeenBefore] = field(default_factory=dict)
    incidents: IncidentTimes = field(default_factory=IncidentTimes)
    operation: Operation | None = None


@dataclass
class WayBack:
    """What becomes of the units of a launch that is undone.

    Attributes:
        back: what is done -> ids of the units that it is done to.
        left_alone: a key of :attr:`Operation.left_alone` -> number of units that keep what they have.
        now: id of a unit -> the retries that it has now.
    """

    back: dict[Operation, list[str]] = field(default_factory=dict)
    left_alone: Counter[str] = field(default_factory=Counter)
    now: dict[str, int | None] = field(default_factory=dict)

    def only(self, reached: Collection[str]) -> None:
        """Leave alone all but these: their batch was deleted, and what the others have is of somebody else."""
        for operation, ids in list(self.back.items()):
            self.back[operation] = [id for id in ids if id in reached]
            self.left_alone["unset"] += len(ids) - len(self.back[operation])
            if not self.back[operation]:
                del self.back[operation]


class UnitWork(ABC):
    """The units of a wave that were sent, in one batch or several.

    Args:
        operation: what they were sent for.
        since: when the first of them were sent, by the engine's clock.

    Attributes:
        unsent: units of the wave that are to be sent still.
        decided: ordinal -> what it came to.
        history: whether it shows how a task ended that is gone.
        newest_batch: the last one that was sent; empty before the first.
    """

    def __init__(self, operation: Operation, since: datetime) -> None:
        self.operation = operation
        self.unsent = 0
        self.history: History = "not known"
        self.newest_batch = ""
        self.decided: dict[int, Decided] = {}
        self._ordinals: dict[str, int] = {}
        self._batches: deque[str] = deque()
        """Batches that are not known to have reached all of their units; one of them is looked at in turn."""
        self._busy: set[str] = set()
        """Batches that have jobs to do still."""
        self._running: dict[str, BatchStatistics] = {}
        """Those of them that ran when last looked at."""
        self._deleted: tuple[str, str] = ("", "")
        """A batch that was deleted before it had reached its units, and who did that."""
        self._all_set = True
        """Every batch that has ended has reached all of its units."""

    @property
    def sent(self) -> int:
        """How many units were sent."""
        return len(self._ordinals)

    # -- what was sent ----------------------------------------------------------------------------------------------

    @abstractmethod
    def add_units(self, units: Sequence[tuple[int, str, int | None]]) -> None:
        """More units were sent: ordinals, ids and former retries; none of them is decided."""

    def add(self, units: Iterable[tuple[int, str, int | None]], batches: Iterable[str] = ()) -> None:
        """More units were sent: their ordinals, ids and former retries, and the batches that change them."""
        new = [one for one in units if one[0] not in self.decided]
        self._ordinals |= {id: ordinal for ordinal, id, _ in new}
        self.add_units(new)
        new_batches = list(batches)
        self.newest_batch = new_batches[-1] if new_batches else self.newest_batch
        self._batches += new_batches
        self._busy.update(new_batches)

    def known_before(self, before: Mapping[str, SeenBefore]) -> None:  # noqa: B027 - nothing of most units need be known
        """What tasks had before they were sent."""

    def failed_before(self, causes: Iterable[str]) -> None:  # noqa: B027 - as above
        """Why tasks had failed before they were sent."""

    def setting_back(self, ids: Iterable[str]) -> None:  # noqa: B027 - as above
        """An undo has been ordered for these units."""

    # -- what has become of it --------------------------------------------------------------------------------------

    @abstractmethod
    async def look(self, client: EngineClient) -> WorkCounts:
        """Ask for a page of the units that are not decided.

        Raises:
            EngineProblem: the engine did not answer.
        """

    @property
    @abstractmethod
    def counts(self) -> WorkCounts:
        """What has become of all of them by now."""

    @property
    @abstractmethod
    def unread(self) -> bool:
        """Some of its units were not looked at yet."""

    @property
    @abstractmethod
    def at(self) -> datetime | None:
        """Every unit that may still change was looked at then or later, by this machine's clock; ``None`` before all
        of them were."""

    def looked_since(self, moment: datetime) -> bool:
        """As ``at``, for this moment or a later one."""
        return not self.unread and (self.at is None or self.at >= moment)

    @property
    def at_work(self) -> bool:
        """A batch has jobs that were not carried out and have not failed."""
        return bool(self._busy)

    @property
    def obstacles(self) -> Obstacles:
        """What keeps units from being decided, as far as it was seen."""
        running = self._running.values()
        return Obstacles(
            *self._deleted,
            suspended=next((batch.id for batch in running if batch.suspended), ""),
            failed_jobs=sum(batch.failed_jobs for batch in running),
            jobs_left=sum(max(batch.remaining_jobs - batch.failed_jobs, 0) for batch in running),
        )

    async def look_at_batch(self, client: EngineClient) -> None:
        """Whether the batches have reached all of their units; one of them is asked about at a time. Nothing is changed
        before the engine has answered: after a failure the same batch is asked about again."""
        if not self._batches:
            return
        batch_id = self._batches[0]
        found = await believed(client.batches, BatchStatisticsQuery(batch_id=batch_id), 0, 1)
        if not found:
            end, jobs = await _end(client, batch_id)
            whole = end.how == "done" or (end.how == "deleted" and (end.done or 0) >= jobs)
            if end.how == "deleted" and not whole:
                self._deleted = batch_id, end.by
            # Of a batch that did not reach all of its units, only the engine's log tells which it has.
            self._all_set = self._all_set and whole
            self._done_with(batch_id)
            return
        batch = found[0]
        self._running[batch_id] = batch
        if batch.jobs_created >= batch.total_jobs and batch.remaining_jobs <= batch.failed_jobs:
            self._busy.discard(batch_id)
        if batch.remaining_jobs or batch.completed_jobs < batch.total_jobs:
            self._batches.rotate(-1)
        else:
            self._done_with(batch_id)

    def _done_with(self, batch_id: str) -> None:
        self._batches.remove(batch_id)
        self._busy.discard(batch_id)
        self._running.pop(batch_id, None)

    def decide(self, what: Mapping[str, Decided]) -> None:
        """These units, by id, have come to this; what was decided before stands."""
        for id, one in what.items():
            self.decided.setdefault(self._ordinals[id], one)


class Operation(ABC):
    """One operation with its arguments, which are the fields of its class, a frozen dataclass."""

    name: ClassVar[OperationName]
    """Of commands, events and the journal."""
    verb: ClassVar[str]
    """Of titles and questions, "Retry"."""
    unit: ClassVar[str]
    """What is counted: "task"."""
    gated: ClassVar[bool]
    """Units may fail again, and the next wave goes only if few enough do."""
    batch_type: ClassVar[str]
    """``type`` of the batches that it makes."""
    rights: ClassVar[tuple[Right, ...]]
    """One of these is needed to launch it."""
    why_left_out: ClassVar[Mapping[str, str]]
    """Why a unit is left out -> the end of a sentence about several."""
    kinds: ClassVar[Mapping[str, str]] = {}
    """Why a unit is left out when it is frozen -> the end of a sentence, where the key itself is none."""
    taken: ClassVar[str] = ""
    """What units are that are taken, in a word."""
    effect_said: ClassVar[str] = ""
    """What becomes of those, in a few words."""
    also: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """What else it changes beside its units -> what that is, and what becomes of it."""
    skips: ClassVar[tuple[str, ...]] = ()
    """What the engine skips on request, in the words of commands."""
    no_way_back: ClassVar[str] = ""
    """Why it cannot be undone, as a sentence: the number of its units is typed everywhere. Empty where it can."""
    logged_as: ClassVar[str] = ""
    """``operationType`` of its retries in the user operation log; empty where it sets none."""
    incident_type: ClassVar[str] = ""
    """``incidentType`` of the incidents of its units that it closes; empty where it closes none."""
    left_alone: ClassVar[Mapping[str, str]] = {}
    """Why a unit is not set back by an undo -> the end of a sentence about several."""

    retries: int | None = None
    """The retries that it sets; ``None`` where it sets none."""
    skip: tuple[str, ...] = ()
    """Those of its ``skips`` that are skipped."""
    fix: Operation | None = None
    """What is done to the process instances of its tasks before those are sent; ``None`` where nothing is."""

    def told(self, arguments: Mapping[str, Any]) -> Operation:
        """The same with arguments that the journal has."""
        return self

    def because(self, reason: str, skip: Sequence[str]) -> Operation:
        """The same with what the operator says of it.

        Args:
            reason: why, where the engine keeps that with what it changes.
            skip: those of its ``skips`` that are skipped.
        """
        return self

    @property
    def arguments(self) -> str:
        """Its other arguments as a JSON object, for the journal."""
        return "{}"

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that it sets."""
        return ()

    @property
    def options(self) -> list[str]:
        """Options of a command that sets the same, with ``VALUE`` for each value: it may come into a ticket."""
        return []

    # -- in words ---------------------------------------------------------------------------------------------------

    @property
    def word(self) -> str:
        """What is done, behind "nothing to": "retry"."""
        return self.name

    def units(self, number: int) -> str:
        """So many of its units: "3 tasks"."""
        return things(number, self.unit)

    @property
    @abstractmethod
    def aim(self) -> str:
        """What units are sent for: "to 3 retries" stands behind "5 tasks"."""

    @property
    def brief_aim(self) -> str:
        """The same where there is little room."""
        return self.aim

    @property
    @abstractmethod
    def mark(self) -> str:
        """The aim in a cell or two: "3"."""

    @property
    @abstractmethod
    def each(self) -> str:
        """What each job of its batch does: "retries 3"."""

    @property
    @abstractmethod
    def state(self) -> str:
        """What units are when it is done, behind "5 tasks": "have 3 retries"."""

    @property
    def gets_back(self) -> str:
        """What becomes of units that this operation sets back: "get back 3 retries". No undo orders most of them."""
        return self.state

    def back_said(self, number: int) -> str:
        """What becomes of so many units that this operation sets back, as a sentence."""
        return f"{self.units(number)} {self.gets_back}."

    @property
    def one_by_one(self) -> bool:
        """Each unit gets a request of its own."""
        return False

    @property
    def back_aim(self) -> str:
        """What so many units become that are set back, behind "5 tasks": "back to 3"."""
        return self.aim

    @property
    def meant_for(self) -> str:
        """The word of the console's lists for its units: ``tasks``, ``instances``."""
        return f"{self.unit}s"

    def left_out_said(self, why: str) -> str:
        """Why units are left out when they are frozen, behind their number."""
        return self.kinds.get(why, why.replace("_", " ").replace("-", " "))

    # -- which units ------------------------------------------------------------------------------------------------

    @abstractmethod
    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """Read the units of a selection, and which of them are taken.

        Args:
            client: lists them.
            selection: which ones.
            at: now, by the engine's clock.
            rules: which of them, and how fast.

        Raises:
            EngineProblem: the engine did not answer.
        """

    @abstractmethod
    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """Look at a page of frozen units again, and sort them in.

        Args:
            client: lists them.
            checked: what is known of those before.
            tasks: 500 at most.
            log: the log of tasks since the run was frozen.

        Raises:
            EngineProblem: the engine did not answer; nothing was sorted in.
        """

    # -- what is sent, and what comes of it -------------------------------------------------------------------------

    @abstractmethod
    def request(self, ids: Sequence[str]) -> BatchRequest:
        """The request over exactly these units: the bytes that are shown are those that are sent."""

    def at_once(self, tasks: Sequence[FrozenTask]) -> Sequence[FrozenTask]:
        """The first of these units, as far as one request names them together."""
        return tasks

    @abstractmethod
    def work(self, since: datetime) -> UnitWork:
        """What becomes of the units of a wave that is sent then, by the engine's clock."""

    @abstractmethod
    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """What has become of some units since a launch, to tell whose a batch is.

        Args:
            client: lists them.
            sample: ids with the retries that they had before.
            since: when it was sent, by the engine's clock.

        Raises:
            EngineProblem: the engine did not answer.
        """

    @abstractmethod
    async def way_back(
        self, client: EngineClient, before: Sequence[TaskBefore], later: Collection[str], was: Mapping[str, str]
    ) -> WayBack:
        """What an undo does to units that this operation was done to.

        Args:
            client: lists them.
            before: ids with the retries that they had before.
            later: those that were part of a later launch.
            was: id -> what it had that the operation changed, as the run wrote it down.

        Raises:
            EngineProblem: the engine did not answer.
        """


async def _end(client: EngineClient, batch_id: str) -> tuple[BatchEnd, int]:
    """How a batch that runs no more ended, and how many jobs it was to have."""
    try:
        batch = await client.historic_batch(batch_id)
    except Refused as problem:
        if not problem.says_never:
            raise
        return BatchEnd("untold"), 0
    return await end_of(client, batch), batch.total_jobs
