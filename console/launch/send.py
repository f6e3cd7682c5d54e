"""Sends a launch: written down first, sent once, looked for when no answer comes, and written down what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.text.inert import inert
from console.text.words import short, things

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.engine.errors import Unanswered
    from console.launch.plan import LaunchPlan
    from console.reading.selected_tasks import SelectedTasks
    from console.session.session import Session
    from store.contract.records import Batch, BatchStatistics
    from store.journal import State

READ_MOST = 20_000
"""The tasks of a query are read and written down up to so many; beyond, it would hold the launch up too long."""
LOOKS = 5
"""How often an unanswered launch is looked for."""
BETWEEN_LOOKS = 2.0
"""Seconds before each look: the engine may still be at work on it."""
ASKED_ABOUT = 3
"""So many batches the operator is asked about, where none is that of an unanswered launch for certain."""
FRESH = 10.0
"""Seconds for which what was read of the tasks of a query counts as what they have now."""

Adopt = Callable[["BatchStatistics"], Awaitable[bool]]


@dataclass(frozen=True)
class DecidedLaunch:
    """A plan that the operator has decided to launch.

    Attributes:
        plan: what is sent.
        reason: why; may be empty.
        undoes: the launch of the journal that this one sets back.
    """

    plan: LaunchPlan
    reason: str = ""
    undoes: int | None = None


async def send_launch(
    session: Session, order: DecidedLaunch, adopt: Adopt | None = None, made: Callable[[], None] | None = None
) -> Batch | None:
    """Launch the batch, and say what has become of it; answers the batch where there is one.

    Args:
        session: whose engine is asked.
        order: what is sent.
        adopt: asks the operator whether a batch is the one of a launch that was not answered.
        made: called when the batch is known to be there, before anything else is asked about it.
    """
    from console.engine.errors import EngineProblem, Forbidden, Unanswered, Unreachable

    plan = order.plan
    session.say(f"Launching a batch for {things(plan.count, 'task')} …")
    note = await _write_down(session, order)
    batch: Batch | None
    try:
        batch = await _send(session, plan)
    except Unanswered as unknown:
        session.say(f"{unknown.sentence} Looking for it among the batches …", "warning")
        batch = await _found(session, plan, unknown, adopt)
        if batch is None:
            await note.ended("unknown", said=unknown.sentence)
            lost = "Look at 4 before launching again: no answer, no such batch is there."
            session.say(lost, "failed")
            return None
    except EngineProblem as problem:
        await note.ended("unsent" if isinstance(problem, Unreachable | Forbidden) else "refused", said=problem.sentence)
        session.say(problem.sentence, "failed")
        return None
    if made is not None:
        made()
    await note.ended("launched", batch_id=batch.id, jobs=batch.total_jobs)
    _tell(session, plan, batch)
    if session.follower is not None:
        await session.follower.launched(batch.id)
    return batch


async def _send(session: Session, plan: LaunchPlan) -> Batch:
    """Send the request, once. The safety is asked again: it may have come back since the operator decided."""
    from console.engine.errors import Forbidden

    if why := session.safety.why_not():
        raise Forbidden(why)
    return await session.ask(lambda client: client.launch_retries(plan.prepared))


def _tell(session: Session, plan: LaunchPlan, batch: Batch) -> None:
    more = batch.total_jobs - plan.jobs
    drift = f", {abs(more):,} {'more' if more > 0 else 'fewer'} than were counted" if more else ""
    session.say(
        f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')}{drift}, retries {plan.retries}.",
        "warning" if more else "good",
    )


async def _found(session: Session, plan: LaunchPlan, unknown: Unanswered, adopt: Adopt | None) -> Batch | None:
    """The batch of a launch that was not answered; a launch is never sent twice by itself.

    Where none is it for certain, the operator is asked about the likeliest ones.
    """
    from console.engine.errors import EngineProblem
    from console.launch.unanswered import FoundBatches

    found, known = FoundBatches(), frozenset(session.launched)
    for _ in range(LOOKS):
        await asyncio.sleep(BETWEEN_LOOKS)
        try:
            found = await session.ask(
                lambda client: client.trace_launch(plan.request, unknown.since, plan.count, known)
            )
        except EngineProblem:
            continue
        if found.it is not None:
            return found.it
    if adopt is not None:
        for batch in found.perhaps[:ASKED_ABOUT]:
            if await adopt(batch):
                return batch
    return None


class LaunchRecord:
    """The launch as it stands in the journal; nothing happens where there is no journal, or it cannot be written."""

    def __init__(self, session: Session, number: int | None) -> None:
        self._session = session
        self._number = number

    async def ended(
        self, state: State, *, batch_id: str | None = None, jobs: int | None = None, said: str = ""
    ) -> None:
        """Write down what became of the launch."""
        journal = self._session.journal
        if journal is not None and self._number is not None:
            await kept(self._session, journal.ended(self._number, state, batch_id=batch_id, jobs=jobs, said=said))
            self._session.news.publish("journal")


async def kept(session: Session, writing: Awaitable[object]) -> bool:
    """Whether the journal could be written; says it when not."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        await writing
    except SQLAlchemyError as problem:
        said = inert(str(getattr(problem, "orig", None) or problem).splitlines()[0])
        session.say(f"The journal cannot be written: {said}. This launch cannot be undone from here.", "warning")
        return False
    return True


async def _write_down(session: Session, order: DecidedLaunch) -> LaunchRecord:
    """Write the launch and its tasks into the journal, before it is sent."""
    journal, plan = session.journal, order.plan
    if journal is None:
        return LaunchRecord(session, None)
    from store.journal import NewLaunch

    identity = session.identity
    body = {name: value for name, value in plan.prepared.value.items() if name != "externalTaskIds"}
    new = NewLaunch(
        engine=session.engine_name,
        url=identity.url,
        user=identity.user,
        retries=plan.retries,
        request=json.dumps(body, ensure_ascii=False),
        tasks=plan.count,
        title=_title(plan),
        reason=order.reason,
        undoes=order.undoes,
    )
    numbers: list[int] = []

    async def write() -> None:
        numbers.append(await journal.begin(new))
        named = plan.request.external_task_ids or []
        roll = await _roll(session, plan)
        has = roll.retries if roll is not None else {}
        past = await journal.add_tasks(numbers[0], ((id, has.get(id)) for id in named if id is not None))
        if not plan.by_ids and roll is not None:
            others = _taken(plan, roll, frozenset(named))
            past = await journal.add_tasks(numbers[0], others, first=past, named=False)
        await journal.sent(numbers[0], past if roll is not None else None)

    written = await kept(session, write())
    return LaunchRecord(session, numbers[0] if written else None)


def _title(plan: LaunchPlan) -> str:
    """What was chosen, for somebody who reads it next week."""
    if plan.facts.asked == 1 and plan.facts.sample:
        task = plan.facts.sample[0]
        return f"{task.business_key or task.id}  ·  {task.topic_name}"
    return plan.describe()


def _taken(plan: LaunchPlan, roll: SelectedTasks, named: frozenset[str | None]) -> Iterable[tuple[str, int | None]]:
    """The tasks that the query takes, besides those named."""
    for id, has in roll.retries.items():
        if id not in named and plan.takes(has):
            yield id, has


async def _roll(session: Session, plan: LaunchPlan) -> SelectedTasks | None:
    """What the tasks have now: read again where a query is launched and the reading is old; nothing if there are too
    many, or the engine does not answer."""
    from datetime import UTC, datetime

    from console.engine.errors import EngineProblem
    from console.reading.selected_tasks import read_selected_tasks

    roll = plan.roll
    if roll is not None and (plan.by_ids or (datetime.now(UTC) - roll.at).total_seconds() < FRESH):
        return roll
    if plan.count > READ_MOST:
        return None
    with suppress(EngineProblem):
        return await session.ask(lambda client: read_selected_tasks(client, plan.selection, most=READ_MOST))
    return roll
