"""Which units the command line names for a run: tasks, process instances or jobs, by a query or by their ids."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retriage.console.cli.program import fail
from retriage.console.language import INSTANCES, JOBS, TASKS, matcher, parse, remembers, subject_on
from retriage.console.launch.query_check import why_not_heeded, why_query_not_heeded
from retriage.console.operations.variable_values import TypedVariable, VariableMistake, typed
from retriage.console.reading.pages import pages_by_id
from retriage.console.reading.selected_tasks import read_selected_tasks, task_pages
from retriage.console.reading.selection import Everything, Instances, Marked, matches_all
from retriage.console.session.text_filter import TextFilter
from retriage.store.contract.orders import SetExternalTaskRetries

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation
    from retriage.console.reading.selection import Selection
    from retriage.console.session.session import Session
    from retriage.store.contract.queries import JobQuery


class NamedUnits:
    """The units that an operation is done to.

    Args:
        operation: the operation: of one on instances, tasks stand for their instances, and ids are those of instances.
        query: tasks, in the filter language.
        ids: a file of ids, ``-`` for stdin.
        instances: process instances, in the filter language.
        jobs: jobs, in the filter language; those without retries are meant.

    Raises:
        typer.Exit: what was typed cannot be read.
    """

    def __init__(
        self,
        operation: Operation,
        query: str | None = None,
        ids: str | None = None,
        instances: str | None = None,
        jobs: str | None = None,
    ) -> None:
        self._of_instances = operation.unit == "instance"
        self._query, self._instances, self._jobs = query, instances, jobs
        self._table: Any = TASKS
        self._conditions: Any = ()
        self._matching: Everything | None = None
        self._ids: frozenset[str] = frozenset()
        if query is not None:
            self._parse(query)
        elif instances is not None:
            if mistakes := parse(instances, INSTANCES).mistakes:
                raise fail(f"--instances: {mistakes[0].sentence}")
        elif jobs is not None:
            if mistakes := parse(jobs, JOBS).mistakes:
                raise fail(f"--jobs: {mistakes[0].sentence}")
        else:
            assert ids is not None, "something is named"
            self._ids = _ids_of(ids)

    def _parse(self, query: str) -> None:
        parsed = parse(query, self._table)
        if parsed.mistakes:
            raise fail(f"--query: {parsed.mistakes[0].sentence}")
        self._conditions = parsed.conditions
        self._matching = Everything(parsed.query, said=query)

    async def why_not(self, session: Session) -> str:
        """One sentence where this engine does not heed the query. What it is known to ignore is looked for here."""
        if self._query is not None:
            self._table = subject_on("tasks", session.connection.capabilities)
            self._parse(self._query)
            assert self._matching is not None, "it was parsed"
            return await why_not_heeded(session, SetExternalTaskRetries(external_task_query=self._matching.query))
        if self._instances is not None:
            asked = TextFilter(session, "instances", self._instances).query
            return await why_not_heeded(session, SetExternalTaskRetries(process_instance_query=asked))
        if self._jobs is not None:
            return await why_query_not_heeded(session, "jobs", _failed(TextFilter(session, "jobs", self._jobs).query))
        return ""

    async def selection(self, session: Session) -> Selection | Instances:
        """What is named.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if self._instances is not None:
            return await self._matching_instances(session, self._instances)
        if self._jobs is not None:
            return await self._failed_jobs(session, self._jobs)
        if self._matching is None:
            return Instances(self._ids, said="") if self._of_instances else Marked(self._ids)
        if not self._of_instances:
            return self._matching
        matching, wanted = self._matching, await self.wanted(session)
        client = await session.connection.opened()
        ids: set[str] = set()
        async for page in task_pages(client, matching):
            ids.update(task.process_instance_id for task in page if wanted(task))
        return Instances(frozenset(ids), said=f"instances of {matching.describe()}")

    async def _matching_instances(self, session: Session, text: str) -> Instances:
        wanted = TextFilter(session, "instances", text)
        if not parse(text, subject_on("instances", session.connection.capabilities)).conditions:
            return Instances(query=wanted.query, said=text)
        client = await session.connection.opened()
        ids: set[str] = set()
        async for page in pages_by_id(client.process_instances, wanted.query):
            ids.update(one.id for one in await wanted.kept(page))
        return Instances(frozenset(ids), said=text)

    async def _failed_jobs(self, session: Session, text: str) -> Marked:
        wanted = TextFilter(session, "jobs", text)
        client = await session.connection.opened()
        ids: set[str] = set()
        async for page in pages_by_id(client.jobs, _failed(wanted.query)):
            ids.update(job.id for job in await wanted.kept(page))
        return Marked(frozenset(ids), said=text)

    async def wanted(self, session: Session) -> Any:
        """What the console itself looks for in the tasks."""
        if not self._conditions or self._matching is None:
            return lambda task: True
        matching, retried = self._matching, frozenset[str]()
        if remembers(self._conditions, self._table):
            selected_tasks = await session.connection.ask(lambda client: read_selected_tasks(client, matching))
            assert selected_tasks is not None
            retried = frozenset(await session.watch.retried(list(selected_tasks.retries)))
        return matcher(self._conditions, self._table, session.connection.now(), retried)

    def all_of_them(self, selection: Selection | Instances) -> str:
        """What the selection is if it leaves nothing out: "every external task"; empty if it does."""
        if self._matching is not None and not self._conditions and self._matching.every_task:
            return "every external task"
        if self._jobs is not None and not (parsed := parse(self._jobs, JOBS)).conditions and matches_all(parsed.query):
            return "every failed job"
        every = isinstance(selection, Instances) and selection.every_instance
        return "every running process instance" if every else ""


def _failed(query: JobQuery) -> JobQuery:
    """The same, of jobs without retries."""
    return query.model_copy(update={"no_retries_left": True})


def _ids_of(file: str) -> frozenset[str]:
    return frozenset(_text_of("--ids", file).split())


def _text_of(option: str, file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as problem:
        raise fail(f"{option}: {file} cannot be read: {getattr(problem, 'strerror', None) or problem}.") from None


def typed_variables(values: list[str], file: str | None, only_if: list[str], new: bool, local: bool) -> dict[str, Any]:
    """The fields of :class:`~retriage.console.operations.set_variables.SetVariables` that the options mean.

    Args:
        values: what is set.
        file: more of it, one a line, ``-`` for stdin; ``None`` for none.
        only_if: what an instance must have.
        new: names may be such that no instance has.
        local: variables of tasks that hide the new value are set too.

    Raises:
        typer.Exit: what was typed cannot be read.
    """
    lines = [] if file is None else [line for line in _text_of("--set-file", file).splitlines() if line.strip()]
    given = [*(_typed("--set", one) for one in values), *(_typed("--set-file", line) for line in lines)]
    names = [one.name for one in given]
    if file is not None and not lines:
        raise fail(f"--set-file: {file} holds nothing.")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise fail(f"--set names {twice} twice.")
    guards = tuple(_typed("--only-if", one) for one in only_if)
    return {"given": tuple(given), "only_if": guards, "new": new, "local": local}


def _typed(option: str, text: str) -> TypedVariable:
    try:
        return typed(text)
    except VariableMistake as mistake:
        raise fail(f"{option}: {mistake.sentence}") from None
