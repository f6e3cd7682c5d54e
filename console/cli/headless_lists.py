"""Lists of what an engine has, read to their end and told on stdout: records of a subject, and causes of incidents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import cause_of
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import journal_if_any, opened_session
from retriage.console.cli.output import CsvOutput, print_json, print_table
from retriage.console.cli.program import fail, say
from retriage.console.engine.rights import find_rights
from retriage.console.engine.total_order import sort_keys
from retriage.console.nouns import NOUNS
from retriage.console.reading.pages import Pages, pages_by_id
from retriage.console.reading.reading_order import reading_order
from retriage.console.session.text_filter import NotAFilter, TextFilter
from retriage.store.contract.records import Incident

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.console.session.session import Session


async def list_records(subject: str, connection: NamedEngine, text: str, limit: int, json: bool, csv: bool) -> int:
    """Tell the records of a subject that match.

    Args:
        subject: name of a noun that has columns.
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
    columns = NOUNS[subject].columns
    told: list[dict[str, Any]] = []
    number = 0
    more = False
    file = CsvOutput(columns) if csv else None
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
        unseen = (await session.connection.ask(find_rights)).unseen(subject)
    if not json and not csv and told:
        print_table(columns, [[_shown(record.get(column)) for column in columns] for record in told])
    if more:
        say(f"The first {limit:,} {subject}; --limit 0 lists all.")
    if unseen:
        say(unseen)
    if not number:
        say(f"No {subject} match." if not unseen else f"None of those {subject} match.")
        return ExitCode.NOTHING
    return ExitCode.DONE


async def _records(session: Session, subject: str, text: str) -> AsyncIterator[dict[str, Any]]:
    """The rows that match, as the contract writes them, in the order that the text asks for or that of their ids."""
    try:
        wanted = TextFilter(session, subject, text)
    except NotAFilter as mistake:
        raise fail(f"--query: {mistake}") from None
    if session.memory.journal is None and wanted.remembers:
        raise fail("--query: what was retried before is told by the journal alone.", ExitCode.ENGINE)
    client = await session.connection.opened()
    read = getattr(client, NOUNS[subject].listed)
    order = reading_order(wanted.query)
    pages = pages_by_id(read, wanted.query)
    if sort_keys(wanted.query) and not order.keys:
        pages = Pages(lambda first, size: read(order.query, first, size))
    kept: list[Any] = []
    while not pages.ended:
        rows = await wanted.kept(await session.connection.ask(lambda client: pages.next()))
        session.watch.known_values.note(rows)
        if order.keys:
            kept += rows
            continue
        for row in rows:
            yield row.model_dump(mode="json", by_alias=True)
    for row in order.arranged(kept):
        yield row.model_dump(mode="json", by_alias=True)


async def list_causes(connection: NamedEngine, text: str, limit: int, json: bool, csv: bool) -> int:
    """Tell the causes of the open incidents that match, the most frequent first; otherwise as :func:`list_records`."""
    groups: dict[str, dict[str, Any]] = {}
    async with journal_if_any(connection) as journal, opened_session(connection, journal) as session:
        async for record in _records(session, "incidents", text):
            member = group_member_of(Incident.model_validate(record))
            cause = cause_of(member)
            group = groups.setdefault(
                cause, {"incidents": 0, "cause": cause, "oldest": None, "newest": None, "types": set()}
            )
            group["incidents"] += 1
            group["types"].add(record["incidentType"])
            at = record["incidentTimestamp"]
            group["oldest"] = min(filter(None, (group["oldest"], at)), default=None)
            group["newest"] = max(filter(None, (group["newest"], at)), default=None)
        unseen = (await session.connection.ask(find_rights)).unseen("incidents")
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
    if unseen:
        say(unseen)
    if not groups:
        say("No incidents match." if not unseen else "None of those incidents match.")
        return ExitCode.NOTHING
    return ExitCode.DONE


def _shown(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
