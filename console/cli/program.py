"""The program that all commands belong to, and the options that more than one of them has."""

from typing import Annotated

import typer

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


def fail(sentence: str, code: int = 2) -> typer.Exit:
    """Say a sentence on stderr; answers what is to be raised to end with this exit code."""
    typer.echo(f"retriage: {sentence}", err=True)
    return typer.Exit(code)
