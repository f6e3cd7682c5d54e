"""The commands of the embedded engine: serve it, fill it, look at its file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from retriage.console.cli.program import Seed, Store, app, fail, say, say_over
from retriage.console.folders import default_store
from retriage.console.text.inert import inert


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    store: Store = None,
    demo: Annotated[int, typer.Option(min=0, help="Fill an empty store with this many external tasks.")] = 0,
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
            help="Let in only this user, by HTTP Basic; may be repeated. In the environment: separated by spaces.",
        ),
    ] = None,
    user_file: Annotated[
        Path | None, typer.Option(help="File with the users and hashes of their passwords; see `retriage user`.")
    ] = None,
    allow_anonymous: Annotated[
        bool,
        typer.Option("--allow-anonymous", help="Let everybody in, even at an address that other machines can reach."),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name that the server answers to; may be repeated."),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM file of a certificate: serve https.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's private key.")] = None,
) -> None:
    """Serve the contract at http://HOST:PORT/engine-rest, for real external-task workers and other consoles."""
    from retriage.store import server  # 1184 ms

    source = context.get_parameter_source("user")
    if user and source is not None and source.name == "COMMANDLINE":
        say("retriage: everybody on this machine can see passwords on a command line; --user-file hides them.")
    try:
        users = [*server.read_users(user or ()), *(server.read_user_file(user_file) if user_file is not None else ())]
        server.serve(
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
    except server.ServerProblem as problem:
        raise fail(str(problem)) from None


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="Name of the user.")],
    read_only: Annotated[
        bool, typer.Option("--read-only", help="The user may read everything and change nothing.")
    ] = False,
) -> None:
    """Make a line for the --user-file of `serve`: asks for the password, prints the name with its hash."""
    from retriage.store.server import ServerProblem, line_of  # 1184 ms

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        typer.echo(line_of(name, password, read_only=read_only))
    except ServerProblem as problem:
        raise fail(str(problem)) from None


@app.command()
def doctor(
    store: Annotated[str, typer.Option(help="Path of an SQLite file.")],
) -> None:
    """Examine the file of a store: say what is wrong with it, and what to do. Nothing is changed."""
    from retriage.store.doctor import CannotExamine, examine_store  # 600 ms

    try:
        findings = examine_store(store)
    except CannotExamine as problem:
        raise fail(str(problem)) from None
    for line in findings.lines:
        typer.echo(inert(line))
    if not findings.healthy:
        raise typer.Exit(1)


@app.command()
def demo_data(
    store: Annotated[str, typer.Option(help="Path of an SQLite file or an SQLAlchemy URL.")],
    tasks: Annotated[int, typer.Option(min=1, help="External tasks to make.")],
    seed: Seed = 1,
) -> None:
    """Fill an empty store with a demo world."""
    from retriage.store.demo_store import fill  # 700 ms

    def show(done: str) -> None:
        if sys.stderr.isatty():
            say_over(f"{done:<50}")

    def progress(made: int) -> None:
        show(f"{made:,} of {tasks:,} external tasks")

    def indexed(made: int, of: int) -> None:
        show(f"{tasks:,} external tasks; sorting index {made + 1} of {of}")

    try:
        seconds = fill(store, tasks, seed, progress, indexed=indexed)
    except ValueError as problem:
        raise fail(str(problem)) from None
    if sys.stderr.isatty():
        say("")
    typer.echo(f"{tasks:,} external tasks written in {seconds:.1f} s")
