"""Writes a snapshot: beside its place first, and there only when it is whole."""

import asyncio
import errno
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from retriage.store.contract.deployments import ProcessDefinitionXml
from retriage.store.contract.records import (
    BatchStatistics,
    ExternalTask,
    HistoricBatch,
    HistoricProcessInstance,
    Incident,
    Job,
    JobDefinition,
    ProcessDefinition,
    ProcessInstance,
    VariableValue,
)
from retriage.store.contract.states import ACTIVE, SUSPENDED
from retriage.store.database import Database, StoreNotOpened, open_database
from retriage.store.database.engine import first_line
from retriage.store.private_files import make_folder, make_new_file
from retriage.store.snapshot import rows, tables
from retriage.store.snapshot_mark import MARK, SnapshotMark
from retriage.store.tables import (
    Batch,
    DeploymentResource,
    ErrorDetails,
    Execution,
    Variable,
)
from retriage.store.tables import ExternalTask as TaskRow
from retriage.store.tables import Incident as IncidentRow
from retriage.store.tables import Job as JobRow
from retriage.store.tables import JobDefinition as JobDefinitionRow
from retriage.store.tables import ProcessDefinition as DefinitionRow
from retriage.store.tables import ProcessInstance as InstanceRow

PIECE = 1000
"""Rows of one transaction."""
_BESIDE = ("", "-wal", "-shm", "-journal")


class SnapshotWriter:
    """Takes records of the contract, each list in any number of pieces, and keeps them as rows.

    A record that was given before is passed over. Tasks whose definition or instance is not given get one that is made
    of what the task itself tells: nothing shows a task without them.

    Args:
        database: a new store.
        begun: when the snapshot is taken, by the engine's clock.
    """

    def __init__(self, database: Database, begun: datetime) -> None:
        self._database = database
        self._begun = begun
        self._given: dict[type[SQLModel], set[str]] = {}
        self._keys: dict[str, tuple[str, str | None]] = {}
        """Definition of a task -> its key and version tag."""
        self._of_tasks: dict[str, rows.Row] = {}
        """Instance of a task -> a row that is made of what its tasks tell."""
        self._batches: dict[str, tuple[str, str]] = {}
        """Job definition -> its batch and the type of its jobs."""
        self.numbers: dict[str, int] = {}
        """What was written -> how many."""

    # -- records ----------------------------------------------------------------------------------------------------

    async def tasks(self, tasks: Sequence[ExternalTask]) -> None:
        """External tasks."""
        fresh = self._fresh(TaskRow, tasks)
        for task in fresh:
            self._keys.setdefault(
                task.process_definition_id, (task.process_definition_key, task.process_definition_version_tag)
            )
            self._note_instance(task)
        await self._insert(TaskRow, map(rows.task_row, fresh))
        await self._insert(Execution, map(rows.execution_row, self._fresh_executions(fresh)))

    def _fresh_executions(self, tasks: Iterable[ExternalTask]) -> list[ExternalTask]:
        known = self._given.setdefault(Execution, set())
        found = {task.execution_id: task for task in tasks if task.execution_id not in known}
        known.update(found)
        return list(found.values())

    def _note_instance(self, task: ExternalTask) -> None:
        at = task.create_time or self._begun
        known = self._of_tasks.get(task.process_instance_id)
        if known is not None:
            known["start_time"] = min(known["start_time"], at)
            return
        self._of_tasks[task.process_instance_id] = {
            "id": task.process_instance_id,
            "process_definition_id": task.process_definition_id,
            "business_key": task.business_key,
            "tenant_id": task.tenant_id,
            "state": SUSPENDED if task.suspended else ACTIVE,
            "start_time": at,
        }

    async def instances(
        self, instances: Sequence[ProcessInstance], past: Mapping[str, HistoricProcessInstance]
    ) -> None:
        """Running process instances.

        Args:
            instances: as they run.
            past: id -> what the history tells of it.
        """
        fresh = self._fresh(InstanceRow, instances)
        made = []
        for one in fresh:
            self._keys.setdefault(one.definition_id, (one.definition_key, None))
            of_tasks = self._of_tasks.get(one.id)
            begun = of_tasks["start_time"] if of_tasks is not None else self._begun
            made.append(rows.instance_row(one, past.get(one.id), begun))
        await self._insert(InstanceRow, made)

    async def definitions(self, definitions: Sequence[ProcessDefinition]) -> None:
        """Process definitions."""
        await self._insert(DefinitionRow, map(rows.definition_row, self._fresh(DefinitionRow, definitions)))

    async def drawing(self, definition: ProcessDefinition, xml: ProcessDefinitionXml) -> None:
        """The BPMN file of a definition; several definitions may come from one."""
        known = self._given.setdefault(DeploymentResource, set())
        place = f"{definition.deployment_id}/{definition.resource}"
        if place in known:
            return
        known.add(place)
        row = {"deployment_id": definition.deployment_id, "name": definition.resource}
        await self._insert(DeploymentResource, [row | {"content": xml.bpmn20_xml.encode()}])

    async def incidents(self, incidents: Sequence[Incident]) -> None:
        """Open incidents."""
        await self._insert(IncidentRow, map(rows.incident_row, self._fresh(IncidentRow, incidents)))

    async def details(self, task_id: str, text: str) -> None:
        """The long error text of a task."""
        await self._insert(ErrorDetails, [{"external_task_id": task_id, "details": text}])

    async def running_batches(self, batches: Sequence[BatchStatistics]) -> None:
        """Running batches."""
        fresh = self._fresh(Batch, batches)
        for batch in fresh:
            for definition, job_type in (
                (batch.seed_job_definition_id, "batch-seed-job"),
                (batch.monitor_job_definition_id, "batch-monitor-job"),
                (batch.batch_job_definition_id, batch.type),
            ):
                self._batches[definition] = batch.id, job_type
        await self._insert(Batch, map(rows.running_batch_row, fresh))

    async def ended_batches(self, batches: Sequence[HistoricBatch]) -> None:
        """Batches of the history; those that run are passed over."""
        ended = [batch for batch in batches if batch.end_time is not None]
        await self._insert(Batch, map(rows.ended_batch_row, self._fresh(Batch, ended)))

    async def job_definitions(self, definitions: Sequence[JobDefinition]) -> None:
        """Job definitions of running batches."""
        fresh = self._fresh(JobDefinitionRow, definitions)
        await self._insert(JobDefinitionRow, map(rows.job_definition_row, fresh))

    async def jobs(self, jobs: Sequence[Job]) -> None:
        """Jobs of running batches; others are passed over."""
        fresh = self._fresh(JobRow, [job for job in jobs if job.job_definition_id in self._batches])
        made = [rows.job_row(job, *self._batches[job.job_definition_id or ""], self._begun) for job in fresh]
        await self._insert(JobRow, made)

    async def variables(self, instance_id: str, values: Mapping[str, VariableValue]) -> None:
        """Variables of a running instance."""
        await self._insert(Variable, [rows.variable_row(instance_id, *named) for named in values.items()])

    async def run(self, number: int, lines: Iterable[str]) -> None:
        """A run of the journal: the lines of its hand-over file."""
        told = [{"run": number, "line": place, "text": line} for place, line in enumerate(lines)]
        await self._insert_into(tables.RUN_LINE, told)
        self.numbers["run"] = self.numbers.get("run", 0) + 1

    # -- the end ----------------------------------------------------------------------------------------------------

    async def complete(self, mark: SnapshotMark) -> None:
        """Write what is missing to show every task, and what the snapshot says about itself."""
        instances, definitions = self._given.get(InstanceRow, set()), self._given.get(DefinitionRow, set())
        missing = [row for id, row in self._of_tasks.items() if id not in instances]
        await self._insert(InstanceRow, missing)
        unknown = {id: told for id, told in self._keys.items() if id not in definitions}
        await self._insert(DefinitionRow, [_definition_of(id, *told) for id, told in unknown.items()])
        await self._insert_into(tables.SNAPSHOT, [{"facts": mark.text()}])

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _fresh(self, table: type[SQLModel], records: Iterable[Any]) -> list[Any]:
        known = self._given.setdefault(table, set())
        found = {record.id: record for record in records if record.id not in known}
        known.update(found)
        return list(found.values())

    async def _insert(self, table: type[SQLModel], made: Iterable[rows.Row]) -> None:
        told = list(made)
        name = str(table.__tablename__)
        self.numbers[name] = self.numbers.get(name, 0) + len(told)
        await self._insert_into(table.__table__, told)  # type: ignore[attr-defined]

    async def _insert_into(self, table: Table, told: Sequence[rows.Row]) -> None:
        for first in range(0, len(told), PIECE):
            with _written():
                async with self._database.writing() as connection:
                    await connection.execute(insert(table), list(told[first : first + PIECE]))


def _definition_of(id: str, key: str, tag: str | None) -> rows.Row:
    """A definition of which only tasks tell; its id is ``key:version:generated`` as a rule."""
    version = id.removeprefix(f"{key}:").partition(":")[0]
    return {
        "id": id,
        "key": key,
        "version": int(version) if version.isascii() and version.isdigit() else 1,
        "version_tag": tag,
        "deployment_id": "",
        "resource": "",
        "suspended": False,
    }


@asynccontextmanager
async def new_snapshot(path: Path, begun: datetime) -> AsyncIterator[SnapshotWriter]:
    """A file for a snapshot; it stands at its place when the block has ended, and if it raises nothing is left.

    Args:
        path: where; nothing is written over.
        begun: when the snapshot is taken, by the engine's clock.

    Raises:
        FileExistsError: there is a file already.
        OSError: it cannot be written.
    """
    # A name that nobody can foresee: whoever may write to the folder could put a file or a link of theirs there.
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    _begin(beside, path)  # in a thread it would go on after a cancellation, and leave its file behind
    try:
        with _written():
            database = await open_database(str(beside))
        try:
            with _written():
                async with database.writing() as connection:
                    await connection.run_sync(tables.metadata.create_all)
            yield SnapshotWriter(database, begun)
        finally:
            await database.close()
        with _written():
            await asyncio.to_thread(_seal, beside)
        await asyncio.to_thread(_put, beside, path)
    finally:
        for ending in _BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(f"{beside}{ending}")


@contextmanager
def _written() -> Iterator[None]:
    """Around whatever writes the file: the disk may be full.

    Raises:
        OSError: it cannot be written.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, StoreNotOpened) as error:
        raise OSError(errno.EIO, first_line(error)) from error


def _begin(beside: Path, path: Path) -> None:
    """Make the file beside its place, unless that is taken."""
    if path.exists():
        raise FileExistsError(errno.EEXIST, "there is a file already", str(path))
    make_folder(path.parent)
    make_new_file(beside)


def _seal(path: Path) -> None:
    """Make one file of it, marked as a snapshot and as small as its rows are."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchone()
        database.execute(f"PRAGMA user_version={MARK}")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _put(beside: Path, path: Path) -> None:
    """Give the file its name, unless another has got it meanwhile.

    Raises:
        FileExistsError: there is such a file.
    """
    try:
        os.link(beside, path)
    except OSError:  # there is such a file, or the file system has no hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, "there is a file already", str(path)) from None
        beside.rename(path)
