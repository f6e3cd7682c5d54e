"""Other consoles at work on the units of a run, and the batches of the run itself, the later of which gives way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.overlapping_batches import (
    OverlappingBatch,
    others_since,
    resting_batches,
    said_of_others,
)
from retriage.console.operations.known import operation_of
from retriage.console.reading.pages import PAGE
from retriage.console.text.words import things
from retriage.store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import Operation
    from retriage.console.reading.page_limit import PageLimit
    from retriage.console.session.session import Session
    from retriage.store.journal import Launch, Run

Ask = Callable[["EngineClient"], Awaitable[Any]]
Deed = Literal["suspend", "activate", "delete"]
A_MOMENT = 2.0
"""Seconds after which the launch of another run from here, which waits for its answer, is in the journal."""


class BesideOthers:
    """Batches of others that may set the units of one run.

    Args:
        session: whose engine and journal.
        run_id: the run.
        answer: asks the engine until it answers.
        sleep: waits so many seconds.
        limit: waits until the next order may be sent.
    """

    def __init__(
        self,
        session: Session,
        run_id: int,
        answer: Callable[[Ask], Awaitable[Any]],
        sleep: Callable[[float], Awaitable[object]],
        limit: PageLimit,
    ) -> None:
        assert session.memory.journal is not None, "the run is written there"
        self._session = session
        self._journal = session.memory.journal
        self._run_id = run_id
        self._answer = answer
        self._sleep = sleep
        self._limit = limit
        self._accepted: set[str] = set()
        """Batches beside which the operator goes on."""
        self._through: set[str] = set()
        """Batches that had no open job, or gave way, before the units to be sent were last looked at: what these did
        was seen."""

    async def accept(self, run: Run) -> None:
        """Go on beside all of them; a batch that had given way goes on too."""
        operation = operation_of(run)
        for sends in (operation, operation.fix):
            if sends is not None:
                self._accepted |= {one.batch_id for one in await self._others(run, sends, ())}
        await turn_batches(self._session, await self._journal.runs.launches(self._run_id), "activate", self._limit)

    async def look(self, operation: Operation) -> None:
        """Look which batches have no open job, or gave way to this run. Called before the units that are sent next are
        looked at."""
        launches = await self._journal.runs.launches(self._run_id)
        mine = [(one.sent_at, one.batch_id) for one in launches if one.sent_at is not None and one.batch_id is not None]
        first = min(mine, default=None)
        self._through = set()
        for sends in (operation, operation.fix):
            if sends is not None:
                self._through |= await self._answer(lambda client: resting_batches(client, sends.batch_type, first))  # noqa: B023 - asked at once

    async def before(self, run: Run, operation: Operation, ids: Sequence[str]) -> str:
        """Why this must not be done to these units now, in a sentence; empty if it may."""
        if await self._others(run, operation, ids):
            await self._sleep(A_MOMENT)
            if new := await self._others(run, operation, ids):
                return said_of_others(new, operation.unit)
        return ""

    async def give_way(self, run: Run, operation: Operation, ids: Sequence[str], batch: str) -> str:
        """Another console may have sent the same units in the same moment: of two batches the later one is suspended.

        Returns:
            whose the earlier one is, in a sentence; empty where there is none.
        """
        if not await self._others(run, operation, ids, batch):
            return ""
        mine = [one for one in await self._journal.runs.launches(self._run_id) if one.batch_id == batch]
        suspended = await turn_batches(self._session, mine, "suspend", self._limit)
        await self._sleep(A_MOMENT)
        if ahead := await self._others(run, operation, ids, batch):
            own = f" Batch {batch} of this run began later and was suspended; R activates it." if suspended else ""
            return f"{said_of_others(ahead, operation.unit)}{own}"
        await turn_batches(self._session, mine, "activate", self._limit)
        return ""

    async def _others(
        self, run: Run, operation: Operation, ids: Sequence[str], mine: str = ""
    ) -> list[OverlappingBatch]:
        """Those that were not accepted, of those that began before ``mine`` if that is given; none where the user may
        not read any."""
        own = {one.batch_id for one in await self._journal.runs.launches(self._run_id) if one.batch_id is not None}
        at = min(run.frozen_at, (await self._session.connection.opened()).engine_now())
        passed = own | self._accepted | self._through
        found: list[OverlappingBatch] = await self._answer(
            lambda client: others_since(client, self._journal, ids, passed, at, operation.batch_type, mine)
        )
        return found


async def turn_batches(session: Session, launches: Collection[Launch], deed: Deed, limit: PageLimit) -> list[str]:
    """Suspend, activate or delete the batches of launches that are still at work.

    Args:
        session: its engine is asked; failures are shown there.
        launches: those of the run.
        deed: what is done.
        limit: waits until the next question may be asked.

    Returns:
        ids of the batches to which it was done.
    """
    done: list[str] = []
    for launch in launches:
        batch_id = launch.batch_id
        if launch.state != "launched" or batch_id is None or launch.probable:
            continue
        try:
            query = BatchStatisticsQuery(batch_id=batch_id)
            if not await session.connection.ask(lambda client: client.batches(query, 0, 1)):  # noqa: B023 - asked at once
                continue
            await limit.wait()
            client = await session.connection.opened()
            if deed == "delete":
                await client.delete_batch(batch_id)
            else:
                await client.suspend_batch(batch_id, deed == "suspend")
            done.append(batch_id)
        except EngineProblem as problem:
            stays = "stays suspended" if deed == "activate" else "goes on"
            session.news.say(f"Batch {batch_id} {stays}: {problem.sentence}", "warning")
    return done


async def left_suspended(session: Session, launches: Collection[Launch]) -> str:
    """Which batches of a run that has ended stay suspended, as a sentence to be added to another.

    Returns:
        empty where none does, or the engine does not say.
    """
    own = {one.batch_id for one in launches if one.batch_id is not None and not one.probable}
    if not own:
        return ""
    try:
        query = BatchStatisticsQuery(suspended=True)
        found = await session.connection.ask(lambda client: client.batches(query, 0, PAGE))
    except EngineProblem:
        return ""
    ids = [batch.id for batch in found if batch.id in own]
    if not ids:
        return ""
    more = f", and {things(len(ids) - 1, 'batch', 'batches')} more," if len(ids) > 1 else ""
    stay = "stay" if more else "stays"
    return f" Batch {ids[0]}{more} {stay} suspended: what it has not set is not set before somebody activates it."
