"""Lists of what an engine has, read to their end and told on stdout: records of a subject, and causes of incidents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.causes.fold import fold
from console.cli.exit_codes import ExitCode
from console.cli.headless import journal_if_any, opened_session, say
from console.cli.output import CsvOutput, print_json, print_table
from console.cli.program import fail
from console.engine.total_order import sort_keys
from console.reading.pages import Pages, pages_by_id
from console.reading.reading_order import reading_order
from console.session.text_filter import NotAFilter, TextFilter

if TYPE_CHECKING:
    from console.connections import Connection
    from console.session.session import Session


@dataclass(frozen=True)
class _Kind:
    """How a subject is listed.

    Attributes:
        method: of the client.
        columns: fields of the contract's records that a table and CSV show.
    """

    method: str
    columns: tuple[str, ...]


KINDS = {
    "tasks": _Kind(
        "external_tasks",
        ("id", "topicName", "businessKey", "retries", "workerId", "lockExpirationTime", "suspended", "errorMessage"),
    ),
    "incidents": _Kind(
        "incidents", ("id", "incidentType", "incidentTimestamp", "activityId", "configuration", "incidentMessage")
    ),
    "instances": _Kind("process_instances", ("id", "definitionId", "businessKey", "suspended", "tenantId")),
    "batches": _Kind(
        "batches", ("id", "type", "totalJobs", "remainingJobs", "completedJobs", "failedJobs", "suspended", "startTime")
    ),
    "jobs": _Kind("jobs", ("id", "retries", "suspended", "dueDate", "processInstanceId", "exceptionMessage")),
}


async def list_records(subject: str, connection: Connection, text: str, limit: int, json: bool, csv: bool) -> int:
    """Tell the records of a subject that match.

    Args:
        subject: one of ``KINDS``.
        connection: the engine.
        text: which ones, in the filter language.
        limit: so many at most; 0 for all.
        json: one JSON object a line.
        csv: CSV with a head line.

    Returns:
        the exit code.

    Raises:
        typer.Exit: the text is no filter; a sentence was said.
        EngineProblem: the engine refused, or did not answer.
    """
    kind = KINDS[subject]
    told: list[dict[str, Any]] = []
    number = 0
    more = False
    file = CsvOutput(kind.columns) if csv else None
    async with journal_if_any(connection) as journal, opened_session(connection, journal) as session:
        async for record in _records(session, subject, text):
            if limit and number == limit:
                more = True
                break
            number += 1
            if json:
                print_json(record)
            elif file is not None:
                file.write(record)
            else:
                told.append(record)
    if not json and not csv and told:
        print_table(kind.columns, [[_shown(record.get(column)) for column in kind.columns] for record in told])
    if more:
        say(f"The first {limit:,} {subject}; --limit 0 lists all.")
    if not number:
        say(f"No {subject} match.")
        return ExitCode.NOTHING
    return ExitCode.DONE


async def _records(session: Session, subject: str, text: str) -> AsyncIterator[dict[str, Any]]:
    """The rows that match, as the contract writes them, in the order that the text asks for or that of their ids."""
    try:
        wanted = TextFilter(session, subject, text)
    except NotAFilter as mistake:
        raise fail(f"--query: {mistake}") from None
    if session.journal is None and wanted.remembers:
        raise fail("--query: what was retried before is told by the journal alone.", ExitCode.ENGINE)
    client = await session.opened()
    read = getattr(client, KINDS[subject].method)
    order = reading_order(wanted.query)
    pages = pages_by_id(read, wanted.query)
    if sort_keys(wanted.query) and not order.keys:
        pages = Pages(lambda first, size: read(order.query, first, size))
    kept: list[Any] = []
    while not pages.ended:
        rows = await wanted.kept(await session.ask(lambda client: pages.next()))
        if order.keys:
            kept += rows
            continue
        for row in rows:
            yield row.model_dump(mode="json", by_alias=True)
    for row in order.arranged(kept):
        yield row.model_dump(mode="json", by_alias=True)


async def list_causes(connection: Connection, text: str, limit: int, json: bool, csv: bool) -> int:
    """Tell the causes of the open incidents that match, the most frequent first; otherwise as :func:`list_records`."""
    groups: dict[str, dict[str, Any]] = {}
    async with journal_if_any(connection) as journal, opened_session(connection, journal) as session:
        async for record in _records(session, "incidents", text):
            said = record["incidentMessage"]
            cause = fold(said) if said is not None else ""
            group = groups.setdefault(
                cause, {"incidents": 0, "cause": cause, "oldest": None, "newest": None, "types": set()}
            )
            group["incidents"] += 1
            group["types"].add(record["incidentType"])
            at = record["incidentTimestamp"]
            group["oldest"] = min(filter(None, (group["oldest"], at)), default=None)
            group["newest"] = max(filter(None, (group["newest"], at)), default=None)
    ordered = sorted(groups.values(), key=lambda group: (-group["incidents"], group["cause"]))
    chosen = [{**group, "types": sorted(group["types"])} for group in ordered[: limit or None]]
    columns = ("incidents", "cause", "oldest", "newest", "types")
    if json:
        for group in chosen:
            print_json(group)
    elif csv:
        file = CsvOutput(columns)
        for group in chosen:
            file.write(group)
    elif chosen:
        print_table(columns, [[_shown(group[column]) for column in columns] for group in chosen])
    if len(ordered) > len(chosen):
        say(f"The first {len(chosen):,} causes of {len(ordered):,}; --limit 0 lists all.")
    if not groups:
        say("No incidents match.")
        return ExitCode.NOTHING
    return ExitCode.DONE


def _shown(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
