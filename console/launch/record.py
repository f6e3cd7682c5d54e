"""A launch in the journal: written down with its tasks before it is sent, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.engine.errors import EngineProblem
from console.launch.evidence import SAMPLE, Before
from console.launch.find_batch import SoughtLaunch, names_all
from console.launch.launch_events import LaunchEvent, NotKept
from console.reading.selected_tasks import read_selected_tasks
from console.session.journal_answers import journal_problem, said_by_driver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from console.launch.decided_launch import DecidedLaunch
    from console.launch.plan import LaunchPlan
    from console.reading.selected_tasks import SelectedTasks
    from console.session.session import Session
    from store.journal import State

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
    """

    session: Session
    order: DecidedLaunch
    tell: Callable[[LaunchEvent], None]
    number: int | None = None
    sample: tuple[Before, ...] = field(default=(), repr=False)

    async def begin(self) -> None:
        """Write the launch and its tasks down: it is sent next."""
        plan, session = self.order.plan, self.session
        selected_tasks = await _read_tasks(session, plan)
        tasks = list(_tasks(plan, selected_tasks))
        some = tasks or [(task.id, task.retries) for task in plan.facts.sample]
        self.sample = tuple([one for one in some if one[1] != plan.retries][:SAMPLE])
        client = await session.opened()
        await self._kept(self._write(selected_tasks, client.engine_now()))
        if self.number is not None:
            session.sending.add(self.number)

    async def _write(self, selected_tasks: SelectedTasks | None, now: datetime) -> None:
        journal, plan = self.session.journal, self.order.plan
        if journal is None:
            return
        from store.journal import NewLaunch  # 530 ms, paid when the journal was opened

        identity, part = self.session.identity, self.order.part
        body = {name: value for name, value in plan.prepared.value.items() if name != "externalTaskIds"}
        new = NewLaunch(
            engine=self.session.engine_name,
            url=identity.url,
            user=identity.user,
            retries=plan.retries,
            request=json.dumps(body, ensure_ascii=False),
            tasks=plan.count,
            title=_title(plan),
            reason=self.order.reason,
            undoes=self.order.undoes,
            run_id=part.run_id if part is not None else None,
            wave=part.wave if part is not None else None,
            undoes_run=self.order.undoes_run,
        )
        number = await journal.begin(new)
        named = plan.request.external_task_ids or []
        has = selected_tasks.retries if selected_tasks is not None else {}
        past = await journal.add_tasks(number, ((id, has.get(id)) for id in named if id is not None))
        if not plan.by_ids:
            others = (
                _taken_by_query(plan, selected_tasks, frozenset(named)) if selected_tasks is not None else self.sample
            )
            past = await journal.add_tasks(number, others, first=past, named=False)
        run = (part.run_id, part.driver) if part is not None else None
        await journal.sent(number, past if selected_tasks is not None else None, now, run=run)
        self.number = number

    def sought(self, since: datetime) -> SoughtLaunch:
        """The launch as its batch is looked for.

        Args:
            since: when it was sent, by the engine's clock.
        """
        plan, client = self.order.plan, self.session.client
        return SoughtLaunch(
            self.number,
            plan.retries,
            plan.count,
            names_all(plan.request),
            since,
            client.user if client is not None else "",
            self.sample,
        )

    async def ended(
        self,
        state: State,
        *,
        batch_id: str | None = None,
        jobs: int | None = None,
        said: str = "",
        probable: bool = False,
    ) -> None:
        """Write down what became of the launch."""
        journal = self.session.journal
        if journal is not None and self.number is not None:
            await self._kept(
                journal.ended(self.number, state, batch_id=batch_id, jobs=jobs, said=said, probable=probable)
            )
            self.session.news.publish("journal")

    def close(self) -> None:
        """It is not on its way any more."""
        if self.number is not None:
            self.session.sending.discard(self.number)

    async def _kept(self, writing: Awaitable[object]) -> None:
        try:
            await writing
        except journal_problem() as problem:
            self.tell(NotKept(said_by_driver(problem)))


def _title(plan: LaunchPlan) -> str:
    """What was chosen, for somebody who reads it next week."""
    if plan.facts.asked == 1 and plan.facts.sample:
        task = plan.facts.sample[0]
        return f"{task.business_key or task.id}  ·  {task.topic_name}"
    return plan.describe()


def _tasks(plan: LaunchPlan, selected_tasks: SelectedTasks | None) -> Iterable[Before]:
    """The tasks that the launch takes with what they have, as far as they were read."""
    if selected_tasks is None:
        return
    named = frozenset(plan.request.external_task_ids or [])
    yield from ((id, selected_tasks.retries[id]) for id in named if id is not None and id in selected_tasks.retries)
    if not plan.by_ids:
        yield from _taken_by_query(plan, selected_tasks, named)


def _taken_by_query(plan: LaunchPlan, selected_tasks: SelectedTasks, named: frozenset[str | None]) -> Iterable[Before]:
    """The tasks that the query takes, besides those named."""
    for id, has in selected_tasks.retries.items():
        if id not in named and plan.takes(has):
            yield id, has


async def _read_tasks(session: Session, plan: LaunchPlan) -> SelectedTasks | None:
    """What the tasks have now: read again where a query is launched and the reading is old; nothing if there are too
    many, or the engine does not answer."""
    selected_tasks = plan.selected_tasks
    if selected_tasks is not None and (plan.by_ids or (datetime.now(UTC) - selected_tasks.at).total_seconds() < FRESH):
        return selected_tasks
    if plan.count > READ_MOST:
        return None
    with suppress(EngineProblem):
        return await session.ask(lambda client: read_selected_tasks(client, plan.selection, most=READ_MOST))
    return selected_tasks
