"""The same row changes by bare ``sqlite3``: no framework, no locks that anybody looks at, one plain loop.

Per set of jobs, as the runner has them: a transaction that seeds (jobs and their log entries), one that locks, one
that does the work (tasks, incidents, success entries, removal of elements and jobs). Same tables, same indexes, same
settings of the file.
"""

import sqlite3
import time
import uuid

SET = 2000
ID = "printf('%s%012x', :run, ordinal)"


def measure(file: str, tasks: int) -> float:
    """Seconds for all tasks to 0 retries and back to 3.

    Args:
        file: a store with a plain world and no batch.
        tasks: how many tasks it has.
    """
    rows = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=4000", "cache_size=-32000"):
        rows.execute(f"PRAGMA {pragma}")
    start = time.perf_counter()
    for retries in (0, 3):
        _batch(rows, tasks, retries)
    seconds = time.perf_counter() - start
    assert rows.execute("SELECT count(*) FROM external_task WHERE retries = 3").fetchone() == (tasks,)
    rows.close()
    return seconds


def _batch(rows: sqlite3.Connection, tasks: int, retries: int) -> None:
    batch = str(uuid.uuid4())
    rows.execute("BEGIN IMMEDIATE")
    rows.execute(
        "INSERT INTO batch_element (batch_id, ordinal, element_id) "
        "SELECT ?, row_number() OVER (ORDER BY id) - 1, id FROM external_task",
        [batch],
    )
    rows.execute("COMMIT")
    for first in range(0, tasks, SET):
        _set(rows, batch, first, min(first + SET, tasks), retries)


def _set(rows: sqlite3.Connection, batch: str, first: int, past: int, retries: int) -> None:
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
    rows.execute("BEGIN IMMEDIATE")
    rows.execute(
        "INSERT INTO job (id, job_type, job_definition_id, batch_id, deployment_id, first, past, retries, suspended,"
        f" priority, create_time) SELECT {ID}, :kind, :definition, :batch, :deployment, ordinal, ordinal + 1, 3, 0, 0,"
        f" :now FROM batch_element WHERE {within}",
        given | {"run": jobs},
    )
    _log(rows, given | {"run": created, "state": 0})
    rows.execute("COMMIT")
    rows.execute("BEGIN IMMEDIATE")
    rows.execute(
        "UPDATE job SET lock_owner = :batch, lock_expiration_time = :now WHERE job_definition_id = :definition", given
    )
    rows.execute("COMMIT")
    rows.execute("BEGIN IMMEDIATE")
    if retries:
        rows.execute(
            f"UPDATE incident SET end_time = :now, state = 'resolved' WHERE end_time IS NULL AND configuration IN"
            f" ({elements})",
            given,
        )
    else:
        rows.execute(
            "INSERT INTO incident (id, incident_type, state, create_time, configuration, incident_message,"
            " process_instance_id, process_definition_id, execution_id, activity_id)"
            " SELECT printf('%s%012x', :run, row_number() OVER (ORDER BY id)), 'failedExternalTask', 'open', :now, id,"
            " error_message, process_instance_id, process_definition_id, execution_id, activity_id"
            f" FROM external_task WHERE id IN ({elements})",
            given | {"run": raised},
        )
    rows.execute(f"UPDATE external_task SET retries = :retries WHERE id IN ({elements})", given)
    _log(rows, given | {"run": succeeded, "state": 2})
    rows.execute(f"DELETE FROM batch_element WHERE {within}", given)
    rows.execute("DELETE FROM job WHERE job_definition_id = :definition", given)
    rows.execute("COMMIT")


def _log(rows: sqlite3.Connection, given: dict[str, object]) -> None:
    rows.execute(
        "INSERT INTO job_log (id, timestamp, state, job_id, job_type, job_definition_id, batch_id, deployment_id,"
        " job_retries, job_priority) SELECT printf('%s%012x', :run, first), :now, :state, id, job_type,"
        " job_definition_id, batch_id, deployment_id, retries, priority FROM job WHERE job_definition_id = :definition",
        given,
    )
