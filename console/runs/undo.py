"""Undo of a run: who can get their former retries back, by former value, and who cannot and why."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.launch.decided_launch import DecidedLaunch
from console.launch.plan import LaunchPlan
from console.launch.send import send_launch
from console.launch.undo import Undo
from console.reading.selected_tasks import SelectedTasks, read_selected_tasks
from console.reading.selection import Marked
from console.session import journal_answers
from console.text.words import short, things
from store.contract.queries import BatchStatisticsQuery
from store.journal.reading import TAKEN

if TYPE_CHECKING:
    from console.launch.launch_events import Launched, LaunchEvent
    from console.session.session import Session
    from store.journal import Launch, Run

REASONS = {
    "never": "had never failed, which cannot be set",
    "gone": "ended",
    "changed": "with other retries by now: taken by a worker, or set by somebody",
    "later": "launched again since",
    "locked": "locked by a worker",
    "same": "had the same retries before",
}
"""Why tasks are left alone, as the end of a sentence."""
STANDSTILL = 60
"""Seconds after which a batch that does not get on is waited for no more."""


@dataclass
class RunUndo:
    """What an undo of a run would do.

    Attributes:
        run: the run.
        back: former retries -> ids of the tasks that get them again.
        left_alone: why -> how many tasks do not.
        selected_tasks: what the tasks have now.
        why_not: one sentence where nothing can be set back now; empty where it can.
    """

    run: Run
    back: dict[int, list[str]] = field(default_factory=dict)
    left_alone: Counter[str] = field(default_factory=Counter)
    selected_tasks: SelectedTasks = field(default_factory=lambda: SelectedTasks(datetime.now(UTC)))
    why_not: str = ""

    @property
    def count(self) -> int:
        """Tasks that would be set back."""
        return sum(map(len, self.back.values()))


async def look_at_undo(session: Session, run: Run) -> RunUndo:
    """Compare what the tasks of a run had before with what they have now.

    Args:
        session: whose engine and journal are asked.
        run: the run.

    Raises:
        EngineProblem: the engine did not answer.
        SQLAlchemyError: the journal cannot be read.
    """
    assert session.journal is not None, "an undo is told by the journal"
    found = RunUndo(run)
    if not run.over and run.state != "held":
        found.why_not = "It is at work: stop it first, or let it end."
        return found
    launches = [one for one in await session.journal.runs.launches(run.id) if one.state in TAKEN]
    for launch in launches:
        if launch.batch_id is not None and await _runs(session, launch.batch_id):
            batch = short(launch.batch_id)
            found.why_not = f"Batch {batch} still runs and would set them again: delete it first, or let it end."
            return found
    for launch in launches:
        await _look_at(session, found, launch)
    if not found.count:
        found.why_not = "None of its tasks can be restored."
    return found


async def _runs(session: Session, batch_id: str) -> bool:
    query = BatchStatisticsQuery(batch_id=batch_id)
    for batch in await session.ask(lambda client: client.batches(query, 0, 1)):
        # One whose jobs are all through is removed by its monitor job and sets nothing more.
        return batch.remaining_jobs > 0 or batch.completed_jobs < batch.total_jobs
    return False


async def _look_at(session: Session, found: RunUndo, launch: Launch) -> None:
    assert session.journal is not None
    undo = Undo(launch.retries)
    async for piece in session.journal.all_tasks(launch):
        selection = Marked(frozenset(task.task_id for task in piece))
        selected_tasks = await session.ask(lambda client: read_selected_tasks(client, selection))  # noqa: B023 - asked at once
        assert selected_tasks is not None, "nothing limits this reading"
        last = await journal_answers.launched(session, selected_tasks.retries)
        later = {id for id, other in last.items() if other.launch_id > launch.id}
        undo.look_at(piece, selected_tasks.retries, selected_tasks.held, later)
        found.selected_tasks.retries |= selected_tasks.retries
    for former, ids in undo.back.items():
        found.back.setdefault(former, []).extend(ids)
    found.left_alone.update({why: number for why in REASONS if (number := getattr(undo, why))})


async def wait_until_set(
    session: Session, batch_id: str, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> bool:
    """Wait while a batch gets on; answers whether all of its tasks are set.

    Raises:
        EngineProblem: the engine did not answer.
    """
    query = BatchStatisticsQuery(batch_id=batch_id)
    left, patience = -1, STANDSTILL
    while patience > 0:
        found = await session.ask(lambda client: client.batches(query, 0, 1))
        if not found:
            return True
        now = max(found[0].remaining_jobs, found[0].total_jobs - found[0].completed_jobs)
        if not now:
            return True
        patience = patience - 1 if now == left else STANDSTILL
        left = now
        await sleep(1.0)
    return False


async def carry_out_undo(
    session: Session,
    undo: RunUndo,
    tell: Callable[[LaunchEvent], None],
    before_sending: Callable[[], object] = lambda: None,
) -> list[Launched]:
    """Set back, by one batch for each former value; answers the batches. The first that is not there ends it.

    Args:
        session: whose engine is asked.
        undo: what was looked at.
        tell: is told what becomes of each batch.
        before_sending: called before each batch.
    """
    made: list[Launched] = []
    for retries, ids in sorted(undo.back.items()):
        part = undo.selected_tasks.only(ids)
        said = f"undo of run {undo.run.id}: {things(len(ids), 'task')} back to {retries}"
        plan = LaunchPlan(Marked(frozenset(ids), said), retries, part.facts(), part, frozenset({"lowered"}))
        before_sending()
        order = DecidedLaunch(plan, f"undo of run {undo.run.id}", undoes_run=undo.run.id)
        launched = await send_launch(session, order, tell)
        if launched is None:
            break
        made.append(launched)
    return made
