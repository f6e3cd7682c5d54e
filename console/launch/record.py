"""A launch in the journal: written down with its tasks before it is sent, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.engine.batch_request import IDS
from retriage.console.engine.errors import EngineProblem
from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.launch.find_batch import SoughtLaunch, names_all
from retriage.console.launch.launch_events import LaunchEvent, NotKept
from retriage.console.launch.newest_batches import newest_start
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.plan_by_ids import PlanByIds
from retriage.console.operations.evidence import SAMPLE, Before
from retriage.console.reading.selected_tasks import read_selected_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.reading.selected_tasks import SelectedTasks
    from retriage.console.session.connection import Connection
    from retriage.console.session.session import Session
    from retriage.store.journal import State

READ_MOST = 20_000
"""The tasks of a query are read and written down up to so many; beyond, it would hold the launch up too long."""
FRESH = 10.0
"""Seconds for which what was read of the tasks of a query counts as what they have now."""


@dataclass
class LaunchRecord:
    """One launch as it is written down; where there is no journal, or it cannot be written, it is only remembered.

    Attributes:
        session: whose journal.
        order: the launch.
        tell: is told when the journal cannot be written.
        number: its number in the journal.
        sample: some of its tasks with what they had before, for what proves its effect.
        newest_before: when the newest batch of its type began that is there before it is sent; ``None``: not known.
    """

    session: Session
    order: DecidedLaunch
    tell: Callable[[LaunchEvent], None]
    number: int | None = None
    sample: tuple[Before, ...] = field(default=(), repr=False)
    newest_before: datetime | None = None

    async def begin(self) -> None:
        """Write the launch and its tasks down: it is sent next."""
        plan, session = self.order.plan, self.session
        has: Mapping[str, int | None] | None
        if isinstance(plan, PlanByIds):
            has = plan.before
        else:
            selected_tasks = await _read_tasks(session.connection, plan)
            has = selected_tasks.retries if selected_tasks is not None else None
        some = list(_units(plan, has)) if has is not None else []
        if isinstance(plan, LaunchPlan) and not some:
            some = [(task.id, task.retries) for task in plan.facts.sample]
        set_so = plan.operation.retries
        self.sample = tuple([one for one in some if set_so is None or one[1] != set_so][:SAMPLE])
        client = await session.connection.opened()
        with suppress(EngineProblem):
            self.newest_before = await newest_start(client, plan.operation.batch_type)
        await self._kept(self._write(has, client.engine_now()))
        if self.number is not None:
            session.memory.sending.add(self.number)

    async def _write(self, has: Mapping[str, int | None] | None, now: datetime) -> None:
        journal, plan = self.session.memory.journal, self.order.plan
        if journal is None:
            return
        from retriage.store.journal import NewLaunch  # 530 ms, paid when the journal was opened

        identity, part = self.session.connection.identity, self.order.part
        body = {name: value for name, value in plan.prepared.value.items() if name not in IDS}
        new = NewLaunch(
            engine=self.session.memory.engine_name,
            url=identity.url,
            user=identity.user,
            retries=plan.operation.retries,
            request=json.dumps(body, ensure_ascii=False),
            tasks=plan.count,
            title=_title(plan),
            reason=self.order.reason,
            undoes=self.order.undoes,
            run_id=part.run_id if part is not None else None,
            wave=part.wave if part is not None else None,
            undoes_run=self.order.undoes_run,
            operation=plan.operation.name,
            arguments=plan.operation.arguments,
            newest_before=self.newest_before,
        )
        number = await journal.begin(new)
        named = _named(plan)
        past = await journal.add_tasks(number, ((id, has.get(id) if has is not None else None) for id in named))
        if isinstance(plan, LaunchPlan) and not plan.by_ids:
            others = _taken_by_query(plan, has, frozenset(named)) if has is not None else self.sample
            past = await journal.add_tasks(number, others, first=past, named=False)
        run = (part.run_id, part.driver) if part is not None else None
        await journal.sent(number, past if has is not None else None, now, run=run)
        self.number = number

    def sought(self, since: datetime) -> SoughtLaunch:
        """The launch as its batch is looked for.

        Args:
            since: when it was sent, by the engine's clock.
        """
        plan, client = self.order.plan, self.session.connection.client
        return SoughtLaunch(
            self.number,
            plan.operation,
            plan.count,
            isinstance(plan, PlanByIds) or names_all(plan.request),
            since,
            client.user if client is not None else "",
            self.sample,
            newest_before=self.newest_before,
        )

    async def ended(
        self,
        state: State,
        *,
        batch_id: str | None = None,
        jobs: int | None = None,
        said: str = "",
        probable: bool = False,
        sent_at: datetime | None = None,
    ) -> None:
        """Write down what became of the launch; ``sent_at`` where its batch tells when that was."""
        journal = self.session.memory.journal
        if journal is not None and self.number is not None:
            await self._kept(
                journal.ended(
                    self.number, state, batch_id=batch_id, jobs=jobs, said=said, probable=probable, sent_at=sent_at
                )
            )
            self.session.news.publish("journal")

    async def looked(self, at: datetime) -> None:
        """Write down when the engine answered a look for its batch that found none."""
        journal = self.session.memory.journal
        if journal is not None and self.number is not None:
            await self._kept(journal.settled(self.number, "unknown", looked_at=at))
            self.session.news.publish("journal")

    def close(self) -> None:
        """It is not on its way any more."""
        if self.number is not None:
            self.session.memory.sending.discard(self.number)

    async def _kept(self, writing: Awaitable[object]) -> None:
        try:
            await writing
        except journal_problem() as problem:
            self.tell(NotKept(said_by_driver(problem)))


def _title(plan: LaunchPlan | PlanByIds) -> str:
    """What was chosen, for somebody who reads it next week."""
    if isinstance(plan, LaunchPlan) and plan.facts.asked == 1 and plan.facts.sample:
        task = plan.facts.sample[0]
        return f"{task.business_key or task.id}  ·  {task.topic_name}"
    return plan.describe()


def _named(plan: LaunchPlan | PlanByIds) -> list[str]:
    """The ids that the request names, in its order."""
    named = plan.ids if isinstance(plan, PlanByIds) else plan.request.external_task_ids or []
    return [id for id in named if id is not None]


def _units(plan: LaunchPlan | PlanByIds, has: Mapping[str, int | None]) -> Iterable[Before]:
    """The units that the launch takes with what they have, as far as they were read."""
    named = _named(plan)
    yield from ((id, has[id]) for id in named if id in has)
    if isinstance(plan, LaunchPlan) and not plan.by_ids:
        yield from _taken_by_query(plan, has, frozenset(named))


def _taken_by_query(plan: LaunchPlan, has: Mapping[str, int | None], named: frozenset[str]) -> Iterable[Before]:
    """The tasks that the query takes, besides those named."""
    return ((id, retries) for id, retries in has.items() if id not in named and plan.takes(retries))


async def _read_tasks(connection: Connection, plan: LaunchPlan) -> SelectedTasks | None:
    """What the tasks have now: read again where a query is launched and the reading is old; nothing if there are too
    many, or the engine does not answer."""
    selected_tasks = plan.selected_tasks
    if selected_tasks is not None and (plan.by_ids or (connection.now() - selected_tasks.at).total_seconds() < FRESH):
        return selected_tasks
    if plan.count > READ_MOST:
        return None
    with suppress(EngineProblem):
        return await connection.ask(lambda client: read_selected_tasks(client, plan.selection, most=READ_MOST))
    return selected_tasks
