"""A driver that stays: a run goes on in a process of its own, which no terminal and no other console ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import opened_journal
from retriage.console.cli.output import print_json
from retriage.console.cli.program import fail, say
from retriage.console.folders import home
from retriage.console.runs.run_view import read_run
from retriage.store.private_files import open_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retriage.console.connections import NamedEngine
    from retriage.store.journal import Journal

LOOKED_EVERY = 0.2
"""Seconds between two looks whether the new process has begun."""
LAST_LINES = 3
"""So many lines of the log are shown where it has not."""


def log_file(number: int) -> Path:
    """What the process in the background writes: steps of the run, not each figure, begun anew by each process."""
    return home() / f"run-{number}.log"


def check_stays(connection: NamedEngine) -> None:
    """Check that the engine is there for another process.

    Raises:
        typer.Exit: it ends with this command; a sentence on stderr says so.
    """
    if connection.thrown_away:
        raise fail("--detach needs an engine that stays: this one ends with the command.")


def stay() -> None:
    """A terminal that is gone ends this process no more; ctrl+c of a shell does not reach it anyway."""
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


async def go_on_in_background(
    journal: Journal, number: int, engine: Sequence[str], wish: Sequence[str], json: bool
) -> int:
    """Let a process of its own session drive a run that nobody drives, and wait until it does; answers the exit code.

    Secrets reach it as they reach this one: by variables, commands or the keyring. It has no terminal to ask at.

    Args:
        journal: shows who drives.
        number: the run.
        engine: options that lead to its engine.
        wish: options that say how it goes on.
        json: one event is printed in place of a sentence.
    """
    log = log_file(number)
    command = [sys.executable, "-P", "-m", "retriage.console", "watch", str(number), *engine, *wish, "--yes", "--json"]
    # The same modules, wherever they are: beside the script, or in the one file that needs no installation.
    found = os.pathsep.join(path for path in sys.path if path)
    with open_file(log, "w") as file:
        # It is never waited for, and what asyncio starts ends with its loop.
        process = subprocess.Popen(  # noqa: ASYNC220
            [*command, "--background"], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True, env={**os.environ, "PYTHONPATH": found},
        )  # fmt: skip
    while True:
        ended = process.poll()
        view = await read_run(journal.runs, number)
        if view is not None and f":{process.pid}:" in view.run.driver:
            break
        if ended is not None and (view is None or ended not in (ExitCode.DONE, ExitCode.RELEASED)):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]:
                say(line)
            say(f"retriage: the process in the background has ended with status {ended}: resume run {number}.")
            return ended if ended > 0 else ExitCode.ENGINE
        if ended is not None:
            break  # it was over as soon as that
        await asyncio.sleep(LOOKED_EVERY)
    process.returncode = ExitCode.DONE  # it belongs to nobody from here on: no warning that it still runs
    if json:
        print_json({"event": "detached", "run": number, "pid": process.pid, "log": str(log)})
    else:
        say(f"Run {number} goes on in the background, process {process.pid}; `retriage watch {number}` follows it.")
        say(f"Its steps are written to {log}.")
    return ExitCode.DONE


async def go_on_without_screen(runs: Mapping[int, Sequence[str]]) -> None:
    """Let runs that a console has held when it was left go on in processes of their own.

    Args:
        runs: their numbers -> options that lead to their engine.
    """
    async with opened_journal() as journal:
        for number, engine in runs.items():
            await go_on_in_background(journal, number, engine, ("--resume",), json=False)
