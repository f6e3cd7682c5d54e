"""What is known of an engine once it was asked, and what the console will not be able to do there and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from retriage.console.engine.history_level import what_is_lost
from retriage.console.engine.rights import (
    READ_BATCH_HISTORY,
    READ_BATCHES,
    READ_HISTORY,
    UPDATE_INSTANCES,
    UPDATE_OF_DEFINITION,
    Right,
)

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.history_level import HistoryLevel
    from retriage.console.engine.rights import Rights
    from retriage.console.session.connection import Connection


@dataclass(frozen=True)
class EngineCheck:
    """The answers of an engine.

    Attributes:
        address: its REST root; empty for one in this process.
        name: its own name.
        kind: what it is, "Camunda 7".
        version: ``None`` where it does not tell.
        user: who logs in; empty where nobody does.
        clock: how much its clock is ahead of ours; zero for less than two seconds, which its answers do not tell.
        round_trip: seconds that an answer took.
        history: how much it keeps of what has ended.
        rights: what the user may do.
        lacks: subject -> what the engine cannot, as the contract names it.
        cannot: what the console will not be able to do, and why; a sentence each, the worst first.
        warnings: what else should be known.
    """

    address: str
    name: str
    kind: str
    version: str | None
    user: str
    clock: timedelta
    round_trip: float | None
    history: HistoryLevel
    rights: Rights
    lacks: Mapping[str, list[str]]
    cannot: tuple[str, ...]
    warnings: tuple[str, ...]


async def check_engine(connection: Connection) -> EngineCheck:
    """Ask an engine all that a console asks when it connects.

    Raises:
        EngineProblem: it did not answer, or refused.
    """
    known = await connection.ask(lambda client: client.identity())
    await connection.learn_capabilities()
    await connection.learn_rights()
    client = await connection.opened()
    identity = connection.identity
    return EngineCheck(
        identity.url,
        known.name,
        known.kind,
        known.version,
        client.user,
        client.clock_difference,
        connection.round_trip,
        connection.history_level,
        connection.rights,
        connection.capabilities.limits,
        tuple(_cannot(connection)),
        tuple(_warnings(connection, client)),
    )


def _cannot(connection: Connection) -> list[str]:
    rights = connection.rights
    said = [rights.why_no_launch()]
    if connection.safety.readonly:
        said.insert(0, "Change anything: this connection is read-only.")
    change = "Set retries of tasks or jobs one by one, unlock"
    said.append(_not_everywhere(rights, change, "change process instances", UPDATE_INSTANCES, UPDATE_OF_DEFINITION))
    if no_variables := rights.why_no_variables():
        said.append(f"Give instances their former variables back one by one: {no_variables}")
    said += [rights.unseen(subject) for subject in ("tasks", "incidents", "batches")]
    said.append(_not_everywhere(rights, "Say what became of retried tasks", "read the history", READ_HISTORY))
    if rights.lacks(READ_BATCH_HISTORY) and not rights.lacks(READ_BATCHES):
        said.append("Show ended batches: this user may not read their history (READ_HISTORY on Batch).")
    said.append(what_is_lost(connection.history_level))
    for subject, lacking in connection.capabilities.limits.items():
        ignored = [words.removeprefix("ignores ") for words in lacking if words.startswith("ignores ")]
        if ignored:
            names = ", ".join(ignored)
            said.append(f"Leave filters of {subject} to the engine: it ignores {names}. The console filters by itself, "
                        "and launches by ids.")  # fmt: skip
    return [sentence for sentence in said if sentence]


def _not_everywhere(rights: Rights, what: str, may: str, *needed: Right) -> str:
    """A sentence where none of these rights is had on every resource, with the processes it is had on."""
    if not rights.not_on_all(*needed):
        return ""
    names = " or ".join(f"{right.permission} on {right.resource}" for right in needed)
    if keys := rights.only_on(*needed):
        others = tuple(key for key in rights.asked_on if key not in keys)
        not_of = f"not of {', '.join(others)}" if others else "of no other process as far as was asked"
        return f"{what} everywhere: this user may {may} of {', '.join(keys)}, {not_of} ({names})."
    asked = f", nor on {', '.join(rights.asked_on)}" if rights.asked_on else ""
    return f"{what}: this user may not {may} (no {names} on all{asked})."


def _warnings(connection: Connection, client: EngineClient) -> list[str]:
    said = [connection.identity.warning]
    clock = client.clock_difference
    if client.clock_is_disproved:
        said.append(
            "The Date header of its answers is not its clock, a proxy writes it: times of its records correct it."
        )
    if clock:
        ahead = "ahead of" if clock > timedelta() else "behind"
        seconds = round(abs(clock).total_seconds())
        said.append(f"Its clock is {seconds} s {ahead} this machine's: ages and lock times go by its clock.")
    if connection.history_level == "not known":
        said.append("How much history it keeps is not known: there is no external task, or its history is not shown.")
    return [sentence for sentence in said if sentence]
