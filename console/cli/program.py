"""The program that all commands belong to, and the options that more than one of them has."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

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
    """The value of an option. One that was not given has none: Typer would build a validator to find that out, for each
    option of the console before its first frame."""
    if value is None and param.callback is None and not param.required:
        return None
    return TyperOption.process_value(param, context, value)


app = typer.Typer(
    name="retriage",
    cls=PlainFlags,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find failed external tasks, retry them as a batch, watch what becomes of them.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
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
