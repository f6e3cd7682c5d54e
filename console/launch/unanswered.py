"""Looks for the batches of launches that were not answered until it is known what became of them: beside everything
else, when the journal is opened, and when the console is started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.journal import journal_problem
from retriage.console.launch.find_batch import Finding, SoughtLaunch, look_for, names_all
from retriage.console.launch.launch_events import (
    CarriedOut,
    Disproved,
    Launched,
    LaunchEvent,
    NeverKnown,
    NotCarriedOut,
    Proven,
)
from retriage.console.operations.evidence import SAMPLE
from retriage.console.operations.known import operation_of
from retriage.console.session.poller import Poller
from retriage.store.contract.orders import SetExternalTaskRetries

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session
    from retriage.console.session.snapshot import Snapshot
    from retriage.store.journal import Journal, Launch, State

EVERY = 5.0
"""Seconds between two looks while a launch is in doubt."""
IDLE = 60.0
"""Seconds between two looks into the journal while none is: another console may write into it too."""
MOST_KNOWN = 500
"""So many of the newest launches of the journal are asked for the batches they made."""
ON_ITS_WAY = timedelta(minutes=4)
"""A launch that was sent so lately may still be waited for by another console with the same journal."""


class UnansweredLaunches:
    """The launches of one session, and of its journal, that are in doubt.

    Args:
        session: whose engine is asked.
        tell: is told what becomes of each.
    """

    def __init__(self, session: Session, tell: Callable[[LaunchEvent], None]) -> None:
        self._session = session
        self._tell = tell
        self._unkept: dict[datetime, SoughtLaunch] = {}
        self._over: set[int] = set()
        self._moved: set[int] = set()
        """Launches whose tasks are no longer as they were."""
        self._poller: Poller[int] = Poller(
            self._look, self._looked, interval=EVERY, wanted=lambda: not session.watch.paused
        )

    def start(self) -> None:
        """Begin to look."""
        self._poller.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._poller.stop()

    def seek(self, *launches: SoughtLaunch) -> None:
        """Look soon: the operator wants to know, or these are in doubt too. One of the journal is read from there."""
        self._unkept |= {launch.sent_at: launch for launch in launches if launch.number is None}
        self._over.clear()
        if self._poller.running:
            self._poller.hurry()

    async def look(self) -> None:
        """Look now."""
        if self._poller.running:
            await self._poller.refresh()

    async def look_once(self) -> int:
        """Look once for each, whether or not it is looked for all the time; answers how many are in doubt.

        Raises:
            EngineProblem: the engine did not answer.
        """
        return await self._look()

    def open(self, launch: Launch) -> bool:
        """Nothing proves yet what became of a launch, and a later look may: not known, or probably of a batch while its
        tasks are as they were."""
        probable = launch.probable and launch.batch_id is not None and launch.id not in self._over | self._moved
        return launch.state in ("sent", "unknown") or probable

    # -- looking ----------------------------------------------------------------------------------------------------

    async def _look(self) -> int:
        """Look once for each; answers how many are in doubt.

        Raises:
            EngineProblem: the engine did not answer.
        """
        launches = [*await self._of_journal(), *self._unkept.values()]
        self._poller.every(EVERY if launches else IDLE)
        for launch in launches:
            known = await other_batches(self._session, launch)
            finding = await self._session.connection.ask(partial(_ask, launch=launch, known=known))
            await self._learn(launch, finding)
        return len(launches)

    def _looked(self, snapshot: Snapshot[int]) -> None:
        """The journal tells when it was last looked for."""
        self._session.news.publish("journal")

    async def _of_journal(self) -> list[SoughtLaunch]:
        journal = self._session.memory.journal
        if journal is None:
            return []
        try:
            rows = await journal.in_doubt(self._session.memory.engine_name)
            return [await self._sought(journal, row) for row in rows if self._wanted(row)]
        except journal_problem():
            return []

    def _wanted(self, row: Launch) -> bool:
        """It is not on its way from here, and something can still be learnt."""
        return row.id not in self._session.memory.sending and row.id not in self._over

    async def _sought(self, journal: Journal, row: Launch) -> SoughtLaunch:
        client = self._session.connection.client
        sample = await journal.tasks(row.id, 0, SAMPLE)
        return SoughtLaunch(
            row.id,
            operation_of(row),
            row.tasks,
            # Only the retries of tasks are set by query.
            row.retries is None or names_all(SetExternalTaskRetries.model_validate_json(row.request)),
            row.sent_at or row.began_at,
            # The name in the journal is that of the login only where there is one.
            row.user if client is not None and client.user else "",
            tuple((task.task_id, task.retries) for task in sample),
            row.batch_id,
            row.newest_before,
        )

    # -- what was found ---------------------------------------------------------------------------------------------

    async def _learn(self, launch: SoughtLaunch, finding: Finding) -> None:
        if finding.over and launch.number is not None:
            self._over.add(launch.number)
        if finding.moved and launch.number is not None:
            self._moved.add(launch.number)
        if finding.disproved and launch.batch_id is not None:
            self._session.watch.unfollow(launch.batch_id)
            self._look_up_again(launch.batch_id)
            self._tell(Disproved(launch.number, launch.batch_id))
            launch = replace(launch, batch_id=None)
            await self._settle(launch, finding, "unknown", said="its batch turned out to be another's")
        if finding.batch is not None:
            await self._found(launch, finding)
        elif finding.absent:
            if await self._settle(launch, finding, "not_carried_out", said=f"Not carried out: {finding.absent}."):
                self._tell(NotCarriedOut(launch.number, finding.absent))
        elif finding.effect:
            await self._effect(launch, finding)
        elif launch.batch_id is None:
            await self._unknown(launch, finding)

    async def _found(self, launch: SoughtLaunch, finding: Finding) -> None:
        batch = finding.batch
        assert batch is not None
        known = launch.batch_id == batch.id
        if known and not finding.certain:
            return
        settled = await self._settle(
            launch,
            finding,
            "launched",
            batch_id=batch.id,
            jobs=batch.total_jobs,
            # That no answer proved anything is over once the batch is known to be its own.
            said="" if finding.certain else None,
            probable=not finding.certain,
        )
        if not settled:
            return
        if known:
            self._look_up_again(batch.id)
            self._tell(Proven(launch.number, batch.id))
            return
        jobs = batch.total_jobs if launch.exact else launch.tasks
        self._tell(Launched(batch, launch.operation, jobs, finding.certain, launch.number))
        await self._session.watch.follow(batch.id)

    def _look_up_again(self, batch_id: str) -> None:
        """Whose the batch is has turned out."""
        self._session.watch.forget(batch_id)

    async def _effect(self, launch: SoughtLaunch, finding: Finding) -> None:
        """Its tasks have what it sets; its batch, where one was known, is gone."""
        did = launch.operation
        said = f"Its {did.unit}s {did.state}. Its batch is gone, and this engine keeps no ended ones."
        proven = launch.batch_id is not None
        if await self._settle(launch, finding, "launched", batch_id=launch.batch_id, said=said, probable=not proven):
            if launch.batch_id is not None:
                self._look_up_again(launch.batch_id)
                self._tell(Proven(launch.number, launch.batch_id))
            else:
                self._tell(CarriedOut(launch.number, launch.operation))

    async def _unknown(self, launch: SoughtLaunch, finding: Finding) -> None:
        """Not found yet, or never to be known."""
        if finding.over:
            said = "What became of it can no longer be known: the engine keeps nothing that shows it."
            if finding.perhaps:
                ids = ", ".join(batch.id for batch in finding.perhaps)
                said = f"One of these batches may be its own, and nothing shows which: {ids}."
            if await self._settle(launch, finding, "unknowable", said=said):
                self._tell(NeverKnown(launch.number))
        elif finding.at > launch.sent_at + ON_ITS_WAY:
            await self._settle(launch, finding, "unknown")

    async def _settle(
        self,
        launch: SoughtLaunch,
        finding: Finding,
        state: State,
        *,
        batch_id: str | None = None,
        jobs: int | None = None,
        said: str | None = None,
        probable: bool = False,
    ) -> bool:
        """Write it down; answers whether it was still in doubt."""
        journal = self._session.memory.journal
        if launch.number is None:
            del self._unkept[launch.sent_at]
            if state == "unknown" or probable:
                self._unkept[launch.sent_at] = replace(launch, batch_id=batch_id)
            return True
        if journal is None:
            return False
        try:
            settled = await journal.settled(
                launch.number,
                state,
                looked_at=finding.at,
                batch_id=batch_id,
                jobs=jobs,
                said=said,
                probable=probable,
            )
        except journal_problem():
            self._over.discard(launch.number)  # it is looked for again, and written down then
            return False
        self._session.news.publish("journal")
        return settled


async def _ask(client: EngineClient, launch: SoughtLaunch, known: frozenset[str]) -> Finding:
    return await look_for(client, launch, known)


async def other_batches(session: Session, launch: SoughtLaunch) -> frozenset[str]:
    """Batches that are known to have been made by other launches than this one."""
    known = set(session.watch.launched)
    if session.memory.journal is not None:
        try:
            made = await session.memory.journal.launches(session.memory.engine_name, MOST_KNOWN)
        except journal_problem():
            made = []
        known |= {row.batch_id for row in made if row.batch_id is not None and row.id != launch.number}
    return frozenset(known - {launch.batch_id})
