"""Sends a launch: written down first, sent once, looked for when no answer proves what became of it.

What becomes of it is told in :mod:`console.launch.launch_events`; no screen is known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from console.engine.errors import TOO_LARGE, EngineProblem, Forbidden, Refused, Unanswered, Unreachable
from console.launch.checks import why_not_send
from console.launch.decided_launch import DecidedLaunch
from console.launch.find_batch import Finding, SoughtLaunch, look_for
from console.launch.launch_events import Launched, LaunchEvent, NoAnswer, NotFound, NotSent, RefusedByEngine, Sending
from console.launch.query_check import check_queries
from console.launch.record import LaunchRecord
from console.launch.unanswered import other_batches

if TYPE_CHECKING:
    from console.launch.plan import LaunchPlan
    from console.session.session import Session
    from store.contract.records import Batch, BatchStatistics

LOOKS = 5
"""How often an unanswered launch is looked for at once; after that it is looked for beside other work."""
BETWEEN_LOOKS = 2.0
"""Seconds before each look: the engine may still be at work on it."""
ASKED_ABOUT = 3
"""So many batches the operator is asked about, where none is that of an unanswered launch for certain."""

Adopt = Callable[["BatchStatistics"], Awaitable[bool]]
Tell = Callable[[LaunchEvent], None]


async def send_launch(
    session: Session, order: DecidedLaunch, tell: Tell, adopt: Adopt | None = None
) -> Launched | None:
    """Launch the batch; answers it where it is there, certainly or probably.

    Args:
        session: whose engine is asked.
        order: what is sent.
        tell: is told what becomes of it.
        adopt: asks the operator whether a batch is the one of a launch that was not answered.

    Raises:
        NotYours: it is a part of a run that is driven by another by now; nothing was sent.
    """
    tell(Sending(order.plan.count))
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
        launched = Launched(batch, order.plan.retries, order.plan.jobs)
        tell(launched)
        await record.ended("launched", batch_id=batch.id, jobs=batch.total_jobs)
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
        session.watched_by_run.add(launched.batch.id)
    if session.follower is not None:
        await session.follower.launched(launched.batch.id)
    return launched


async def _send(session: Session, plan: LaunchPlan) -> Batch:
    """Send the request, once. The safety is asked again: it may have come back since the operator decided."""
    await check_queries(session, plan.request)
    if why := session.safety.why_not():
        raise Forbidden(why)
    try:
        return await session.ask(lambda client: client.launch_retries(plan.prepared))
    except Refused as problem:
        named = len(plan.ids) if plan.by_ids else 0
        if problem.status == TOO_LARGE and named > 1:
            session.most_ids = min(session.most_ids, -(-named // 2))
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
    finding, problem = await _looked(session, sought)
    if finding is not None and finding.batch is None and adopt is not None:
        for batch in finding.perhaps[:ASKED_ABOUT]:
            if await adopt(batch):
                finding = replace(finding, batch=batch)
                break
    if finding is None or finding.batch is None:
        looked_at, perhaps = (finding.at, len(finding.perhaps)) if finding is not None else (None, 0)
        tell(NotFound(looked_at, problem, sought.latest, perhaps, sought.number))
        if session.unanswered is not None:
            session.unanswered.add(sought)
        return None
    batch = finding.batch
    said = "" if finding.certain else unknown.sentence
    await record.ended("launched", batch_id=batch.id, jobs=batch.total_jobs, said=said, probable=not finding.certain)
    launched = Launched(batch, plan.retries, plan.jobs, finding.certain)
    tell(launched)
    if not finding.certain and session.unanswered is not None:
        session.unanswered.add(replace(sought, batch_id=batch.id))
    return launched


async def _looked(session: Session, sought: SoughtLaunch) -> tuple[Finding | None, str]:
    """The last look that was answered, and why the last one failed, if it did."""
    finding: Finding | None = None
    problem = ""
    for _ in range(LOOKS):
        await asyncio.sleep(BETWEEN_LOOKS)
        known = await other_batches(session, sought)
        try:
            finding = await session.ask(lambda client: look_for(client, sought, known))  # noqa: B023 - asked at once
        except EngineProblem as failed:
            problem = failed.sentence
            continue
        problem = ""
        if finding.batch is not None:
            break
    return finding, problem
