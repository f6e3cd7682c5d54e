"""The command without a screen that does what a launch dialog shows."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from retriage.console.language import write
from retriage.console.reading.selection import Everything, Instances, Marked, ids_of
from retriage.console.runs.rules_text import pace_text, seconds_text, share_text

if TYPE_CHECKING:
    from retriage.console.launch.plan import LaunchPlan
    from retriage.console.reading.selection import Selection
    from retriage.console.runs.run import RunOrder
    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.store.contract.queries import Query

ALL_AT_ONCE = "rest"
"""The waves of a launch without any."""
THROWN_AWAY = "demo"
"""What the world of the demo is called."""
UNITS = {"task": ("tasks", "--query"), "instance": ("instances", "--instances"), "job": ("jobs", "--jobs")}
"""Unit of an operation -> the noun of the filter language, and the option that names units by it."""
FILE = "ids.txt"
"""Where the ids stand as long as nobody has written them to a file."""


def command_of(
    identity: ConnectionIdentity,
    plan: LaunchPlan,
    order: RunOrder | None,
    reason: str,
    *,
    login: str = "",
    guarded: bool = False,
    ids: str = "",
) -> str:
    """The command, for a POSIX shell; it asks back before it changes anything. Empty for a world that is thrown away,
    which no command can come to.

    Args:
        identity: the engine.
        plan: the tasks and the retries.
        order: waves and rules; none for a launch at once.
        reason: why; may be empty.
        login: the user that logs in, if one does.
        guarded: the number of tasks has to be named.
        ids: a file with the ids of the tasks, where no query names them.
    """
    words = ["retriage", "run", *engine_words(identity, login)]
    if not identity.url and identity.name in ("", THROWN_AWAY):
        return ""
    query = query_of(plan)
    words += ["--query", query] if query is not None else ["--ids", ids or FILE]
    words += ["--retries", str(plan.retries)]
    words += ["--waves", str(order.waves).replace(" ", "") if order is not None and order.waves else ALL_AT_ONCE]
    if order is not None:
        words += ["--gate", share_text(order.gate.limit)]
        words += ["--gate-new-cause"] if order.gate.new_cause else []
        words += ["--watch", seconds_text(order.watch)]
        words += ["--pace", pace_text(order.pace)] if order.pace is not None else []
    kinds = sorted(kind.replace("_", "-") for kind in plan.included if kind != "gone")
    words += ["--include", ",".join(kinds)] if kinds else []
    words += ["--count", str(plan.count)] if guarded or query == "" else []
    words += ["--reason", reason.strip()] if reason.strip() else []
    return shlex.join(words)


def operation_command_of(
    identity: ConnectionIdentity,
    selection: Selection | Instances,
    order: RunOrder,
    number: int,
    *,
    login: str = "",
    guarded: bool = False,
    ids: str = "",
) -> str:
    """The command that does what the dialog of an operation shows, as :func:`command_of`.

    Args:
        identity: the engine.
        selection: which units.
        order: what is done, in which waves, and why.
        number: how many units are taken.
        login: the user that logs in, if one does.
        guarded: the number has to be named, as it has to be everywhere for what cannot be undone.
        ids: a file with the ids of the units, where no query names them.
    """
    if not identity.url and identity.name in ("", THROWN_AWAY):
        return ""
    query, operation = None, order.operation
    noun, option = UNITS[operation.unit]
    matching: Query | None = selection.origin if isinstance(selection, Marked) else None
    if isinstance(selection, Everything | Instances) and not selection.but:
        matching = selection.query
    if ids_of(selection) is None and matching is not None:
        with suppress(ValueError, KeyError):
            query = write(matching, noun)
    words = ["retriage", "run", *engine_words(identity, login)]
    words += ["--do", operation.name] if operation.unit != "task" else []
    words += ["--retries", str(operation.retries)] if operation.retries is not None else []
    words += [option, query] if query is not None else ["--ids", ids or FILE]
    words += operation.options
    words += ["--gate", share_text(order.gate.limit)] if operation.gated else []
    words += ["--gate-new-cause"] if order.gate.new_cause else []
    words += ["--waves", str(order.waves).replace(" ", "") if order.waves else ALL_AT_ONCE]
    words += ["--watch", seconds_text(order.watch)]
    words += ["--pace", pace_text(order.pace)] if order.pace is not None else []
    words += ["--skip", ",".join(operation.skip)] if operation.skip else []
    words += ["--count", str(number)] if guarded or query == "" or operation.no_way_back else []
    words += ["--reason", order.reason.strip()] if order.reason.strip() else []
    return shlex.join(words)


def resume_command_of(identity: ConnectionIdentity, run: int, *, login: str = "") -> str:
    """The command that goes on with a run without a screen, for a POSIX shell. Empty for a world that is thrown away,
    and for a rehearsal: their runs are in no journal that a command reads.

    Args:
        identity: the engine.
        run: number of the run.
        login: the user that logs in, if one does.
    """
    if identity.snapshot_of or (not identity.url and identity.name in ("", THROWN_AWAY)):
        return ""
    return shlex.join(["retriage", "watch", str(run), "--resume", *engine_words(identity, login)])


def query_of(plan: LaunchPlan) -> str | None:
    """What was chosen in the filter language, empty for every task; nothing where only ids say it."""
    selection = plan.selection
    if not isinstance(selection, Everything) or selection.but:
        return None
    try:
        return write(selection.query, "tasks")
    except (ValueError, KeyError):
        return None


def engine_words(identity: ConnectionIdentity, login: str) -> list[str]:
    """The options that lead to the same engine in the same way; secrets are in none of them."""
    if identity.profile:
        return ["--profile", identity.profile, *identity.words]
    if identity.snapshot_of and identity.stands_at is None:
        return ["--rehearse", identity.name, *identity.words]
    if not identity.url:
        return ["--store", identity.name] if identity.name else []
    user = ["--user", login] if login else []
    return ["--engine", identity.url, *user, *identity.words, "--env", identity.environment]
