"""The commands about what the console is opened on: the profiles, and a world that is thrown away."""

from typing import Annotated

import typer

from retriage.console.cli.program import Seed, app, fail, say
from retriage.console.cli.screen import open_console
from retriage.console.connections import to_demo
from retriage.console.folders import profiles_file
from retriage.console.profiles import ProfileProblem, known_profiles
from retriage.console.session.tour import OUTAGE
from retriage.console.text.inert import inert


@app.command()
def profiles() -> None:
    """List the connection profiles, and say where they are kept."""
    file = profiles_file()
    try:
        for told in known_profiles(file):
            typer.echo(inert(told))
    except ProfileProblem as problem:
        raise fail(str(problem)) from None
    say(f"({file})")


@app.command()
def demo(
    tasks: Annotated[int, typer.Option(min=1, help="External tasks in the world.")] = 12_000,
    seed: Seed = 1,
    full_speed: Annotated[
        bool, typer.Option("--full-speed", help="Run batches as fast as possible, not at a pace to watch.")
    ] = False,
    outage: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SECONDS", help="The payment provider is back after this time. Default: about two minutes."
        ),
    ] = None,
    tour: Annotated[
        bool, typer.Option("--tour", help="A guided tour: a line says what to press next, and why.")
    ] = False,
    mouse: Annotated[
        bool | None, typer.Option("--mouse/--no-mouse", help="Use the mouse. Default: off over SSH.")
    ] = None,
) -> None:
    """Open the console on a throw-away world with simulated workers."""
    lasts = OUTAGE if tour and outage is None else outage
    open_console(to_demo(tasks, seed, full_speed, lasts), mouse, tour=tour)
