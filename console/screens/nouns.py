"""The one table from a noun to its screens. Each is imported when it is first shown: the first frame needs but one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retriage.console.screens.tasks.screen import TasksScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from retriage.console.screens.navigator import Details, Lists
    from retriage.console.session.session import Session


def _tasks(session: Session) -> Screen[None]:
    return TasksScreen(session)


def _incidents(session: Session) -> Screen[None]:
    from retriage.console.screens.incidents.screen import IncidentsScreen  # 116 ms

    return IncidentsScreen(session)


def _instances(session: Session) -> Screen[None]:
    from retriage.console.screens.instances.screen import InstancesScreen  # 91 ms

    return InstancesScreen(session)


def _batches(session: Session) -> Screen[None]:
    from retriage.console.screens.batches.screen import BatchesScreen  # 27 ms

    return BatchesScreen(session)


def _jobs(session: Session) -> Screen[None]:
    from retriage.console.screens.jobs.screen import JobsScreen  # 12 ms

    return JobsScreen(session)


def _journal(session: Session) -> Screen[None]:
    from retriage.console.screens.journal.screen import JournalScreen  # 95 ms

    return JournalScreen(session)


def _task(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.tasks.detail import TaskDetail  # 88 ms

    return TaskDetail(session, record)


def _incident(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.incidents.detail import IncidentDetail  # 5 ms

    return IncidentDetail(session, record)


def _instance(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.instances.detail import InstanceDetail  # 4 ms

    return InstanceDetail(session, record)


def _batch(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.batches.detail import BatchDetail  # 137 ms

    return BatchDetail(session, record)


def _job(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.jobs.detail import JobDetail  # 15 ms

    return JobDetail(session, record)


def _launch(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.journal.detail import LaunchDetail  # 96 ms

    return LaunchDetail(session, record)


def _run(session: Session, record: Any) -> Screen[None]:
    from retriage.console.screens.runs.screen import RunScreen  # 647 ms

    return RunScreen(session, record)


LISTS: Lists = {
    "tasks": _tasks,
    "incidents": _incidents,
    "instances": _instances,
    "batches": _batches,
    "jobs": _jobs,
    "journal": _journal,
}
DETAILS: Details = {
    "task": _task,
    "incident": _incident,
    "instance": _instance,
    "batch": _batch,
    "job": _job,
    "launch": _launch,
    "run": _run,
}
