"""The same row changes by a bare driver: no framework, no locks that anybody looks at, one plain loop.

Per set of jobs, as the runner has them: a transaction that seeds (jobs and their log entries), one that locks, one
that does the work (tasks, incidents, success entries, removal of elements and jobs). Same tables, same indexes, same
settings of the file.
"""

import re
import sqlite3
import time
import uuid
from collections.abc import Mapping
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


def measure(rows: Rows, tasks: int) -> tuple[float, float]:
    """Seconds for all tasks to 0 retries, and back to 3.

    Args:
        rows: where they are.
        tasks: how many there are.
    """
    seconds = []
    for retries in (0, 3):
        start = time.perf_counter()
        _batch(rows, tasks, retries)
        seconds.append(time.perf_counter() - start)
    assert rows.run("SELECT count(*) FROM external_task WHERE retries = 3") == [(tasks,)]
    return seconds[0], seconds[1]


def _batch(rows: Rows, tasks: int, retries: int) -> None:
    batch = str(uuid.uuid4())
    rows.run("BEGIN IMMEDIATE")
    rows.run(
        "INSERT INTO batch_element (batch_id, ordinal, element_id) "
        "SELECT :batch, row_number() OVER (ORDER BY id) - 1, id FROM external_task",
        {"batch": batch},
    )
    rows.run("COMMIT")
    for first in range(0, tasks, SET):
        _set(rows, batch, first, min(first + SET, tasks), retries)


def _set(rows: Rows, batch: str, first: int, past: int, retries: int) -> None:
    given = {
        "batch": batch,
        "first": first,
        "past": past,
        "retries": retries,
        "now": time.time_ns() // 1_000_000,
        "kind": "set-external-task-retries",
        "definition": str(uuid.uuid4()),
        "deployment": "dep-0",
    }
    within = "batch_id = :batch AND ordinal >= :first AND ordinal < :past"
    elements = f"SELECT element_id FROM batch_element WHERE {within}"
    jobs, created, succeeded, raised = (f"{uuid.uuid4()}"[:24] for _ in range(4))
    rows.run("BEGIN IMMEDIATE")
    rows.run(
        "INSERT INTO job (id, job_type, job_definition_id, batch_id, deployment_id, first, past, retries, suspended,"
        f" priority, create_time) SELECT {_id(rows, 'ordinal')}, :kind, :definition, :batch, :deployment, ordinal,"
        f" ordinal + 1, 3, FALSE, 0, :now FROM batch_element WHERE {within}",
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
    if retries:
        rows.run(
            f"UPDATE incident SET end_time = :now, state = 'resolved' WHERE state = 'open' AND configuration IN"
            f" ({elements})",
            given,
        )
    else:
        rows.run(
            "INSERT INTO incident (id, incident_type, state, create_time, configuration, incident_message,"
            " process_instance_id, process_definition_id, execution_id, activity_id)"
            f" SELECT {_id(rows, 'row_number() OVER (ORDER BY id)')}, 'failedExternalTask', 'open', :now, id,"
            " error_message, process_instance_id, process_definition_id, execution_id, activity_id"
            f" FROM external_task WHERE id IN ({elements})",
            given | {"run": raised},
        )
    rows.run(f"UPDATE external_task SET retries = :retries WHERE id IN ({elements})", given)
    _log(rows, given | {"run": succeeded, "state": 2})
    rows.run(f"DELETE FROM batch_element WHERE {within}", given)
    rows.run("DELETE FROM job WHERE job_definition_id = :definition", given)
    rows.run("COMMIT")


def _id(rows: Rows, number: str) -> str:
    return f":run || {rows.hex12.format(number)}"


def _log(rows: Rows, given: dict[str, object]) -> None:
    rows.run(
        "INSERT INTO job_log (id, timestamp, state, job_id, job_type, job_definition_id, batch_id, deployment_id,"
        f" job_retries, job_priority) SELECT {_id(rows, 'first')}, :now, :state, id, job_type,"
        " job_definition_id, batch_id, deployment_id, retries, priority FROM job WHERE job_definition_id = :definition",
        given,
    )
