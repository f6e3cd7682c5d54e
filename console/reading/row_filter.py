"""What the console itself looks for in the rows that it reads, where rows do not tell all that is looked for.

Incidents do not tell the topic, the business key, the worker and the retries of their tasks: those are asked for with
each page, and remembered. What was retried from here before is known to the operator's journal.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from retriage.console.language import Condition, Subject, asks_tasks, matcher, remembers
from retriage.console.language.conditions import Finds
from retriage.console.reading.incident_tasks import IncidentTaskLists, TaskFacts

Ask = Callable[[Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""Puts a question to the engine's client."""
LASTING = frozenset({"topic", "key"})
"""Words about what a task keeps as long as it lives: what is known of it is not asked for again."""
Retried = Callable[[list[str]], Awaitable[Collection[str]]]
"""Tells which of some tasks were retried from here before."""


class RowFilter:
    """Says which rows fit, once it was told of them.

    Args:
        conditions: of a line that was read.
        subject: what the line filters.
        retried: which of some tasks were retried from here before; none, as far as is known, if it is not given.
        facts: tasks of incidents that are known; what is asked for is kept there.
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        subject: Subject[Any],
        retried: Retried | None = None,
        facts: TaskFacts | None = None,
    ) -> None:
        self._conditions = conditions
        self._subject = subject
        self._ask_retried = retried
        self._facts = TaskFacts() if facts is None else facts
        self._retried: set[str] = set()
        self.remembers = remembers(conditions, subject)
        """One has to know what was retried from here before."""
        self.asks_tasks = asks_tasks(conditions, subject)
        """One has to know the tasks of the rows."""
        self._asks_anew = asks_tasks([one for one in conditions if one.word not in LASTING], subject)

    def finds(self, now: datetime) -> Finds:
        """The test for rows of which it has learnt; times count from ``now``."""
        return matcher(self._conditions, self._subject, now, self._retried, self._facts.told)

    def look(self) -> None:
        """All rows are read anew: tasks that are known are asked for again, where what is looked for may change."""
        if self._asks_anew:
            self._facts.look()

    async def learn(self, rows: Iterable[Any], ask: Ask) -> None:
        """Find out what these rows do not tell, if anything has to be known.

        Args:
            rows: a page.
            ask: puts a question to the engine; one for each page that holds tasks which are not known.

        Raises:
            EngineProblem: the engine did not answer; the page has to be read again.
        """
        rows = list(rows)
        while self.asks_tasks and (some := self._facts.missing(rows)):
            await ask(self._asked(some))
        if self.remembers and self._ask_retried is not None:
            ids = [id for row in rows if (id := getattr(row, self._subject.task_id)) is not None]
            self._retried.update(await self._ask_retried(ids))

    def _asked(self, some: Sequence[Any]) -> Callable[[IncidentTaskLists], Awaitable[None]]:
        return lambda client: self._facts.learn(client, some)
