"""Opens the console on a screen."""

import asyncio
import gc
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from retriage.console.cli.connection_options import (
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
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.program import Store, fail
from retriage.console.connections import to_address, to_profile
from retriage.console.folders import keys_file, preferences_file, profiles_file, seen_file, settings_file
from retriage.console.journal import journal_of
from retriage.console.session.preferences import read_preferences
from retriage.console.session.seen_values import keep_seen
from retriage.console.settings import read_settings
from retriage.store.contract.version import VERSION
from retriage.store.garbage import spared

if TYPE_CHECKING:
    from retriage.console.app import RetriageApp
    from retriage.console.connections import NamedEngine
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.target import Target
    from retriage.console.screens.dialogs.engines import ChosenEngine
    from retriage.store.journal import Journal


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # 10 ms

        typer.echo(f"retriage {version('retriage')} (its own store speaks the contract of Camunda {VERSION})")
        raise typer.Exit


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
    open_console(typed.connection(rehearse, failure_rate), mouse)


def open_console(connection: "NamedEngine", mouse: bool | None, *, tour: bool = False) -> None:
    """Open the console, and again on each engine that is chosen inside."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise fail("the console needs a terminal; `retriage serve` does not.")
    notice = ""
    # Until the first frame: to go through all that is imported again and again takes 40 ms.
    gc.disable()
    while True:
        left = _opened(connection, mouse, tour, notice)
        if left.left_running:
            from retriage.console.cli.background import go_on_without_screen  # 200 ms

            asyncio.run(go_on_without_screen(left.left_running))
        if left.chosen_engine is None:
            break
        connection, notice = chosen_connection(left.chosen_engine, connection)
        tour = False
    code = left.return_code or 0
    if not code and left.session.connection.failed_to_open:
        code = ExitCode.ENGINE
    if code:
        raise typer.Exit(code)


def chosen_connection(chosen: "ChosenEngine", before: "NamedEngine") -> "tuple[NamedEngine, str]":
    """The engine that was chosen inside, or the one before with a sentence that says why it cannot be opened.

    A command for a password may ask for it here: the console is left, and the terminal is free.
    """
    try:
        if chosen.profile:
            connection = to_profile(chosen.profile, profiles_file())
        else:
            connection = to_address(chosen.address, None, None, False, None, False)
    except ValueError as problem:
        return before, str(problem)
    return replace(connection, readonly=connection.readonly or before.readonly), ""


def _opened(connection: "NamedEngine", mouse: bool | None, tour: bool, notice: str) -> "RetriageApp":
    """The console after it was left."""
    from retriage.console.app import RetriageApp  # 110 ms
    from retriage.console.keymap import read_keymap  # 100 ms

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
    if not connection.thrown_away:
        keep_seen(seen_file(), connection.name, console_app.session.watch.known_values.lasting())
    return console_app


def connected(target: "Target") -> "AbstractAsyncContextManager[EngineClient]":
    """Opens the engine when the console asks for it, not before its first list; garbage is collected from here on."""
    # Not in a thread: beside the first list being drawn both would take longer.
    from retriage.console.engine.connect import connect  # 160 ms

    gc.enable()
    return spared(connect(target))


def _journal(connection: "NamedEngine") -> "AbstractAsyncContextManager[Journal]":
    return spared(journal_of(connection))
