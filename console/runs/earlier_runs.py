"""How the last runs over the causes of some tasks ended: what was tried, by whom, why, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.operations.frozen_tasks import causes_of
from retriage.console.reading.selected_tasks import task_pages
from retriage.console.reading.selection import Everything
from retriage.console.runs.gate import FEWEST
from retriage.console.runs.run_view import RunView, view_of
from retriage.console.text.words import age, count, percent, span, things

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.selection import Selection
    from retriage.console.runs.waves import Record
    from retriage.console.session.session import Session
    from retriage.store.contract.records import ExternalTask
    from retriage.store.journal import Run, RunWave

MOST = 3
"""So many runs are told of."""
MOST_CAUSES = 20
"""So many causes of the tasks are looked for, those of most tasks first."""
CLEAN, TELLING = 0.01, 50
"""A run went well when at most this share of at least so many decided tasks failed again."""


@dataclass(frozen=True)
class EarlierRun:
    """A run over the same cause.

    Attributes:
        view: the run.
    """

    view: RunView

    @property
    def seconds(self) -> float | None:
        """How long it took; none where it has not ended."""
        run = self.view.run
        return (run.ended_at - run.began_at).total_seconds() if run.ended_at is not None else None

    def said(self, now: datetime) -> str:
        """In a line: when, by whom and why, what was tried, what came of it, how it ended."""
        run, counts = self.view.run, self.view.counts
        why = f" ({run.reason})" if run.reason else ""
        who = f" by {run.user}" if run.user else ""
        tried = f"{count(run.listed or 0)} to {run.retries} in {things(len(self.view.waves), 'wave')}"
        came = f"{count(counts.done)} done, {count(counts.again)} failed again"
        came += f" ({percent(counts.again, counts.settled)})" if counts.settled else ""
        if counts.open and self.view.counted_at is not None:
            came += f", {count(counts.open)} open {self.view.as_of}"
        took = f" in {span(self.seconds)}" if self.seconds is not None else ""
        ended = {"passed": "", "stopped": ", stopped"}.get(self.view.word, f", {self.view.word}")
        ago = age(run.began_at, now)
        when = "just now" if ago == "now" else f"{ago} ago"
        return f"run {run.id}, {when}{who}{why}: {tried}: {came}{took}{ended}"

    @property
    def bad(self) -> bool:
        """More failed again than its gate allowed."""
        counts = self.view.counts
        return counts.settled >= FEWEST and counts.again > self.view.run.gate * counts.settled

    @property
    def good(self) -> bool:
        """Hardly any failed again, of many."""
        counts = self.view.counts
        return self.view.word == "passed" and counts.settled >= TELLING and counts.again <= CLEAN * counts.settled


def record_of(earlier: Sequence[EarlierRun]) -> Record:
    """How the last one went."""
    if not earlier:
        return "unknown"
    return "bad" if earlier[0].bad else "good" if earlier[0].good else "unknown"


async def earlier_runs(session: Session, selection: Selection) -> tuple[EarlierRun, ...]:
    """The last runs on this engine over the causes of a selection, the newest first. A page of it tells them.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if session.memory.journal is None:
        return ()
    but = selection.but if isinstance(selection, Everything) else frozenset()

    async def some(client: EngineClient) -> list[ExternalTask]:
        return [task for task in await anext(task_pages(client, selection), []) if task.id not in but]

    return await runs_over(session, causes_of(await session.connection.ask(some)))


async def runs_over(session: Session, causes: Counter[tuple[str, str]]) -> tuple[EarlierRun, ...]:
    """The last runs on this engine over any of these causes, the newest first.

    Args:
        session: whose journal.
        causes: topic and cause -> how many tasks.
    """
    wanted = [cause for cause, _ in causes.most_common(MOST_CAUSES)]
    if not wanted:
        return ()
    now = datetime.now(UTC)
    none: list[tuple[Run, list[RunWave]]] = []
    found = await session.memory.ask(
        lambda journal: journal.runs.over_causes(session.memory.engine_name, wanted, MOST), none
    )
    return tuple(EarlierRun(view_of(run, waves, now)) for run, waves in found)
