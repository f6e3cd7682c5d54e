"""What was sent of a wave, as the journal tells: for a driver that goes on with it, and for whoever follows it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.batches.outcome import SeenBefore
from retriage.console.engine.errors import EngineProblem
from retriage.console.operations.known import operation_of
from retriage.store.journal.reading import TAKEN

if TYPE_CHECKING:
    from retriage.console.operations.operation import UnitWork
    from retriage.console.reading.page_limit import PageLimit
    from retriage.console.session.session import Session
    from retriage.store.journal import Launch, Run, Runs, RunWave

PAGES_BACK = 5
"""So many pages of a wave that is over are read once more."""


def new_work(session: Session, record: Run | Launch, since: datetime) -> UnitWork:
    """What becomes of the units of a wave of which nothing is known yet.

    Args:
        session: whose user reads the history, or may not.
        record: what is done to them.
        since: when the first of them were sent, by the engine's clock.
    """
    work = operation_of(record).work(since)
    connection = session.connection
    work.history = connection.job_history if work.operation.unit == "job" else connection.history
    return work


async def taken_launches(runs: Runs, run: Run, wave: int | None = None, operation: str | None = None) -> list[Launch]:
    """Launches that have changed units of a run, or may have, the oldest first.

    Args:
        runs: of the journal.
        run: the run.
        wave: number of the wave whose launches they are; of all waves if it is not given.
        operation: what the launches do; what the run does if it is not given.
    """
    wanted = operation or run.operation
    return [one for one in await runs.launches(run.id, wave) if one.state in TAKEN and one.operation == wanted]


async def sent_work(session: Session, run: Run, wave: RunWave) -> UnitWork:
    """The tasks of a wave that were sent, by any driver, with what is known of them. Nobody else in this session asks
    for the tasks of its batches then.

    Raises:
        SQLAlchemyError: the journal cannot be read.
    """
    assert session.memory.journal is not None, "a run is known by the journal"
    runs = session.memory.journal.runs
    launches = await taken_launches(runs, run, wave.wave)
    client = await session.connection.opened()
    since = min((one.sent_at for one in launches if one.sent_at is not None), default=client.engine_now())
    unsent = await runs.count_unsent(run.id, wave.wave)
    # What was not sent of a wave that is over never will be.
    work = new_work(session, launches[-1] if launches else run, since)
    work.unsent = 0 if wave.over else unsent
    if launches:
        waiting = {one.ordinal for one in await runs.unsent(run.id, wave.wave, unsent)} if unsent else set()
        async for piece in runs.tasks(run.id, wave.wave):
            work.decided |= {task.ordinal: task.outcome for task in piece if task.outcome}  # type: ignore[misc]
            # Journals of before keep no activity instances, and not of all tasks what they had.
            work.known_before({
                task.task_id: SeenBefore(task.failure, "", task.retries, task.expiry, task.instance)
                for task in piece if task.instance is not None
            })  # fmt: skip
            work.add(
                (task.ordinal, task.task_id, task.retries)
                for task in piece
                if not task.left_out and task.ordinal not in waiting
            )
        work.failed_before(one.cause for one in await runs.causes(run.id))
        batches = [one.batch_id for one in launches if one.batch_id is not None]
        session.watch.leave_to_run(batches)
        work.add((), batches)
    return work


async def looked_back(session: Session, run: Run, wave: RunWave, limit: PageLimit) -> UnitWork | None:
    """The tasks of a wave that is over, all of those that were open looked at once more.

    Args:
        session: whose engine and journal.
        run: the run.
        wave: the wave.
        limit: lets one page through at a time.

    Returns:
        ``None`` where the engine did not answer, or that would be more than :data:`PAGES_BACK` pages.

    Raises:
        SQLAlchemyError: the journal cannot be read.
    """
    work, begun = await sent_work(session, run, wave), datetime.now(UTC)
    with suppress(EngineProblem):
        for _ in range(PAGES_BACK):
            await limit.wait()
            await session.connection.ask(work.look)
            if work.looked_since(begun):
                return work
    return None
