"""After each step: everything there is on both engines, compared, and named where it is new."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.twins.pair import Pair
from tests.twins.subjects import SUBJECTS, Subject
from tests.twins.symbols import Ask
from tests.twins.twin import Twin

Row = dict[str, Any]
Naming = Callable[[Twin, Row], Iterator[tuple[str, str, str]]]


def _deployments(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    yield "deployment", row["id"], f"{row['name']} {row['tenantId']} {twin.common(row['deploymentTime'])}"


def _definitions(_twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    yield "definition", row["id"], f"{row['key']} {row['version']} {row['tenantId']}"


def _instances(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    yield "instance", row["id"], f"of {twin.common(row['processDefinitionId'])} {twin.common(row['startTime'])}"


def _tasks(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    instance = twin.common(row["processInstanceId"])
    what = f"{row['activityId']} of {instance} {twin.common(row['createTime'])}"
    yield "task", row["id"], what
    yield "execution", row["executionId"], what
    yield "activityInstance", row["activityInstanceId"], what


def _batches(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    what = f"{row['type']} {twin.common(row['startTime'])} {row['totalJobs']}"
    yield "batch", row["id"], what
    for field in ("seedJobDefinitionId", "monitorJobDefinitionId", "batchJobDefinitionId"):
        yield "jobDefinition", row[field], f"{field} {what}"


def _jobs(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    definition, message = twin.common(row["jobDefinitionId"]), twin.common(row["exceptionMessage"])
    yield "job", row["id"], f"{definition} {message} {row['retries']} {twin.common(row['createTime'])}"


def _historic_incidents(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    yield "incident", row["id"], f"{twin.common(row['configuration'])} {twin.common(row['createTime'])}"


def _state(row: Row) -> str:
    return next(name for name in ("creationLog", "failureLog", "successLog", "deletionLog") if row[name])


def _task_log(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    what = f"{_state(row)} {row['retries']} of {twin.common(row['externalTaskId'])} {twin.common(row['timestamp'])}"
    yield "taskLog", row["id"], what


def _job_log(twin: Twin, row: Row) -> Iterator[tuple[str, str, str]]:
    job, definition = twin.common(row["jobId"]), twin.common(row["jobDefinitionId"])
    what = f"{_state(row)} {row['jobRetries']} of {job} {definition} {twin.common(row['timestamp'])}"
    what += f" {twin.common(row['deploymentId'])}"
    yield "jobLog", row["id"], what


NAMINGS: dict[str, Naming] = {
    "deployments": _deployments,
    "process definitions": _definitions,
    "historic process instances": _instances,
    "external tasks": _tasks,
    "historic batches": _batches,
    "jobs": _jobs,
    "external task log": _task_log,
    "job log": _job_log,
    "historic incidents": _historic_incidents,
}
"""How the rows of a list are told from each other without their ids; each needs only the names given before it."""


_RUNNING = (
    "deployments",
    "process definitions",
    "process instances",
    "external tasks",
    "batches",
    "jobs",
    "job definitions",
    "incidents",
)
"""Lists of what is there now, unlike history."""


async def take(pair: Pair) -> dict[str, list[Row]]:
    """Compare every list there is, and name what is new. Gives the reference engine's rows by subject.

    Raises:
        Difference: the engines are not in the same state.
    """
    found: dict[str, list[Row]] = {}
    for name in [*NAMINGS, *(subject for subject in SUBJECTS if subject not in NAMINGS)]:
        ask = Ask("GET", SUBJECTS[name].path, _within(SUBJECTS[name]), rows=name)
        answers = await pair.both(ask)
        if naming := NAMINGS.get(name):
            for twin, rows in zip(pair.twins, answers, strict=True):
                _name(twin, naming, rows.json())
        pair.judge(ask, "state", answers)
        if name in _RUNNING:
            for twin, rows in zip(pair.twins, answers, strict=True):
                present = [twin.name_of(row["id"]) for row in rows.json()]
                twin.living[SUBJECTS[name].kind] = sorted(one for one in present if one is not None)
        found[name] = answers[1].json()
    return found


def _within(subject: Subject) -> dict[str, str]:
    return {subject.within[0]: subject.within[1][0]} if subject.within else {}


def _name(twin: Twin, naming: Naming, rows: list[Row]) -> None:
    """Name what has no name yet. Things that nobody can tell apart are numbered: then it does not matter which."""
    for row in rows:
        for kind, identity, what in naming(twin, row):
            if identity is not None and twin.name_of(identity) is None:
                taken = set(twin.names(kind))
                number = next(n for n in range(len(taken) + 1) if f"<{kind} {what}>{n or ''}" not in taken)
                twin.give_name(f"<{kind} {what}>{number or ''}", identity)
