"""Changes variables by a request each. Process instances get back what they had: more former values than batches can be
made for, and variables that were absent, which no batch takes away. Executions of tasks, which no batch names, are set
and get back what they had.

What is asked and what came of it is written down group by group: a console that is killed in between leaves a group of
which nothing is known but what the instances show, and the next undo, or its run, goes on from there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.engine.errors import Denied, EngineProblem, Refused, Unanswered
from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.launch.launch_events import GivenBack, LaunchEvent
from retriage.console.launch.plan_by_ids import PlanOneByOne
from retriage.console.reading.page_limit import PageLimit
from retriage.console.reading.pages import pieces
from retriage.store.journal.records import NewLaunch

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.session.session import Session
    from retriage.store.journal.records import Outcome, State

GROUP = 50
"""Instances that are read, written down and sent together."""
EVERY = 0.5
"""Seconds from one group to the next at least."""
MOST_A_SECOND = round(GROUP / EVERY)
AT_ONCE = 4
"""Requests under way at a time; the engine has others to serve."""
NOT_THEIRS = "Another console goes on with this undo."

Tell = Callable[[LaunchEvent], None]
Outcomes = dict[str, "Outcome"]


async def send_one_by_one(session: Session, order: DecidedLaunch, plan: PlanOneByOne, tell: Tell) -> None:
    """Send the requests; it ends with a :class:`GivenBack` that is over.

    Args:
        session: whose engine and journal are used.
        order: the undo, or the run, that this is a part of.
        plan: which instances or executions, and what they had.
        tell: called after each group with the progress.

    Raises:
        NotYours: it is a part of a run that is driven by another by now; nothing more was sent.
    """
    work = _OneByOne(session, order, plan, tell)
    try:
        stopped = await work.all_groups()
    except EngineProblem as problem:
        stopped = problem.sentence
    except journal_problem() as problem:
        stopped = f"The journal cannot be written: {said_by_driver(problem)}."
    await work.end(stopped)


class _OneByOne:
    def __init__(self, session: Session, order: DecidedLaunch, plan: PlanOneByOne, tell: Tell) -> None:
        assert session.memory.journal is not None, "what they had comes from the journal"
        self._session, self._order, self._plan, self._tell = session, order, plan, tell
        self._journal = session.memory.journal
        self._number: int | None = None
        self._came: Counter[str] = Counter()
        self._refused: Refused | None = None
        """The last refusal."""

    async def all_groups(self) -> str:
        """Change them group by group; returns why it stopped, empty where it is through."""
        identity, part = self._session.connection.identity, self._order.part
        self._number = await self._journal.begin(
            NewLaunch(
                engine=self._session.memory.engine_name,
                url=identity.url,
                user=identity.user,
                retries=None,
                request="{}",
                tasks=self._plan.count,
                title=self._plan.describe(),
                reason=self._order.reason,
                undoes=self._order.undoes,
                undoes_run=self._order.undoes_run,
                run_id=part.run_id if part is not None else None,
                wave=part.wave if part is not None else None,
                operation=self._plan.operation.name,
                arguments=self._plan.operation.arguments,
            )
        )
        limit, first = PageLimit(every=EVERY), 0
        for ids in pieces(self._plan.ids, GROUP):
            await limit.wait()
            if stopped := await self._group(self._number, first, ids):
                return stopped
            first += len(ids)
            self._tell(self._told())
        return ""

    async def end(self, stopped: str) -> None:
        """Write down, and tell, how it ended."""
        told = self._told(stopped, over=True)
        # The console that took its place has ended it.
        if self._number is not None and stopped != NOT_THEIRS:
            changed = self._came["done"] or self._came["unknown"]
            said = told.sentence if told.rest else ""
            state: State = "launched" if changed or not stopped else "refused"
            try:
                await self._journal.ended(self._number, state, jobs=self._came["done"], said=said)
            except journal_problem():
                pass  # what came of each is written as far as it could be
            self._session.news.publish("journal")
        self._tell(told)

    @property
    def _refusal(self) -> str:
        return self._refused.sentence if self._refused is not None else ""

    def _told(self, stopped: str = "", over: bool = False) -> GivenBack:
        plan = self._plan
        return GivenBack(
            plan.count, self._came.copy(), stopped, self._refusal, over, plan.operation.unit, plan.gives_back
        )

    async def _group(self, number: int, first: int, ids: Sequence[str]) -> str:
        """Change a group; returns why no other may follow, empty where one may."""
        outcomes = await self._session.connection.ask(lambda client: self._look(client, ids))
        part = self._order.part
        run = (part.run_id, part.driver) if part is not None else None
        if not await self._journal.asking(number, first, outcomes, run=run):
            return NOT_THEIRS
        stopped = ""
        while not stopped and (asked := [id for id in ids if outcomes[id] == "asked"]):
            stopped, lost = await self._send(outcomes, asked)
            try:
                if doubtful := [id for id in asked if outcomes[id] in ("refused", "unknown")]:
                    look = partial(self._look_again, ids=doubtful, outcomes=outcomes)
                    outcomes |= await self._session.connection.ask(look)
            except EngineProblem as problem:
                stopped = stopped or problem.sentence
            came = {outcomes[id] for id in asked}
            # Who may not change one may change others; an engine that fails at all of them is left alone.
            if came == {"refused"} and not isinstance(self._refused, Denied):
                stopped = stopped or self._refusal
            if "unknown" in came:
                stopped = stopped or lost
        outcomes = {id: "unsent" if outcome == "asked" else outcome for id, outcome in outcomes.items()}
        self._came.update(outcomes.values())
        await self._journal.answered(number, first, list(outcomes.values()))
        return stopped

    async def _look(self, client: EngineClient, ids: Sequence[str]) -> Outcomes:
        """Which of them are still as expected."""
        plan = self._plan
        has = await plan.operation.has_now(client, ids)
        return {
            id: "gone" if id not in has else "asked" if plan.is_due(id, has[id]) else "changed" for id in ids
        }  # fmt: skip

    async def _send(self, outcomes: Outcomes, ids: Sequence[str]) -> tuple[str, str]:
        """Send each its request, until one cannot be sent or is not answered; returns why no more may be sent, and why
        one was not answered. Those that were not sent are ``asked`` still."""
        waiting, stopped, lost = list(reversed(ids)), "", ""

        async def one(id: str) -> Outcome:
            nonlocal stopped, lost
            operation, change = self._plan.operation, self._plan.change(id)
            try:
                await self._session.connection.ask(lambda client: operation.send_one(client, id, change))
            except Unanswered as problem:
                lost = problem.sentence
                return "unknown"
            except Refused as problem:
                self._refused = problem
                return "refused"
            except EngineProblem as problem:
                stopped = problem.sentence
                return "unsent"
            return "done"

        async def worker() -> None:
            while waiting and not (stopped or lost):
                id = waiting.pop()
                outcomes[id] = await one(id)

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return stopped, lost

    async def _look_again(self, client: EngineClient, ids: Sequence[str], outcomes: Mapping[str, Outcome]) -> Outcomes:
        """What became of those whose answer does not prove that they were changed."""
        has = await self._plan.operation.has_now(client, ids)
        found: Outcomes = {}
        for id in ids:
            if id not in has:
                found[id] = "gone"
            elif self._plan.is_due(id, has[id]):
                found[id] = outcomes[id]
            else:
                found[id] = "done" if self._plan.is_done(id, has[id]) else "changed"
        return found
