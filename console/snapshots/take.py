"""Takes a snapshot of an engine: one file, whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retriage.console.session.text_filter import NotAFilter, TextFilter
from retriage.console.snapshots.engine_reader import EngineReader, NothingMatches
from retriage.console.snapshots.observed_rates import observed_rates
from retriage.console.snapshots.questions import PacedQuestions
from retriage.store.snapshot import new_snapshot
from retriage.store.snapshot_mark import SnapshotMark

if TYPE_CHECKING:
    from retriage.console.session.session import Session
    from retriage.console.snapshots.engine_reader import Tell
    from retriage.console.snapshots.part import SnapshotPart

__all__ = ["NotAFilter", "NothingMatches", "take_snapshot"]

NUMBERS = {
    "external_task": "external tasks",
    "process_instance": "process instances",
    "process_definition": "process definitions",
    "incident": "incidents",
    "error_details": "error details",
    "variable": "variables",
    "batch": "batches",
    "job": "jobs of batches",
    "run": "runs of the journal",
}
"""What is written -> what it is called."""


async def take_snapshot(
    session: Session, part: SnapshotPart, path: Path, tell: Tell = lambda what, number: None
) -> SnapshotMark:
    """Write a snapshot; answers what it says about itself.

    Lists are read one after the other, each of its own moment: a task that ended while they were read is there without
    what had ended with it. The moment of the snapshot is the one at which it was begun.

    Args:
        session: whose engine and journal; its capabilities are known.
        part: what was chosen.
        path: where; nothing is written over.
        tell: is told how far it is.

    Raises:
        NotAFilter: the query of the part cannot be read.
        NothingMatches: no task matches that query; nothing is left of the file.
        EngineProblem: the engine did not answer, or refused; nothing is left of the file.
        FileExistsError: there is a file already.
        OSError: the file cannot be written.
    """
    wanted = TextFilter(session, "tasks", part.query)
    identity = await session.connection.ask(lambda client: client.identity())
    client = await session.connection.opened()
    begun = session.connection.identity.stands_at or client.engine_now()
    begun = begun.replace(microsecond=begun.microsecond // 1000 * 1000)
    questions = PacedQuestions(session, polite=bool(session.connection.identity.url))
    async with new_snapshot(path, begun) as writer:
        reader = EngineReader(session, part, wanted, questions, writer, tell)
        await reader.read()
        rates = await observed_rates(session.memory, questions, reader.topics, reader.runs)
        mark = SnapshotMark(
            engine=session.memory.engine_name,
            address=session.connection.identity.url,
            kind=f"{identity.kind} {identity.version or ''}".strip(),
            taken_at=begun,
            taken_by=session.connection.identity.user,
            part=part.query.strip(),
            numbers={said: writer.numbers[name] for name, said in NUMBERS.items() if writer.numbers.get(name)},
            left_out=tuple(reader.left_out),
            rates=tuple(rates),
        )
        await writer.complete(mark)
    return mark
