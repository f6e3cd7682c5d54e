"""Reads the chosen part of an engine and hands it to the writer, page by page: nothing of it is held as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from retriage.console.causes.fold import fold
from retriage.console.reading.pages import PAGE, Pages, pages_by_id, pieces
from retriage.console.snapshots.questions import PAGE_EVERY, SMALL_EVERY
from retriage.console.text.words import count
from retriage.store.contract.deployments import ProcessDefinitionQuery
from retriage.store.contract.queries import (
    BatchStatisticsQuery,
    HistoricBatchQuery,
    HistoricProcessInstanceQuery,
    IncidentQuery,
    JobDefinitionQuery,
    JobQuery,
    ProcessInstanceQuery,
)

if TYPE_CHECKING:
    from retriage.console.session.session import Session
    from retriage.console.session.text_filter import TextFilter
    from retriage.console.snapshots.part import SnapshotPart
    from retriage.console.snapshots.questions import PacedQuestions
    from retriage.store.contract.records import (
        BatchStatistics,
        ExternalTask,
        Incident,
        Job,
        ProcessDefinition,
        ProcessInstance,
        VariableValue,
    )
    from retriage.store.journal import Journal, Run
    from retriage.store.snapshot import SnapshotWriter

IDS = 50
"""Process definitions of one question: their ids stand in its address."""
MOST_DETAILS = 500
"""Error details of so many tasks are read at most, however many causes there are."""
ENDED_BATCHES = 500
"""So many of the newest batches that have ended are written."""
MOST_RUNS = 50
"""So many of the newest runs of the journal are written."""
FOLDED = 50
"""Error messages that are folded before the event loop has its turn."""

Tell = Callable[[str, int], object]
"""Is told what is being read, and how many are known."""


class NothingMatches(Exception):
    """No task matches the filter of a snapshot: there is nothing to write."""


class EngineReader:
    """One way through an engine.

    Args:
        session: whose engine and journal.
        part: what was chosen.
        wanted: the filter of it.
        questions: asks the engine.
        writer: takes the records.
        tell: is told how far it is.
    """

    def __init__(
        self,
        session: Session,
        part: SnapshotPart,
        wanted: TextFilter,
        questions: PacedQuestions,
        writer: SnapshotWriter,
        tell: Tell,
    ) -> None:
        self._session = session
        self._part = part
        self._wanted = wanted
        self._questions = questions
        self._writer = writer
        self._tell = tell
        self._everything = not part.query.strip()
        self._failed: set[str] = set()
        """Tasks without retries."""
        self._instances: set[str] = set()
        self._definitions: set[str] = set()
        self._causes: Counter[tuple[str, str]] = Counter()
        self._asked_details: list[str] = []
        self._history = True
        """The history of instances is shown."""
        self.topics: Counter[str] = Counter()
        """Topic -> tasks without retries."""
        self.runs: list[Run] = []
        """Of the journal, the newest first."""
        self.left_out: list[str] = []
        """What is not written although one might look for it."""

    async def read(self) -> None:
        """Read all of it.

        Raises:
            NothingMatches: no task matches the filter.
            EngineProblem: the engine did not answer, or refused.
        """
        number = await self._read_tasks()
        if self._everything:
            await self._read_instances()
        elif not number:
            raise NothingMatches
        await self._read_definitions()
        batches = await self._read_batches()
        await self._read_incidents(batches)
        await self._read_details()
        await self._read_variables()
        await self._read_runs()
        self.left_out.append(
            "What had ended before, except batches: process instances, incidents and logs in the history."
        )
        self.left_out.append("Jobs that belong to processes, and deployments except the BPMN files of the tasks.")

    # -- tasks and instances ----------------------------------------------------------------------------------------

    async def _read_tasks(self) -> int:
        """Read them; answers how many there are."""
        client = await self._session.connection.opened()
        number = 0
        async for page in self._pages(pages_by_id(client.external_tasks, self._wanted.query)):
            tasks = await self._wanted.kept(page)
            await self._writer.tasks(tasks)
            await self._note(tasks)
            if not self._everything:
                await self._read_instances_of({task.process_instance_id for task in tasks} - self._instances)
            number += len(tasks)
            self._tell("external tasks", number)
        return number

    async def _note(self, tasks: Sequence[ExternalTask]) -> None:
        for place, task in enumerate(tasks):
            self._definitions.add(task.process_definition_id)
            if task.retries == 0:
                self._failed.add(task.id)
                self.topics[task.topic_name] += 1
            if task.error_message is None or not self._part.details:
                continue
            if place % FOLDED == 0:
                await asyncio.sleep(0)
            cause = task.topic_name, fold(task.error_message)
            if self._causes[cause] < self._part.details and len(self._asked_details) < MOST_DETAILS:
                self._asked_details.append(task.id)
            self._causes[cause] += 1

    async def _read_instances_of(self, ids: set[str]) -> None:
        self._instances |= ids
        for some in pieces(sorted(ids)):
            await self._write_instances(await self._instances_of(list(some)))

    async def _instances_of(self, ids: list[str]) -> list[ProcessInstance]:
        query = ProcessInstanceQuery(process_instance_ids=ids)
        return await self._questions.page(lambda client: client.process_instances(query, 0, len(ids)))

    async def _read_instances(self) -> None:
        client = await self._session.connection.opened()
        number = 0
        async for page in self._pages(pages_by_id(client.process_instances, ProcessInstanceQuery())):
            self._instances.update(instance.id for instance in page)
            await self._write_instances(page)
            number += len(page)
            self._tell("process instances", number)

    async def _write_instances(self, instances: Sequence[ProcessInstance]) -> None:
        self._definitions.update(instance.definition_id for instance in instances)
        past = {}
        if self._history and instances:
            query = HistoricProcessInstanceQuery(process_instance_ids=[instance.id for instance in instances])
            asked = self._questions.page(lambda client: client.historic_process_instances(query, 0, len(instances)))
            told = await self._questions.if_shown(asked)
            past = {one.id: one for one in told or ()}
            if told is None:
                self._history = False
                self.left_out.append("When process instances began: their history is not shown.")
        await self._writer.instances(instances, past)

    # -- definitions ------------------------------------------------------------------------------------------------

    async def _read_definitions(self) -> None:
        """Those of the tasks and instances with their BPMN files; without a filter the others too."""
        hidden = 0
        for some in pieces(sorted(self._definitions), IDS):
            found = await self._definitions_of(list(some))
            hidden += len(some) - len(found)
            await self._writer.definitions(found)
            for definition in found:
                hidden += not await self._read_drawing(definition)
        if self._everything:
            client = await self._session.connection.opened()
            every = ProcessDefinitionQuery(sort_by="id", sort_order="asc")
            async for page in self._pages(Pages(lambda first, size: client.definitions(every, first, size))):
                await self._writer.definitions(page)
        self._tell("process definitions", len(self._definitions))
        if hidden:
            self.left_out.append(f"{count(hidden)} process definitions or their BPMN files are not shown.")

    async def _definitions_of(self, ids: list[str]) -> list[ProcessDefinition]:
        query = ProcessDefinitionQuery(process_definition_id_in=ids)
        asked = self._questions.page(lambda client: client.definitions(query, 0, len(ids)))
        return await self._questions.if_shown(asked) or []

    async def _read_drawing(self, definition: ProcessDefinition) -> bool:
        """Answers whether it is shown."""
        asked = self._questions.small(lambda client: client.process_definition_xml(definition.id))
        xml = await self._questions.if_shown(asked)
        if xml is None:
            return False
        await self._writer.drawing(definition, xml)
        return True

    # -- batches ----------------------------------------------------------------------------------------------------

    async def _read_batches(self) -> set[str]:
        """Answers the job definitions of running batches."""
        client = await self._session.connection.opened()
        definitions: set[str] = set()
        number = 0
        async for page in self._pages(pages_by_id(client.batches, BatchStatisticsQuery())):
            await self._writer.running_batches(page)
            for batch in page:
                definitions |= await self._read_jobs(batch)
            number += len(page)
            self._tell("running batches", number)
        newest = HistoricBatchQuery(completed=True, sort_by="endTime", sort_order="desc")
        asked = self._questions.page(lambda client: client.historic_batches(newest, 0, ENDED_BATCHES))
        ended = await self._questions.if_shown(asked)
        if ended is None:
            self.left_out.append("Batches that have ended: their history is not shown.")
        else:
            await self._writer.ended_batches(ended)
            if len(ended) == ENDED_BATCHES:
                self.left_out.append(f"Batches that have ended before the newest {count(ENDED_BATCHES)}.")
        return definitions

    async def _read_jobs(self, batch: BatchStatistics) -> set[str]:
        """Answers the job definitions of the batch."""
        client = await self._session.connection.opened()
        query = JobDefinitionQuery(job_configuration=batch.id)
        told = await self._questions.small(lambda client: client.job_definitions(query))
        await self._writer.job_definitions(told)
        for definition in (batch.seed_job_definition_id, batch.monitor_job_definition_id):
            await self._writer.jobs(await self._jobs_of(definition))
        of_batch = JobQuery(job_definition_id=batch.batch_job_definition_id)
        async for some in self._pages(pages_by_id(client.jobs, of_batch)):
            await self._writer.jobs(some)
        return {batch.seed_job_definition_id, batch.monitor_job_definition_id, batch.batch_job_definition_id}

    async def _jobs_of(self, definition: str) -> list[Job]:
        """Of a definition that has one or none."""
        query = JobQuery(job_definition_id=definition)
        return await self._questions.small(lambda client: client.jobs(query, 0, PAGE))

    # -- incidents and error details --------------------------------------------------------------------------------

    async def _read_incidents(self, job_definitions: set[str]) -> None:
        """All open ones; with a filter those of the tasks, by whichever way costs fewer questions."""
        client = await self._session.connection.opened()
        number = 0
        if not self._everything:
            open_ones = await self._questions.small(lambda client: client.count_incidents(IncidentQuery()))
            if len(self._failed) * SMALL_EVERY <= (open_ones // PAGE + 1) * PAGE_EVERY:
                await self._read_incidents_one_by_one(job_definitions)
                return
        async for page in self._pages(pages_by_id(client.incidents, IncidentQuery())):
            incidents = [one for one in page if self._everything or self._belongs(one, job_definitions)]
            await self._writer.incidents(incidents)
            number += len(incidents)
            self._tell("incidents", number)

    async def _read_incidents_one_by_one(self, job_definitions: set[str]) -> None:
        client = await self._session.connection.opened()
        for number, task in enumerate(sorted(self._failed), 1):
            await self._writer.incidents(await self._incidents_of(task))
            if number % 10 == 0 or number == len(self._failed):
                self._tell("tasks with their incidents", number)
        for some in pieces(sorted(job_definitions), IDS):
            of_jobs = IncidentQuery(job_definition_id_in=list(some))
            async for page in self._pages(pages_by_id(client.incidents, of_jobs)):
                await self._writer.incidents(page)

    async def _incidents_of(self, task: str) -> list[Incident]:
        query = IncidentQuery(configuration=task)
        return await self._questions.small(lambda client: client.incidents(query, 0, PAGE))

    def _belongs(self, incident: Incident, job_definitions: set[str]) -> bool:
        return incident.configuration in self._failed or incident.job_definition_id in job_definitions

    async def _read_details(self) -> None:
        for number, task in enumerate(self._asked_details, 1):
            text = await self._details_of(task)
            if text is not None:
                await self._writer.details(task, text)
            if number % 10 == 0 or number == len(self._asked_details):
                self._tell("error details", number)
        if (others := self._causes.total() - len(self._asked_details)) > 0:
            self.left_out.append(
                f"Error details of {count(others)} tasks: those of {count(len(self._asked_details))} were read, "
                f"{count(self._part.details)} of each cause (--details)."
            )

    async def _details_of(self, task: str) -> str | None:
        return await self._questions.if_shown(self._questions.small(lambda client: client.error_details(task)))

    # -- variables and runs -----------------------------------------------------------------------------------------

    async def _read_variables(self) -> None:
        if not self._part.variables:
            self.left_out.append("Variables: none were asked for (--variables).")
            return
        for number, instance in enumerate(sorted(self._instances), 1):
            values = await self._variables_of(instance)
            await self._writer.variables(instance, self._part.chosen(values.items()))
            if number % 10 == 0 or number == len(self._instances):
                self._tell("instances with variables", number)

    async def _variables_of(self, instance: str) -> dict[str, VariableValue]:
        asked = self._questions.small(lambda client: client.variables(instance))
        return await self._questions.if_shown(asked) or {}

    async def _read_runs(self) -> None:
        none: list[Run] = []
        engine = self._session.memory.engine_name
        self.runs = await self._session.memory.ask(lambda journal: journal.runs.runs(engine, MOST_RUNS), none)
        for run in self.runs:
            if run.listed is not None:  # otherwise it never began
                await self._writer.run(run.id, await self._lines_of(run.id))

    async def _lines_of(self, run: int) -> list[str]:
        async def gathered(journal: Journal) -> list[str]:
            return [line async for line in journal.runs.lines_of(run, uuid4().hex)]

        nothing: list[str] = []
        return await self._session.memory.ask(gathered, nothing)

    # -- helpers ----------------------------------------------------------------------------------------------------

    async def _pages(self, pages: Pages[Any]) -> AsyncIterator[list[Any]]:
        """The pages that are left, no faster than the engine may be asked."""
        while not pages.ended:
            if rows := await self._questions.page(lambda client: pages.next()):
                yield rows
