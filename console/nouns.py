"""The nouns of the console: what an engine lists, in words, requests and columns.

A view is one row here and one folder below ``screens``; ``screens/nouns.py`` names its classes. The first frame reads
this table, so it imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Noun:
    """Something that an engine lists.

    Attributes:
        name: as the filter language, the commands and ``screens/nouns.py`` name it.
        one: a single one, in words.
        many: several of them.
        method: how its list is requested.
        path: of the list, below the REST root.
        record_path: of one record, without its id; empty where records cannot be read one by one.
        listed: method of the client that reads a page.
        counted: method of the client that counts.
        columns: fields of the record in tables and CSV; empty where no command lists it.
        listing: what the command that lists it does.
    """

    name: str
    one: str
    many: str
    method: Literal["GET", "POST"]
    path: str
    record_path: str
    listed: str
    counted: str
    columns: tuple[str, ...] = ()
    listing: str = ""


NOUNS = {
    noun.name: noun
    for noun in (
        Noun(
            "tasks", "external task", "external tasks", "POST", "external-task", "external-task", "external_tasks",
            "count_external_tasks",
            ("id", "topicName", "businessKey", "retries", "workerId", "lockExpirationTime", "suspended",
             "errorMessage"),
            "List external tasks.",
        ),
        Noun(
            "incidents", "incident", "incidents", "GET", "incident", "incident", "incidents", "count_incidents",
            ("id", "incidentType", "incidentTimestamp", "activityId", "configuration", "incidentMessage"),
            "List open incidents.",
        ),
        Noun(
            "instances", "process instance", "process instances", "POST", "process-instance", "process-instance",
            "process_instances", "count_process_instances",
            ("id", "definitionId", "businessKey", "suspended", "tenantId"),
            "List running process instances.",
        ),
        Noun(
            "history", "process instance", "process instances", "POST", "history/process-instance",
            "history/process-instance", "historic_process_instances", "count_historic_process_instances",
        ),
        Noun(
            "batches", "batch", "batches", "GET", "batch/statistics", "batch", "batches", "count_batches",
            ("id", "type", "totalJobs", "remainingJobs", "completedJobs", "failedJobs", "suspended", "startTime"),
            "List running batches with their progress.",
        ),
        Noun(
            "jobs", "job", "jobs", "POST", "job", "job", "jobs", "count_jobs",
            ("id", "retries", "suspended", "dueDate", "processInstanceId", "exceptionMessage"),
            "List jobs.",
        ),
    )
}  # fmt: skip
"""By name."""


@dataclass(frozen=True)
class View:
    """A view of the console.

    Attributes:
        name: of its noun, or of what the console itself keeps.
        title: in line 1.
        short: its title where there is little room.
    """

    name: str
    title: str
    short: str


VIEWS = (
    View("tasks", "Tasks", "Tasks"),
    View("incidents", "Incidents", "Incid"),
    View("instances", "Instances", "Inst"),
    View("batches", "Batches", "Batch"),
    View("jobs", "Jobs", "Jobs"),
    View("journal", "Journal", "Jrnl"),
)
"""In the order of their digits."""
