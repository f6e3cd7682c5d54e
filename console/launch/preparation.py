"""A launch while it is prepared: what is asked of engine and journal, what the operator has set, and the plan of it.

No widget. A dialog shows what is here, hands keys to it, and is told when something has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.earlier_launches import earlier_launches_of
from retriage.console.launch.overlapping_batches import (
    OverlappingBatch,
    TopicWithoutWorker,
    overlapping_batches,
    topics_without_worker,
)
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.record import READ_MOST
from retriage.console.operations.preview import Kind
from retriage.console.reading.counts import SelectionCounts, count_selection
from retriage.console.reading.selected_tasks import SelectedTasks, read_selected_tasks
from retriage.console.reading.selection import Everything, Marked, Selection, named_by_query
from retriage.console.text.words import count
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from retriage.console.launch.earlier_launches import EarlierLaunches
    from retriage.console.session.session import Session

DEFAULT_RETRIES = 1
TOPICS_READ = 100
"""So many tasks of a query that is too large to be read tell its topics."""
COUNTING, COUNTING_AGAIN = "counting what this would change …", "counting again …"


class LaunchPreparation:
    """One launch from the moment it is asked for until it is decided.

    Args:
        session: whose engine and journal are asked.
        selection: what was chosen.
        retries: the value to set at first; none is the usual one.
        by_ids_because: why the engine must not be told the query of the selection, in a few words: its tasks are then
            read and named by their ids. Empty where it may be told.

    Attributes:
        facts: what was counted; none before that.
        selected_tasks: the tasks themselves, where they were read.
        again: how many failed again after an earlier retry; none while that is not known.
        overlapping: other batches at work, perhaps on the same tasks.
        workerless: topics of the tasks on which no worker was seen lately.
        record: what the last launches over the topic with most tasks came to, where that is known.
        now_matching: how many match, or exist, by now; none while nobody has looked again.
        notes: what will not work, in one sentence each: it is said beforehand.
        progress: what is being done while nothing can be shown yet.
        problem: why it could not be counted, in one sentence; empty if it could.
        reading: which tasks are taken depends on what is still being read.
        looking_around: other batches at work are still being looked for.
        complete: everything was asked.
        insisted: it was confirmed although something is missing, which is told from then on.
    """

    def __init__(
        self, session: Session, selection: Selection, *, retries: int | None = None, by_ids_because: str = ""
    ) -> None:
        self.session = session
        self.selection = selection
        self.by_ids_because = by_ids_because
        self.notes: tuple[str, ...] = ()
        self.listeners: list[Callable[[], object]] = []
        self.retries: int | None = DEFAULT_RETRIES if retries is None else retries
        self._planned_retries = self.retries or 0
        self.included: frozenset[Kind] = frozenset()
        self.every_task_meant = False
        self.insisted = False
        self._confirmed: tuple[object, ...] | None = None
        self._forget(COUNTING)

    def _forget(self, progress: str) -> None:
        self.facts: SelectionCounts | None = None
        self.selected_tasks: SelectedTasks | None = None
        self.again: int | None = None
        self.overlapping: Sequence[OverlappingBatch] = ()
        self.workerless: Sequence[TopicWithoutWorker] = ()
        self.record: EarlierLaunches | None = None
        self.now_matching: int | None = None
        self.progress, self.problem = progress, ""
        self.reading = self.complete = False
        self.looking_around = True
        self._apart = True
        self._plan: LaunchPlan | None = None

    def _changed(self) -> None:
        self._plan = None
        for listener in tuple(self.listeners):
            listener()

    # -- what the operator sets -------------------------------------------------------------------------------------

    def set_retries(self, retries: int | None) -> None:
        """The value to set; none while there is no usable one."""
        if retries != self.retries:
            self.retries = retries
            if retries is not None:
                self._planned_retries = retries
            self._changed()

    def include(self, kind: Kind, included: bool) -> None:
        """Take the tasks of a kind in, or leave them out."""
        self.included = self.included | {kind} if included else self.included - {kind}
        self._changed()

    def mean_every_task(self) -> None:
        """Yes, every task of the engine is meant."""
        self.every_task_meant = True
        self._changed()

    # -- what is asked ----------------------------------------------------------------------------------------------

    async def ask_again(self) -> None:
        """Count and read from the beginning."""
        self.every_task_meant = False
        await self.ask(COUNTING_AGAIN)

    async def ask(self, progress: str = COUNTING) -> None:
        """Ask everything, most wanted first; listeners are told after each answer."""
        self._forget(progress)
        self._changed()
        try:
            await self._count()
        except EngineProblem as problem:
            self.problem = problem.sentence
            self._changed()
            return
        self._changed()
        for question in (self._read, self._find_overlaps, self._find_workers, self._remember):
            with suppress(EngineProblem):
                await question()
            self._changed()
        self.complete = True
        self._changed()

    async def _count(self) -> None:
        """Counts where the engine is told a query; else the tasks themselves, which its ids are taken from."""
        selection = self.selection
        if isinstance(selection, Everything) and named_by_query(selection) and not self.by_ids_because:
            self.facts = await self.session.connection.ask(lambda client: count_selection(client, selection.query))
            self.reading = self.facts.retries_left > 0
            return
        self.selected_tasks = await self.session.connection.ask(
            lambda client: read_selected_tasks(client, selection, self._tell_progress)
        )
        assert self.selected_tasks is not None, "nothing limits this reading"
        self.facts = self.selected_tasks.facts()

    def _tell_progress(self, number: int) -> None:
        self.progress = f"reading the tasks … {count(number)}"
        self._changed()

    async def _read(self) -> None:
        """The tasks of a query, up to a number: to tell those with retries left apart, for the journal, and to see who
        else works on them."""
        if self.selected_tasks is not None or self.facts is None:
            return
        try:
            if 0 < self.facts.asked <= READ_MOST:
                self.selected_tasks = await self.session.connection.ask(
                    lambda client: read_selected_tasks(client, self.selection, most=READ_MOST)
                )
            if self.selected_tasks is not None and self.facts.retries_left:
                # What is shown is of one moment, and is what the ids are taken from.
                self.facts = replace(self.selected_tasks.facts(), sample=self.facts.sample)
        finally:
            self._apart = self.selected_tasks is not None or not self.facts.retries_left
            self.reading = False

    async def _find_overlaps(self) -> None:
        """Other batches at work. Sending looks for them too, and would take those that are not told for new ones."""
        try:
            if self.facts is not None and self.facts.asked:
                journal = self.session.memory.journal
                ids = self.selected_tasks.retries.keys() if self.selected_tasks is not None else None
                self.overlapping = await self.session.connection.ask(
                    lambda client: overlapping_batches(client, journal, ids)
                )
        finally:
            self.looking_around = False

    async def _find_workers(self) -> None:
        """Whether workers are at work on the topics of the tasks, and what the last launches over them came to."""
        if self.facts is None or not self.facts.asked:
            return
        topics = await self._topics()
        self.workerless = await self.session.connection.ask(
            lambda client: topics_without_worker(client, topics, client.engine_now())
        )
        self._changed()
        if topics:
            self.record = await earlier_launches_of(self.session, topics[0])

    async def _topics(self) -> list[str]:
        """Topics of the tasks, those with the most tasks first."""
        if self.selected_tasks is not None:
            return [topic for topic, _ in self.selected_tasks.topics.most_common()]
        query = self.selection.query if isinstance(self.selection, Everything) else None
        if query is None or query.topic_name:
            return [query.topic_name] if query is not None and query.topic_name else []
        some = await self.session.connection.ask(lambda client: client.external_tasks(query, 0, TOPICS_READ))
        return sorted({task.topic_name for task in some})

    async def _remember(self) -> None:
        """Who failed again after a launch from here."""
        if self.session.memory.journal is not None and self.selected_tasks is not None:
            failed = [id for id, has in self.selected_tasks.retries.items() if has == 0]
            self.again = len(await self.session.watch.retried(failed))

    async def look_again(self) -> None:
        """How many match by now. Asked while it is open, as often as the dialog likes."""
        if self.session.watch.paused or not self.complete:
            return
        with suppress(EngineProblem):
            number = await self._now()
            if number is not None and number != self.now_matching:
                self.now_matching = number
                self._changed()

    async def _now(self) -> int | None:
        selection = self.selection
        query = selection.query if isinstance(selection, Everything) else None
        if isinstance(selection, Marked) and isinstance(selection.origin, ExternalTaskQuery):
            query = selection.origin
        if query is None or (isinstance(selection, Everything) and selection.but):
            return None
        return await self.session.connection.ask(lambda client: client.count_external_tasks(query))

    # -- what comes of it -------------------------------------------------------------------------------------------

    @property
    def plan(self) -> LaunchPlan | None:
        """What would be launched now; none before it was counted."""
        if self._plan is None and self.facts is not None:
            self._plan = LaunchPlan(
                self.selection, self._planned_retries, self.facts, self.selected_tasks, self.included, self._apart,
                self.by_ids_because,
            )  # fmt: skip
        return self._plan

    @property
    def drift(self) -> int:
        """How many more match, or exist, than were counted; below 0 fewer."""
        if self.now_matching is None or self.facts is None:
            return 0
        return self.now_matching - (self.facts.asked if isinstance(self.selection, Everything) else self.facts.found)

    @property
    def to_be_read(self) -> tuple[object, ...] | None:
        """All that has to be read before it may be confirmed; none while it is not known."""
        plan = self.plan
        if plan is None or self.reading or self.looking_around:
            return None
        return (*plan.shown, tuple((batch.batch_id, batch.covers) for batch in self.overlapping))

    def why_not(self, reason: str, typed: str) -> str:
        """One sentence if it cannot be launched now; empty if it can.

        Args:
            reason: why it is launched.
            typed: the number of tasks as the operator typed it, where that is asked for.
        """
        plan = self.plan
        if busy := self.session.connection.why_no_launch() or self.session.connection.rights.why_no_launch():
            return busy
        if plan is None:
            return "It is still being counted."
        if self.reading:
            return "The tasks are still being read."
        if not plan.count:
            return plan.warnings()[0]
        if self.retries is None:
            return "Type the number of retries to set."
        if not plan.ready:
            return "The tasks are still being read."
        if plan.everything and not self.every_task_meant:
            return "Press E if every external task of the engine is meant."
        if self.looking_around:
            return "Other batches at work are still being looked for."
        guarded = self.session.connection.safety.guarded
        return self.session.connection.why_no_orders() or (
            self._why_not_on_prod(plan, reason, typed) if guarded else ""
        )

    def _why_not_on_prod(self, plan: LaunchPlan, reason: str, typed: str) -> str:
        environment = self.session.connection.identity.environment
        if not reason.strip():
            return f"Type a reason: it is required on {environment}."
        if "".join(sign for sign in typed if sign.isdigit()) != str(plan.count):
            return f"Type the number of tasks, {count(plan.count)}, to launch on {environment}."
        return ""

    def confirm(self, reason: str, typed: str) -> DecidedLaunch | None:
        """The operator confirms what is shown.

        While the journal is opening the launch waits for it (:meth:`go_on`); confirmed twice it goes unwritten.

        Returns:
            What is to be sent; nothing if it cannot be launched, or waits.
        """
        plan, twice = self.plan, self.waiting_for_journal
        self._confirmed, self.insisted = None, True
        if plan is None or self.why_not(reason, typed):
            return None
        if self.session.memory.opens and not twice:
            self._confirmed = self.to_be_read
            return None
        return DecidedLaunch(plan, reason.strip(), overlaps=self._shown_overlaps)

    @property
    def waiting_for_journal(self) -> bool:
        """It was confirmed as it is shown, and is launched as soon as it can be written down."""
        return self._confirmed is not None and self._confirmed == self.to_be_read

    def go_on(self, reason: str, typed: str) -> DecidedLaunch | None:
        """What is to be sent if it waited for the journal, and that is open by now."""
        if not self.waiting_for_journal or self.session.memory.opens:
            return None
        self._confirmed = None
        if self.plan is None or self.session.memory.unkept or self.why_not(reason, typed):
            return None
        return DecidedLaunch(self.plan, reason.strip(), overlaps=self._shown_overlaps)

    @property
    def _shown_overlaps(self) -> frozenset[str]:
        """The other batches that the operator was told of: one more, when it is sent, stops the launch."""
        return frozenset(batch.batch_id for batch in self.overlapping)
