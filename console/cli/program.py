"""The program that all commands belong to, and the options that more than one of them has."""

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

from retriage.console.text.inert import inert

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter


class PlainFlags(TyperGroup):
    """Commands whose flags are shown as flags, without a type: they take no value."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """The options of the program itself."""
        return [_plain(param) for param in super().get_params(ctx)]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """A command by its name."""
        command = super().get_command(ctx, cmd_name)
        for param in command.get_params(ctx) if command is not None else ():
            _plain(param)
        return command


def _plain(param: "Parameter") -> "Parameter":
    if isinstance(param, TyperOption):
        if param.is_flag:
            param.metavar = ""
        if "process_value" not in vars(param):
            param.process_value = partial(_value_of, param)  # type: ignore[method-assign]
    return param


def _value_of(param: TyperOption, context: "Context", value: Any) -> Any:
    """The value of an option. Typer would import pydantic and build a validator for it, which the first frame of the
    console would wait for; but where nothing was given there is no value, and a text is a text."""
    plain = value is None or (isinstance(value, str) and param.type_descriptor.annotation is str)
    if param.required or not plain:
        return TyperOption.process_value(param, context, value)
    return value if param.callback is None else param.callback(context, param, value)


app = typer.Typer(pretty_exceptions_enable=False)
"""All commands are registered here; :mod:`retriage.console.cli` offers them beside the console itself."""

Seed = Annotated[int, typer.Option(help="Seed of the demo world; the same seed makes the same world.")]
Store = Annotated[
    str | None,
    typer.Option(help="Path of an SQLite file or an SQLAlchemy URL. Default: the store in the data folder."),
]


def say(sentence: str) -> None:
    """Write a sentence to stderr, inert: part of it may come from an engine or a file. A closed stderr is ignored."""
    with suppress(OSError):
        typer.echo(inert(sentence), err=True)


def say_over(sentence: str) -> None:
    """Write over the line of the terminal that stderr is at."""
    with suppress(OSError):
        typer.echo(f"\r{inert(sentence)}", nl=False, err=True)


def ring() -> None:
    """Ring the bell of the terminal, if stderr is one."""
    if sys.stderr.isatty():
        typer.echo("\a", nl=False, err=True)


def fail(sentence: str, code: int = 2) -> typer.Exit:
    """Write a sentence to stderr; return what is to be raised to end with this exit code."""
    say(f"retriage: {sentence}")
    return typer.Exit(code)
