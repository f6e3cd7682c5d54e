"""``retriage check``: what an engine is, what it can, and what the console will not be able to do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from retriage.console.cli.connection_options import ConnectionOptions, with_connection
from retriage.console.cli.exit_codes import EPILOG, ExitCode
from retriage.console.cli.headless import carry_out, opened_session
from retriage.console.cli.output import print_json, write
from retriage.console.cli.program import app
from retriage.console.engine.errors import EngineProblem
from retriage.console.text.inert import inert

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.console.session.engine_check import EngineCheck

LABEL = 10


@app.command("check", epilog=EPILOG)
@with_connection
def check_command(
    connection: ConnectionOptions,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Ask an engine what it is, what it can do and what its user may do; nothing is changed."""
    chosen = connection.connection()
    carry_out(lambda: _check(chosen, json))


async def _check(connection: NamedEngine, as_json: bool) -> int:
    from retriage.console.session.engine_check import check_engine  # 86 ms

    try:
        async with opened_session(connection) as session:
            found = await check_engine(session.connection)
    except EngineProblem as problem:
        if as_json:
            print_json({"reached": False, "address": connection.url, "problem": problem.sentence})
        raise
    if as_json:
        print_json(record_of(found))
    else:
        for label, text in lines_of(found):
            write(f"{label:<{LABEL}}  {text}".rstrip() + "\n")
    return ExitCode.DONE


def record_of(found: EngineCheck) -> dict[str, Any]:
    """The check as one JSON object."""
    return {
        "reached": True,
        "address": found.address,
        "engine": found.name,
        "kind": found.kind,
        "version": found.version,
        "user": found.user or None,
        "clockDifferenceSeconds": round(found.clock.total_seconds()),
        "roundTripSeconds": found.round_trip,
        "historyLevel": found.history,
        "login": found.rights.login,
        "rights": [
            {
                "permission": right.permission,
                "resource": right.resource,
                "authorized": yes,
                "onlyOn": list(found.rights.only_on(right)),
            }
            for right, yes in found.rights.granted.items()
        ],
        "lacks": found.lacks,
        "cannot": found.cannot,
        "warnings": found.warnings,
    }


def lines_of(found: EngineCheck) -> list[tuple[str, str]]:
    """The check for people: a label and a text a line."""
    trip = f" in {max(round(found.round_trip * 1000), 1)} ms" if found.round_trip is not None else ""
    clock = round(found.clock.total_seconds())
    # The engine's version begins with the 7 that its name ends with.
    kind = found.kind.removesuffix(" 7") if found.version else found.kind
    told = [
        ("reached", f"{found.address or 'in this process'}{trip}"),
        ("engine", f"{kind} {found.version or '(version not known)'}, called {found.name}"),
        ("user", found.user or "no login"),
        ("clock", f"{clock:+} s against this machine's" if clock else "as this machine's"),
        ("history", found.history),
        ("login", found.rights.login),
    ]
    told += found.rights.lines()
    told += [("lacks", f"{subject}: {', '.join(words)}") for subject, words in found.lacks.items()]
    told += [("cannot", sentence) for sentence in found.cannot] or [("cannot", "no limitation is known")]
    told += [("warning", sentence) for sentence in found.warnings]
    return [(label, inert(text)) for label, text in told]
