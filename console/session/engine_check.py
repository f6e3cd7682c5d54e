"""What is known of an engine once it was asked, and what the console will not be able to do there and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from console.engine.history_level import what_is_lost
from console.engine.rights import (
    READ_BATCH_HISTORY,
    READ_BATCHES,
    READ_HISTORY,
    UPDATE_INSTANCES,
    UPDATE_OF_DEFINITION,
    Right,
)

if TYPE_CHECKING:
    from console.engine.history_level import HistoryLevel
    from console.engine.rights import Login
    from console.session.session import Session


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
        login: whether it knows users.
        rights: what the user may do on every resource.
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
    login: Login
    rights: Mapping[Right, bool]
    lacks: Mapping[str, list[str]]
    cannot: tuple[str, ...]
    warnings: tuple[str, ...]


async def check_engine(session: Session) -> EngineCheck:
    """Ask an engine all that a console asks when it connects.

    Raises:
        EngineProblem: it did not answer, or refused.
    """
    known = await session.ask(lambda client: client.identity())
    await session.learn_capabilities()
    await session.learn_rights()
    client = await session.opened()
    identity = session.identity
    return EngineCheck(
        identity.url,
        known.name,
        known.kind,
        known.version,
        client.user,
        client.clock_difference,
        session.round_trip,
        session.history_level,
        session.rights.login,
        session.rights.granted,
        session.capabilities.limits,
        tuple(_cannot(session)),
        tuple(_warnings(session, client.clock_difference)),
    )


def _cannot(session: Session) -> list[str]:
    rights = session.rights
    said = [rights.why_no_launch()]
    if session.safety.readonly:
        said.insert(0, "Change anything: this connection is read-only.")
    if rights.lacks(UPDATE_INSTANCES, UPDATE_OF_DEFINITION):
        said.append("Set retries of tasks or jobs one by one, unlock: this user may not change process instances.")
    said += [rights.unseen(subject) for subject in ("tasks", "batches")]
    if rights.lacks(READ_HISTORY):
        said.append("Say what became of retried tasks: this user may not read the history of any process.")
    if rights.lacks(READ_BATCH_HISTORY) and not rights.lacks(READ_BATCHES):
        said.append("Show ended batches: this user may not read their history (READ_HISTORY on Batch).")
    said.append(what_is_lost(session.history_level))
    for subject, lacking in session.capabilities.limits.items():
        ignored = [words.removeprefix("ignores ") for words in lacking if words.startswith("ignores ")]
        if ignored:
            names = ", ".join(ignored)
            said.append(f"Leave filters of {subject} to the engine: it ignores {names}. The console filters by itself, "
                        "and launches by ids.")  # fmt: skip
    return [sentence for sentence in said if sentence]


def _warnings(session: Session, clock: timedelta) -> list[str]:
    said = [session.identity.warning]
    if clock:
        ahead = "ahead of" if clock > timedelta() else "behind"
        seconds = round(abs(clock).total_seconds())
        said.append(f"Its clock is {seconds} s {ahead} this machine's: ages and lock times go by its clock.")
    if session.history_level == "not known":
        said.append("How much history it keeps is not known: there is no external task, or its history is not shown.")
    return [sentence for sentence in said if sentence]
