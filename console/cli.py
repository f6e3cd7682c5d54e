"""The commands. They read what was typed, say one sentence when it does not fit, and call."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.folders import default_store

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.engine.target import Target

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


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    engine: Annotated[
        str | None,
        typer.Option(help="REST address of an engine, https://host/engine-rest. Default: your own embedded store."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="User for HTTP Basic; the password is read from RETRIAGE_PASSWORD.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority that signed its certificate.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not check its certificate.")] = False,
    env: Annotated[str | None, typer.Option(help="Word for the first line: PROD, TEST, …")] = None,
    store: Store = None,
    mouse: Annotated[bool | None, typer.Option("--mouse/--no-mouse", help="Default: off over SSH.")] = None,
) -> None:
    """Open the console: on your own store, or with --engine on a real Camunda 7, Operaton or CIB seven."""
    if context.invoked_subcommand is not None:
        return
    from console.engine.target import Embedded, Remote

    if engine is None:
        _open(Embedded(store=store or str(default_store())), env or "LOCAL", "", mouse)
        return
    if store is not None:
        raise _fail("--engine and --store name two different engines; give one of them.")
    remote = Remote(
        engine,
        user=user,
        password=os.environ.get("RETRIAGE_PASSWORD"),
        token=os.environ.get("RETRIAGE_TOKEN"),
        ca=ca,
        insecure=insecure,
    )
    try:
        root = remote.root()
    except ValueError as problem:
        raise _fail(str(problem)) from None
    _open(remote, env or "ENGINE", root, mouse)


@app.command()
def demo(
    tasks: Annotated[int, typer.Option(min=1, help="External tasks in the world.")] = 12_000,
    seed: Seed = 1,
    mouse: Annotated[bool | None, typer.Option("--mouse/--no-mouse", help="Default: off over SSH.")] = None,
) -> None:
    """Open the console on a throw-away world with simulated workers."""
    from console.engine.target import Demo, Embedded

    _open(Embedded(demo=Demo(tasks=tasks, seed=seed)), "DEMO", "", mouse)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 8080,
    store: Store = None,
    demo: Annotated[int, typer.Option(min=0, help="Fill an empty store with so many external tasks.")] = 0,
    seed: Seed = 1,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse retries-async with an unknown task id (404).")
    ] = False,
) -> None:
    """Serve the contract at http://HOST:PORT/engine-rest, for real external-task workers and other consoles."""
    from store.server import ServerProblem
    from store.server import serve as run

    try:
        run(store or str(default_store()), host, port, demo_tasks=demo, demo_seed=seed, strict=strict)
    except ServerProblem as problem:
        raise _fail(str(problem)) from None


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


def _open(target: "Target", environment: str, url: str, mouse: bool | None) -> None:
    from console.app import RetriageApp
    from console.screens.session import Identity

    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise _fail("the console needs a terminal; `retriage serve` does not.")
    identity = Identity(environment=environment.upper(), url=url, user=os.environ.get("USER", ""))
    console_app = RetriageApp(_connector(target), identity)
    console_app.run(mouse="SSH_CONNECTION" not in os.environ if mouse is None else mouse)


def _connector(target: "Target") -> "Callable[[], AbstractAsyncContextManager[EngineClient]]":
    """Opens the engine when the console asks for it, not before its first frame."""

    def connector() -> "AbstractAsyncContextManager[EngineClient]":
        from console.engine.connect import connect

        return connect(target)

    return connector
