"""The commands. They read what was typed, say one sentence when it does not fit, and call."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.folders import default_journal, default_store, profiles_file

if TYPE_CHECKING:
    from console.connections import Connection
    from console.engine.client import EngineClient
    from console.engine.target import Target
    from store.journal import Journal

app = typer.Typer(
    name="retriage",
    help="Find failed external tasks, retry them as a batch, watch what becomes of them.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Seed = Annotated[int, typer.Option(help="Seed of the demo world; the same seed makes the same world.")]
Store = Annotated[
    str | None,
    typer.Option(help="Path of an SQLite file or an SQLAlchemy URL. Default: the store in the data folder."),
]


def main() -> None:
    """The entry point of the ``retriage`` command."""
    app()


def _fail(sentence: str) -> typer.Exit:
    typer.echo(f"retriage: {sentence}", err=True)
    return typer.Exit(2)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"retriage {version('retriage')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Option(help="Name of a connection profile, see `retriage profiles`.", show_default=False)
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="REST address of an engine, https://host/engine-rest. Default: your own embedded store."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="User for HTTP Basic; the password is read from RETRIAGE_PASSWORD.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority that signed its certificate.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not check its certificate.")] = False,
    env: Annotated[
        str | None,
        typer.Option(help="Word for the first line. Any but DEMO, DEV, TEST and LOCAL is treated as production."),
    ] = None,
    readonly: Annotated[bool, typer.Option("--read-only", help="Change nothing, whatever is pressed.")] = False,
    store: Store = None,
    mouse: Annotated[bool | None, typer.Option("--mouse/--no-mouse", help="Default: off over SSH.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Open the console: on your own store, or with --profile or --engine on a real Camunda 7, Operaton or CIB seven."""
    if context.invoked_subcommand is not None:
        return
    from console.connections import to_address, to_profile, to_store

    named = [word for word, given in (("--profile", profile), ("--engine", engine), ("--store", store)) if given]
    if len(named) > 1:
        raise _fail(f"{' and '.join(named)} name different engines; give one of them.")
    own = [word for word, given in (("--user", user), ("--ca", ca), ("--insecure", insecure), ("--env", env)) if given]
    if profile and own:
        raise _fail(f"the profile says all about its engine; leave {' and '.join(own)} out, or change the profile.")
    try:
        if profile:
            connection = to_profile(profile, profiles_file())
        elif engine:
            connection = to_address(engine, user, ca, insecure, env, readonly)
        else:
            connection = to_store(store or str(default_store()), env, readonly)
    except ValueError as problem:
        raise _fail(str(problem)) from None
    _open(replace(connection, readonly=connection.readonly or readonly), mouse)


@app.command()
def profiles() -> None:
    """Say which connection profiles there are, and where they are written down."""
    from console.profiles import ProfileProblem, known_profiles

    file = profiles_file()
    try:
        for told in known_profiles(file):
            typer.echo(told)
    except ProfileProblem as problem:
        raise _fail(str(problem)) from None
    typer.echo(f"({file})", err=True)


@app.command()
def demo(
    tasks: Annotated[int, typer.Option(min=1, help="External tasks in the world.")] = 12_000,
    seed: Seed = 1,
    full_speed: Annotated[
        bool, typer.Option("--full-speed", help="Carry out batches as fast as possible, not at a pace to watch.")
    ] = False,
    outage: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SECONDS", help="When the payment provider comes back. Default: after about two minutes."
        ),
    ] = None,
    mouse: Annotated[bool | None, typer.Option("--mouse/--no-mouse", help="Default: off over SSH.")] = None,
) -> None:
    """Open the console on a throw-away world with simulated workers."""
    from console.connections import to_demo

    _open(to_demo(tasks, seed, full_speed, outage), mouse)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 8080,
    store: Store = None,
    demo: Annotated[int, typer.Option(min=0, help="Fill an empty store with so many external tasks.")] = 0,
    seed: Seed = 1,
    workers: Annotated[
        bool,
        typer.Option("--workers", help="Let simulated workers fetch, complete and fail the tasks of a demo world."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse retries-async with an unknown task id (404).")
    ] = False,
    user: Annotated[
        list[str] | None,
        typer.Option(
            envvar="RETRIAGE_USERS",
            metavar="NAME:PASSWORD",
            help="Let in only this user, by HTTP Basic. Several may be given; in the environment, apart by blanks.",
        ),
    ] = None,
    user_file: Annotated[
        Path | None, typer.Option(help="File with the users and hashes of their passwords; see `retriage user`.")
    ] = None,
    allow_anonymous: Annotated[
        bool, typer.Option("--allow-anonymous", help="Let everybody in at an address that other machines reach.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name by which the server is called too; several may be given."),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM file of a certificate: serve https.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's private key.")] = None,
) -> None:
    """Serve the contract at http://HOST:PORT/engine-rest, for real external-task workers and other consoles."""
    from store.server import ServerProblem
    from store.server import serve as run
    from store.server.users import read_user_file, read_users

    source = context.get_parameter_source("user")
    if user and source is not None and source.name == "COMMANDLINE":
        typer.echo(
            "retriage: everybody on this machine sees the passwords of a command line; --user-file hides them.",
            err=True,
        )
    try:
        users = [*read_users(user or ()), *(read_user_file(user_file) if user_file is not None else ())]
        run(
            store or str(default_store()),
            host,
            port,
            demo_tasks=demo,
            demo_seed=seed,
            workers=workers,
            strict=strict,
            users=users,
            allow_anonymous=allow_anonymous,
            allowed_hosts=allow_host or (),
            certificate=certificate,
            key=key,
        )
    except ServerProblem as problem:
        raise _fail(str(problem)) from None


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="Name of the user.")],
    read_only: Annotated[
        bool, typer.Option("--read-only", help="The user may ask everything and order nothing.")
    ] = False,
) -> None:
    """Make a line for the --user-file of `serve`: asks for the password, prints the name with its hash."""
    from store.server import ServerProblem
    from store.server.users import line_of

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        typer.echo(line_of(name, password, read_only=read_only))
    except ServerProblem as problem:
        raise _fail(str(problem)) from None


@app.command()
def doctor(
    store: Annotated[str, typer.Option(help="Path of an SQLite file.")],
) -> None:
    """Look at the file of a store, say what is wrong with it, and what to do. Nothing is changed."""
    from store.doctor import CannotExamine, examine_store

    try:
        findings = examine_store(store)
    except CannotExamine as problem:
        raise _fail(str(problem)) from None
    for line in findings.lines:
        typer.echo(line)
    if not findings.healthy:
        raise typer.Exit(1)


@app.command()
def demo_data(
    store: Annotated[str, typer.Option(help="Path of an SQLite file or an SQLAlchemy URL.")],
    tasks: Annotated[int, typer.Option(min=1, help="External tasks to make.")],
    seed: Seed = 1,
) -> None:
    """Fill an empty store with a demo world."""
    from store.server import ServerProblem, fill

    def progress(made: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{made:,} of {tasks:,} external tasks", nl=False, err=True)

    try:
        seconds = fill(store, tasks, seed, progress)
    except ServerProblem as problem:
        raise _fail(str(problem)) from None
    if sys.stderr.isatty():
        typer.echo("", err=True)
    typer.echo(f"{tasks:,} external tasks written in {seconds:.1f} s")


def _open(connection: "Connection", mouse: bool | None) -> None:
    from console.app import RetriageApp
    from console.folders import keys_file
    from console.keymap import read_keymap

    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise _fail("the console needs a terminal; `retriage serve` does not.")
    journal = _journal(None if connection.thrown_away else default_journal())
    console_app = RetriageApp(
        _connector(connection.target), connection.identity(), journal=journal, keymap=read_keymap(keys_file())
    )
    console_app.run(mouse="SSH_CONNECTION" not in os.environ if mouse is None else mouse)


def _journal(path: Path | None) -> "Callable[[], AbstractAsyncContextManager[Journal]]":
    """Opens the operator's journal; a world that is thrown away has one that is too."""

    def opener() -> "AbstractAsyncContextManager[Journal]":
        from console.journal import journal_at

        return journal_at(path)

    return opener


def _connector(target: "Target") -> "Callable[[], AbstractAsyncContextManager[EngineClient]]":
    """Opens the engine when the console asks for it, not before its first frame."""

    def connector() -> "AbstractAsyncContextManager[EngineClient]":
        from console.engine.connect import connect

        return connect(target)

    return connector
