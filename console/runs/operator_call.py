"""Calls the operator to a run that is held, by a command of the operator's own.

The command is no shell, and nothing of the engine stands in it: what happened is told in environment variables, as
inert text. Passwords that the console was given are not handed on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.text.inert import inert

if TYPE_CHECKING:
    from console.runs.events import RunHeld
    from console.session.session import Session

PATIENCE = 60.0
"""Seconds that the command has."""
LONGEST = 2000
"""Characters of a variable at most."""
SECRETS = ("RETRIAGE_PASSWORD", "RETRIAGE_TOKEN")


def facts_of(session: Session, held: RunHeld) -> dict[str, str]:
    """What happened, as variables.

    Args:
        session: whose engine.
        held: the run that is held.
    """
    counts = held.counts
    told = {
        "RUN": held.run, "WAVE": held.wave if held.wave is not None else "", "CAUSE": held.cause, "SAID": held.said,
        "ENGINE": session.engine_name, "ENVIRONMENT": session.identity.environment, "DONE": counts.done,
        "AGAIN": counts.again, "NEW_CAUSE": counts.new_cause, "OPEN": counts.open,
    }  # fmt: skip
    return {f"RETRIAGE_{name}": inert(str(value))[:LONGEST] for name, value in told.items()}


async def call_operator(
    command: Sequence[str],
    facts: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
    patience: float = PATIENCE,
) -> str:
    """Carry the command out; answers one sentence if that failed, else nothing.

    Args:
        command: program and arguments.
        facts: variables that it is given.
        environ: the variables that it has besides.
        patience: seconds after which it is ended.
    """
    inherited = {name: value for name, value in environ.items() if name not in SECRETS}
    silent = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=silent, stdout=silent, stderr=silent, env={**inherited, **facts}
        )
    except (OSError, ValueError) as problem:
        return f"The command that calls you cannot be run: {getattr(problem, 'strerror', None) or problem}."
    try:
        status = await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"The command that calls you was ended after {patience:g} s."
    except asyncio.CancelledError:
        process.kill()
        raise
    return f"The command that calls you failed with status {status}." if status else ""
