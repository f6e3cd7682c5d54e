"""Sends a launch: written down first, sent once, looked for when no answer proves what became of it.

What becomes of it is told in :mod:`retriage.console.launch.launch_events`; no screen is known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retriage.console.engine.errors import TOO_LARGE, EngineProblem, Forbidden, Refused, Unanswered, Unreachable
from retriage.console.launch.checks import why_not_send
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.find_batch import Finding, SoughtLaunch, look_for
from retriage.console.launch.launch_events import (
    GivenBack,
    Launched,
    LaunchEvent,
    NoAnswer,
    NotFound,
    NotSent,
    RefusedByEngine,
    Sending,
)
from retriage.console.launch.one_by_one import send_one_by_one
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.plan_by_ids import PlanByIds, PlanOneByOne
from retriage.console.launch.query_check import check_queries
from retriage.console.launch.record import LaunchRecord
from retriage.console.launch.split_by_ids import parts_of
from retriage.console.launch.unanswered import other_batches
from retriage.store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from retriage.console.session.session import Session
    from retriage.store.contract.records import Batch, BatchStatistics

LOOKS = 5
"""How often an unanswered launch is looked for at once; after that it is looked for beside other work."""
BETWEEN_LOOKS = 2.0
"""Seconds before each look: the engine may still be at work on it."""
STANDSTILL = 60
"""Seconds after which a batch that does not get on is waited for no more."""
ASKED_ABOUT = 3
"""So many batches the operator is asked about, where none is that of an unanswered launch for certain."""

Adopt = Callable[["BatchStatistics"], Awaitable[bool]]
Tell = Callable[[LaunchEvent], None]


@dataclass(frozen=True)
class Sent:
    """What became of one launch.

    Attributes:
        order: what was sent; the whole launch where one of its parts made no batch.
        launched: its batch; ``None`` where none is known.
        events: what happened, in order.
    """

    order: DecidedLaunch
    launched: Launched | None
    events: Sequence[LaunchEvent]

    @property
    def unsent(self) -> bool:
        """Certainly nothing was changed."""
        return any(isinstance(event, NotSent | RefusedByEngine) for event in self.events)

    @property
    def refused(self) -> bool:
        """The engine, or a proxy before it, said no: nothing was changed."""
        return any(isinstance(event, RefusedByEngine) for event in self.events)

    @property
    def too_large(self) -> bool:
        """A proxy found the request too large: smaller ones may follow, since nothing was done."""
        return any(isinstance(event, RefusedByEngine) and event.too_large for event in self.events)

    @property
    def unanswered(self) -> bool:
        """Nothing proves yet what became of it."""
        return any(isinstance(event, NoAnswer | NotFound) for event in self.events)


async def send_launches(
    session: Session, orders: Iterable[DecidedLaunch], send: Callable[[DecidedLaunch], Awaitable[Sent]]
) -> list[Sent]:
    """Send launches one after the other, in parts where one is too large, until one makes no batch. One that does
    something else than those before waits until they are through; it is not sent where they do not get on.

    Args:
        session: whose engine is asked; it is told of parts.
        orders: the launches; each is taken when it is its turn.
        send: sends one part.

    Returns:
        what became of each part; only the last one may be without a batch.
    """
    done: list[Sent] = []
    for order in orders:
        other = bool(done) and done[-1].order.plan.operation.batch_type != order.plan.operation.batch_type
        # Workers see what comes next: nothing of what came before may still be under way.
        if other and not await _all_through(session, done):
            return done
        parts = parts_of(order.plan, session.connection.most_ids)
        made: frozenset[str] = frozenset()
        while parts:
            plan = parts.pop(0)
            # Batches of earlier parts are not somebody else's.
            known = None if order.overlaps is None else order.overlaps | made
            sent = await send(replace(order, plan=plan, overlaps=known))
            if sent.launched is not None:
                made |= {sent.launched.batch.id}
                done.append(sent)
                continue
            if isinstance(end := sent.events[-1] if sent.events else None, GivenBack) and not end.stopped:
                done.append(sent)
                continue
            smaller = parts_of(plan, session.connection.most_ids) if sent.too_large else []
            if len(smaller) < 2:
                return [*done, replace(sent, order=order)]
            parts = [*smaller, *(one for rest in parts for one in parts_of(rest, session.connection.most_ids))]
            session.news.say(f"Too large for a proxy, nothing was done: sent as {len(smaller)} batches.", "warning")
    return done


async def _all_through(session: Session, sent: Iterable[Sent]) -> bool:
    try:
        for one in sent:
            if one.launched is not None and not await wait_until_set(session, one.launched.batch.id):
                said = f"Batch {one.launched.batch.id} does not move"
                break
        else:
            return True
    except EngineProblem as problem:
        said = problem.sentence.rstrip(".")
    session.news.say(f"{said}: the rest of it is not sent. Order it again later.", "warning")
    return False


async def wait_until_set(session: Session, batch_id: str) -> bool:
    """Wait while a batch gets on; returns whether all of its units are set.

    Raises:
        EngineProblem: the engine did not answer.
    """
    query = BatchStatisticsQuery(batch_id=batch_id)
    left, patience = -1, STANDSTILL
    while patience > 0:
        found = await session.connection.ask(lambda client: client.batches(query, 0, 1))
        now = max(found[0].remaining_jobs, found[0].total_jobs - found[0].completed_jobs) if found else 0
        if not now:
            return True
        patience = patience - 1 if now == left else STANDSTILL
        left = now
        await asyncio.sleep(1.0)
    return False


async def send_launch(
    session: Session, order: DecidedLaunch, tell: Tell, adopt: Adopt | None = None
) -> Launched | None:
    """Launch the batch; answers it where it is there, certainly or probably. A plan of single requests makes none.

    Args:
        session: whose engine is asked.
        order: what is sent.
        tell: is told what becomes of it.
        adopt: asks the operator whether a batch is the one of a launch that was not answered.

    Raises:
        NotYours: it is a part of a run that is driven by another by now; nothing was sent.
    """
    if isinstance(order.plan, PlanOneByOne):
        await send_one_by_one(session, order, order.plan, tell)
        return None
    tell(Sending(order.plan.operation.units(order.plan.count)))
    try:
        why = await why_not_send(session, order)
    except EngineProblem as problem:
        why = f"Not launched: {problem.sentence}"
    if why:
        tell(NotSent(why))
        return None
    record = LaunchRecord(session, order, tell)
    try:
        await record.begin()
        if order.part is not None and record.number is None:
            tell(NotSent("Not launched: a batch of a run is sent only where it can be written down first."))
            return None
        batch = await _send(session, order.plan)
        launched = Launched(batch, order.plan.operation, order.plan.jobs)
        tell(launched)
        await record.ended("launched", batch_id=batch.id, jobs=batch.total_jobs, sent_at=batch.start_time)
    except Unanswered as unknown:
        found = await _look(session, record, unknown, tell, adopt)
        if found is None:
            return None
        launched = found
    except EngineProblem as problem:
        unsent = isinstance(problem, Unreachable | Forbidden)
        await record.ended("unsent" if unsent else "refused", said=problem.sentence)
        too_large = isinstance(problem, Refused) and problem.status == TOO_LARGE
        tell(NotSent(problem.sentence) if unsent else RefusedByEngine(problem.sentence, too_large))
        return None
    finally:
        record.close()
    if order.part is not None:
        session.watch.leave_to_run([launched.batch.id])
    await session.watch.follow(launched.batch.id)
    return launched


async def _send(session: Session, plan: LaunchPlan | PlanByIds) -> Batch:
    """Send the request, once. The safety is asked again: it may have come back since the operator decided."""
    if isinstance(plan, LaunchPlan):
        await check_queries(session, plan.request)
    if why := session.connection.safety.why_not():
        raise Forbidden(why)
    try:
        return await session.connection.ask(lambda client: client.launch_batch(plan.prepared))
    except Refused as problem:
        named = len(plan.ids) if plan.by_ids else 0
        if problem.status == TOO_LARGE and named > 1:
            session.connection.name_fewer_ids(named)
        raise


async def _look(
    session: Session, record: LaunchRecord, unknown: Unanswered, tell: Tell, adopt: Adopt | None
) -> Launched | None:
    """Look for the batch of a launch that was not answered; a launch is never sent twice by itself.

    Where none is it for certain, the operator is asked about the likeliest ones. Where none is found it is looked for
    beside everything else.
    """
    await record.ended("unknown", said=unknown.sentence)
    tell(NoAnswer(unknown.sentence))
    sought, plan = record.sought(unknown.since), record.order.plan
    # A run goes on by what becomes of its tasks, and may delete its batch: it takes none that is not proven its own.
    proven_only = record.order.part is not None
    finding, problem = await _looked(session, sought, proven_only)
    if finding is not None and finding.batch is None and adopt is not None:
        for batch in finding.perhaps[:ASKED_ABOUT]:
            if await adopt(batch):
                finding = replace(finding, batch=batch)
                break
    if finding is None or finding.batch is None or (proven_only and not finding.certain):
        looked_at, perhaps = (finding.at, len(finding.perhaps)) if finding is not None else (None, 0)
        perhaps += finding is not None and finding.batch is not None
        if looked_at is not None:
            await record.looked(looked_at)
        tell(NotFound(looked_at, problem, sought.latest, perhaps, sought.number))
        session.watch.seek(sought)
        return None
    batch = finding.batch
    said = "" if finding.certain else unknown.sentence
    await record.ended("launched", batch_id=batch.id, jobs=batch.total_jobs, said=said, probable=not finding.certain)
    launched = Launched(batch, plan.operation, plan.jobs, finding.certain)
    tell(launched)
    if not finding.certain:
        session.watch.seek(replace(sought, batch_id=batch.id))
    return launched


async def _looked(session: Session, sought: SoughtLaunch, proven_only: bool) -> tuple[Finding | None, str]:
    """The last look that was answered, and why the last one failed, if it did."""
    finding: Finding | None = None
    problem = ""
    for _ in range(LOOKS):
        await asyncio.sleep(BETWEEN_LOOKS)
        known = await other_batches(session, sought)
        try:
            finding = await session.connection.ask(lambda client: look_for(client, sought, known))  # noqa: B023 - asked at once
        except EngineProblem as failed:
            problem = failed.sentence
            continue
        problem = ""
        if finding.batch is not None and (finding.certain or not proven_only):
            break
    return finding, problem
