"""The commands that open the console on a screen, and what it can be opened on."""

import gc
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.connection_options import (
    Authority,
    ConnectionOptions,
    Engine,
    Environment,
    FailureRate,
    Insecure,
    Options,
    Profile,
    ReadOnly,
    Rehearse,
    User,
)
from console.cli.exit_codes import ExitCode
from console.cli.program import Seed, Store, app, fail
from console.folders import keys_file, preferences_file, profiles_file, settings_file
from console.journal import journal_of
from console.session.preferences import read_preferences
from console.session.tour import OUTAGE
from console.settings import read_settings
from store.contract.version import VERSION
from store.garbage import spared

if TYPE_CHECKING:
    from console.app import RetriageApp
    from console.connections import Connection
    from console.engine.client import EngineClient
    from console.engine.target import Target
    from console.screens.dialogs.engines import ChosenEngine
    from store.journal import Journal


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # 10 ms

        typer.echo(f"retriage {version('retriage')} (its own store speaks the contract of Camunda {VERSION})")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    profile: Profile = None,
    engine: Engine = None,
    user: User = None,
    ca: Authority = None,
    insecure: Insecure = False,
    env: Environment = None,
    readonly: ReadOnly = False,
    option: Options = None,
    store: Store = None,
    rehearse: Rehearse = None,
    failure_rate: FailureRate = None,
    mouse: Annotated[
        bool | None, typer.Option("--mouse/--no-mouse", help="Use the mouse. Default: off over SSH.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Open the console: on your own store, or with --profile or --engine on a real Camunda 7, Operaton or CIB seven."""
    if context.invoked_subcommand is not None:
        return
    typed = ConnectionOptions(profile, engine, user, ca, insecure, env, readonly, option, store)
    _open(typed.connection(rehearse, failure_rate), mouse)


@app.command()
def profiles() -> None:
    """List the connection profiles, and say where they are kept."""
    from console.profiles import ProfileProblem, known_profiles  # 77 ms

    file = profiles_file()
    try:
        for told in known_profiles(file):
            typer.echo(told)
    except ProfileProblem as problem:
        raise fail(str(problem)) from None
    typer.echo(f"({file})", err=True)


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
        bool, typer.Option("--tour", help="A guided tour in six steps: a line says what to press next, and why.")
    ] = False,
    mouse: Annotated[
        bool | None, typer.Option("--mouse/--no-mouse", help="Use the mouse. Default: off over SSH.")
    ] = None,
) -> None:
    """Open the console on a throw-away world with simulated workers."""
    from console.connections import to_demo  # 250 ms

    lasts = OUTAGE if tour and outage is None else outage
    _open(to_demo(tasks, seed, full_speed, lasts), mouse, tour=tour)


def _open(connection: "Connection", mouse: bool | None, *, tour: bool = False) -> None:
    """Open the console, and again on each engine that is chosen inside."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise fail("the console needs a terminal; `retriage serve` does not.")
    notice = ""
    # Until the first frame: to go through all that is imported again and again takes 40 ms.
    gc.disable()
    while True:
        left = _opened(connection, mouse, tour, notice)
        if left.chosen_engine is None:
            break
        connection, notice = chosen_connection(left.chosen_engine, connection)
        tour = False
    code = left.return_code or 0
    if not code and left.session.failed_to_open:
        code = ExitCode.ENGINE
    if code:
        raise typer.Exit(code)


def chosen_connection(chosen: "ChosenEngine", before: "Connection") -> "tuple[Connection, str]":
    """The engine that was chosen inside, or the one before with a sentence that says why it cannot be opened.

    A command for a password may ask for it here: the console is left, and the terminal is free.
    """
    from console.connections import to_address, to_profile  # 250 ms

    try:
        if chosen.profile:
            connection = to_profile(chosen.profile, profiles_file())
        else:
            connection = to_address(chosen.address, None, None, False, None, False)
    except ValueError as problem:
        return before, str(problem)
    return replace(connection, readonly=connection.readonly or before.readonly), ""


def _opened(connection: "Connection", mouse: bool | None, tour: bool, notice: str) -> "RetriageApp":
    """The console after it was left."""
    from console.app import RetriageApp  # 400 ms
    from console.keymap import read_keymap  # 90 ms

    console_app = RetriageApp(
        partial(connected, connection.target),
        connection.identity(),
        # A world that is thrown away has a journal that is too.
        journal=partial(_journal, connection),
        keymap=read_keymap(keys_file()),
        demo=connection.demo,
        tour=tour,
        settings=read_settings(settings_file()),
        preferences=read_preferences(preferences_file()),
        notice=notice,
    )
    console_app.run(mouse="SSH_CONNECTION" not in os.environ if mouse is None else mouse)
    return console_app


def connected(target: "Target") -> "AbstractAsyncContextManager[EngineClient]":
    """Opens the engine when the console asks for it, not before its first frame; garbage is collected from here on."""
    from console.engine.connect import connect  # 275 ms

    gc.enable()
    return spared(connect(target))


def _journal(connection: "Connection") -> "AbstractAsyncContextManager[Journal]":
    return spared(journal_of(connection))
