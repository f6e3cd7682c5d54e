"""The same row changes by a bare driver: no framework, no locks that anybody looks at, one plain loop.

Per set of jobs, as the runner has them: a transaction that seeds (jobs and their log entries), one that locks, one
that does the work (tasks, incidents, success entries, removal of elements and jobs). Same tables, same indexes, same
settings of the file.
"""

import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psycopg

SET = 2000


class Rows(Protocol):
    """A connection to a store with a plain world and no batch, spoken to in the SQL of SQLite with named values.

    Attributes:
        hex12: SQL for twelve hexadecimal digits of what stands in its braces.
    """

    hex12: str

    def run(self, statement: str, given: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        """Carry out one statement; gives its rows, if it has any."""
        ...


class SqliteRows:
    """A file, with the settings that the store gives its own."""

    hex12 = "printf('%012x', {})"

    def __init__(self, file: str) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=4000", "cache_size=-32000"):
            self._connection.execute(f"PRAGMA {pragma}")

    def run(self, statement: str, given: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        """See ``Rows``."""
        return self._connection.execute(statement, given).fetchall()


class PostgresqlRows:
    """A database, spoken to as ``psql`` would: statement by statement."""

    hex12 = "lpad(to_hex(CAST({} AS bigint)), 12, '0')"

    def __init__(self, conninfo: str) -> None:
        self._connection = psycopg.connect(conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor)

    def run(self, statement: str, given: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        """See ``Rows``."""
        named = re.sub(r":([a-z]+)", r"%(\1)s", statement.replace("BEGIN IMMEDIATE", "BEGIN"))
        cursor = self._connection.execute(named.encode(), given)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


Work = Callable[[Rows, dict[str, object], str], None]
"""Does the work of a set of jobs: where, values for its statements, a select of the ids of the set."""


def measure(rows: Rows, tasks: int) -> tuple[float, float]:
    """Seconds for all tasks to 0 retries, and back to 3.

    Args:
        rows: where they are.
        tasks: how many there are.
    """
    kind = "set-external-task-retries"
    seconds = [_batch(rows, tasks, kind, "external_task", work) for work in (_to_zero, _back_to_three)]
    assert rows.run("SELECT count(*) FROM external_task WHERE retries = 3") == [(tasks,)]
    return seconds[0], seconds[1]


def measure_repair(rows: Rows, instances: int) -> tuple[float, float]:
    """Seconds for a variable of all instances, made by one batch and replaced by another; and for their deletion.

    Args:
        rows: where they are; each waits at one external task.
        instances: how many there are.
    """
    seconds = [_batch(rows, instances, "set-variables", "process_instance", work) for work in (_make, _replace)]
    assert rows.run("SELECT count(*), min(long_value) FROM variable") == [(instances, 2)]
    deletion = _batch(rows, instances, "instance-deletion", "process_instance", _delete)
    assert rows.run("SELECT count(*) FROM external_task") == [(0,)]
    return sum(seconds), deletion


def _batch(rows: Rows, size: int, kind: str, table: str, work: Work) -> float:
    start = time.perf_counter()
    batch = str(uuid.uuid4())
    rows.run("BEGIN IMMEDIATE")
    rows.run(
        "INSERT INTO batch_element (batch_id, ordinal, element_id) "
        f"SELECT :batch, row_number() OVER (ORDER BY id) - 1, id FROM {table}",
        {"batch": batch},
    )
    rows.run("COMMIT")
    for first in range(0, size, SET):
        _set(rows, batch, first, min(first + SET, size), kind, work)
    return time.perf_counter() - start


def _set(rows: Rows, batch: str, first: int, past: int, kind: str, work: Work) -> None:
    given = {
        "batch": batch,
        "first": first,
        "past": past,
        "now": time.time_ns() // 1_000_000,
        "kind": kind,
        "definition": str(uuid.uuid4()),
        "deployment": "dep-0",
        "rest": f"{uuid.uuid4()}"[:24],
    }
    within = "batch_id = :batch AND ordinal >= :first AND ordinal < :past"
    jobs, created, succeeded = (f"{uuid.uuid4()}"[:24] for _ in range(3))
    instance = "element_id" if kind == "set-variables" else "NULL"
    rows.run("BEGIN IMMEDIATE")
    rows.run(
        "INSERT INTO job (id, job_type, job_definition_id, batch_id, deployment_id, first, past, retries, suspended,"
        " priority, create_time, process_instance_id)"
        f" SELECT {_id(rows, 'ordinal')}, :kind, :definition, :batch, :deployment, ordinal,"
        f" ordinal + 1, 3, FALSE, 0, :now, {instance} FROM batch_element WHERE {within}",
        given | {"run": jobs},
    )
    _log(rows, given | {"run": created, "state": 0})
    rows.run("COMMIT")
    rows.run("BEGIN IMMEDIATE")
    rows.run(
        "UPDATE job SET lock_owner = :batch, lock_expiration_time = :now WHERE job_definition_id = :definition", given
    )
    rows.run("COMMIT")
    rows.run("BEGIN IMMEDIATE")
    work(rows, given, f"SELECT element_id FROM batch_element WHERE {within}")
    _log(rows, given | {"run": succeeded, "state": 2})
    rows.run(f"DELETE FROM batch_element WHERE {within}", given)
    rows.run("DELETE FROM job WHERE job_definition_id = :definition", given)
    rows.run("COMMIT")


def _to_zero(rows: Rows, given: dict[str, object], elements: str) -> None:
    rows.run(
        "INSERT INTO incident (id, incident_type, state, create_time, configuration, incident_message,"
        " process_instance_id, process_definition_id, execution_id, activity_id)"
        f" SELECT {_row_id(rows)}, 'failedExternalTask', 'open', :now, id,"
        " error_message, process_instance_id, process_definition_id, execution_id, activity_id"
        f" FROM external_task WHERE id IN ({elements})",
        given,
    )
    rows.run(f"UPDATE external_task SET retries = 0 WHERE id IN ({elements})", given)


def _back_to_three(rows: Rows, given: dict[str, object], elements: str) -> None:
    rows.run(
        f"UPDATE incident SET end_time = :now, state = 'resolved' WHERE state = 'open' AND configuration IN"
        f" ({elements})",
        given,
    )
    rows.run(f"UPDATE external_task SET retries = 3 WHERE id IN ({elements})", given)


def _make(rows: Rows, given: dict[str, object], elements: str) -> None:
    rows.run(
        "INSERT INTO variable (id, process_instance_id, name, type, long_value, deleted)"
        f" SELECT {_row_id(rows)}, id, 'amount', 'Integer', 1, FALSE FROM process_instance WHERE id IN ({elements})",
        given,
    )


def _replace(rows: Rows, given: dict[str, object], elements: str) -> None:
    rows.run(
        "UPDATE variable SET type = 'Integer', text_value = NULL, long_value = 2, double_value = NULL,"
        f" value_info = NULL WHERE process_instance_id IN ({elements}) AND execution_id IS NULL AND name = 'amount'",
        given,
    )


def _delete(rows: Rows, given: dict[str, object], elements: str) -> None:
    of_instances = f"process_instance_id IN ({elements})"
    kept = "topic_name, priority, retries, activity_id, activity_instance_id, execution_id, process_instance_id"
    rows.run(
        f"INSERT INTO external_task_log (id, timestamp, state, external_task_id, process_definition_id, {kept})"
        f" SELECT {_row_id(rows)}, :now, 3, id, process_definition_id, {kept} FROM external_task WHERE {of_instances}",
        given,
    )
    for table in ("external_task", "execution"):
        rows.run(f"DELETE FROM {table} WHERE {of_instances}", given)
    rows.run(
        "UPDATE process_instance SET state = 'EXTERNALLY_TERMINATED', end_time = :now, delete_reason = 'bench'"
        f" WHERE id IN ({elements})",
        given,
    )


def _row_id(rows: Rows) -> str:
    return f":rest || {rows.hex12.format('row_number() OVER (ORDER BY id)')}"


def _id(rows: Rows, number: str) -> str:
    return f":run || {rows.hex12.format(number)}"


def _log(rows: Rows, given: dict[str, object]) -> None:
    rows.run(
        "INSERT INTO job_log (id, timestamp, state, job_id, job_type, job_definition_id, batch_id, deployment_id,"
        f" job_retries, job_priority, process_instance_id) SELECT {_id(rows, 'first')}, :now, :state, id, job_type,"
        " job_definition_id, batch_id, deployment_id, retries, priority, process_instance_id FROM job"
        " WHERE job_definition_id = :definition",
        given,
    )
