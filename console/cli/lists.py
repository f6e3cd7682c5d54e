"""The commands that list what an engine has: records as they are with ``--json``, the main columns otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.causes.fold import fold
from console.cli.connection_options import ConnectionOptions, with_connection
from console.cli.exit_codes import EPILOG, ExitCode
from console.cli.headless import carry_out, opened_journal, opened_session, say
from console.cli.output import CsvOutput, print_json, print_table
from console.cli.program import app, fail
from console.session import journal_answers

if TYPE_CHECKING:
    from console.connections import Connection
    from console.session.session import Session

Query = Annotated[str, typer.Option(metavar="TEXT", help="Which ones, in the filter language.")]
Limit = Annotated[int, typer.Option(min=0, help="So many at most; 0 for all.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV on stdout, with a head line.")]
USUAL = 100
"""So many rows are told unless the operator says otherwise."""


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


@app.command("tasks", epilog=EPILOG)
@with_connection
def tasks_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List external tasks."""
    _carry_out("tasks", connection, query, limit, json, csv)


@app.command("incidents", epilog=EPILOG)
@with_connection
def incidents_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List open incidents."""
    _carry_out("incidents", connection, query, limit, json, csv)


@app.command("instances", epilog=EPILOG)
@with_connection
def instances_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List running process instances."""
    _carry_out("instances", connection, query, limit, json, csv)


@app.command("batches", epilog=EPILOG)
@with_connection
def batches_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List running batches with their progress."""
    _carry_out("batches", connection, query, limit, json, csv)


@app.command("jobs", epilog=EPILOG)
@with_connection
def jobs_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List jobs."""
    _carry_out("jobs", connection, query, limit, json, csv)


@app.command("causes", epilog=EPILOG)
@with_connection
def causes_command(
    connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
) -> None:
    """List the causes of open incidents, the most frequent first; what differs in numbers and ids only is one."""
    _once(json, csv)
    carry_out(lambda: _causes(connection.connection(), query, limit, json, csv))


def _carry_out(subject: str, connection: ConnectionOptions, query: str, limit: int, json: bool, csv: bool) -> None:
    _once(json, csv)
    carry_out(lambda: _list(connection.connection(), subject, query, limit, json, csv))


def _once(json: bool, csv: bool) -> None:
    if json and csv:
        raise fail("--json and --csv are two forms; give one of them.")


async def _list(connection: Connection, subject: str, text: str, limit: int, json: bool, csv: bool) -> int:
    kind = KINDS[subject]
    told: list[dict[str, Any]] = []
    number = 0
    more = False
    file = CsvOutput(kind.columns) if csv else None
    async with opened_journal() as journal, opened_session(connection, journal) as session:
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
        say(f"The first {limit:,} {subject}; --limit 0 tells all.")
    if not number:
        say(f"No {subject} match.")
        return ExitCode.NOTHING
    return ExitCode.DONE


async def _records(session: Session, subject: str, text: str) -> AsyncIterator[dict[str, Any]]:
    """The rows that match, as the contract writes them, in the order that the text asks for or that of their ids."""
    from console.engine.total_order import sort_keys  # 129 ms
    from console.language import matcher, parse, remembers, subject_on  # 173 ms
    from console.reading.pages import Pages, pages_by_id  # 130 ms
    from console.reading.reading_order import reading_order  # 126 ms

    table = subject_on(subject, session.capabilities)
    parsed = parse(text, table)
    if parsed.mistakes:
        raise fail(f"--query: {parsed.mistakes[0].sentence}")
    retried: set[str] = set()
    wanted = matcher(parsed.conditions, table, datetime.now(UTC), retried)
    remembered = remembers(parsed.conditions, table)
    client = await session.opened()
    read = getattr(client, KINDS[subject].method)
    order = reading_order(parsed.query)
    pages = pages_by_id(read, parsed.query)
    if sort_keys(parsed.query) and not order.keys:
        pages = Pages(lambda first, size: read(order.query, first, size))
    kept: list[Any] = []
    while not pages.ended:
        page = await session.ask(lambda client: pages.next())
        if remembered:
            retried.update(await journal_answers.retried(session, [row.id for row in page]))
        rows = filter(wanted, page)
        if order.keys:
            kept += rows
            continue
        for row in rows:
            yield row.model_dump(mode="json", by_alias=True)
    for row in order.arranged(kept):
        yield row.model_dump(mode="json", by_alias=True)


async def _causes(connection: Connection, text: str, limit: int, json: bool, csv: bool) -> int:
    groups: dict[str, dict[str, Any]] = {}
    async with opened_journal() as journal, opened_session(connection, journal) as session:
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
        say(f"The first {len(chosen):,} causes of {len(ordered):,}; --limit 0 tells all.")
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
