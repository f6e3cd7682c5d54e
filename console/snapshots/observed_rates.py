"""How often tasks have failed when they were worked on: by the runs of the journal, else by the newest entries of the
engine's external task log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.runs.run_view import read_run
from retriage.store.contract.history import HistoricExternalTaskLogQuery
from retriage.store.contract.queries import Sorting
from retriage.store.snapshot_mark import FEWEST, ObservedRate

if TYPE_CHECKING:
    from retriage.console.session.memory import Memory
    from retriage.console.snapshots.questions import PacedQuestions
    from retriage.store.journal import Journal, Run

MOST_TOPICS = 20
"""So many topics are looked at, those of most tasks first."""
ENTRIES = 500
"""So many of the newest entries of a topic's log are counted."""


async def observed_rates(
    memory: Memory, questions: PacedQuestions, topics: Counter[str], runs: Iterable[Run]
) -> list[ObservedRate]:
    """What became of tasks of these topics.

    Args:
        memory: whose journal.
        questions: asks the engine.
        topics: topic -> how many tasks.
        runs: of the journal.
    """
    chosen = [topic for topic, _ in topics.most_common(MOST_TOPICS)]
    none: dict[str, Counter[str]] = {}
    counted = await memory.ask(lambda journal: _of_runs(journal, runs), none)
    found = []
    for topic in chosen:
        of_runs = counted.get(topic, Counter())
        if of_runs.total() >= FEWEST:
            found.append(ObservedRate(topic, of_runs["done"], of_runs["again"], "runs"))
        elif (of_log := await _of_log(questions, topic)) is not None:
            found.append(of_log)
    return found


async def _of_runs(journal: Journal, runs: Iterable[Run]) -> dict[str, Counter[str]]:
    """Topic -> how many tasks of runs were done, and failed again. A run counts for the topic of most of its tasks."""
    found: dict[str, Counter[str]] = {}
    for run in runs:
        causes, view = await journal.runs.causes(run.id), await read_run(journal.runs, run.id)
        if not causes or view is None:
            continue
        by_topic = Counter[str]()
        for cause in causes:
            by_topic[cause.topic] += cause.tasks
        topic = by_topic.most_common(1)[0][0]
        found.setdefault(topic, Counter()).update(done=view.counts.done, again=view.counts.again)
    return found


async def _of_log(questions: PacedQuestions, topic: str) -> ObservedRate | None:
    """What the newest entries tell; nothing where the engine keeps no log, or does not show it."""
    newest = HistoricExternalTaskLogQuery(topic_name=topic, sorting=[Sorting(sort_by="timestamp", sort_order="desc")])
    try:
        entries = await questions.page(lambda client: client.external_task_log(newest, 0, ENTRIES))
    except EngineProblem:
        return None
    done, failed = sum(entry.success_log for entry in entries), sum(entry.failure_log for entry in entries)
    return ObservedRate(topic, done, failed, "log") if done + failed else None
