"""The commands. They read what was typed, say one sentence when it does not fit, and call.

Importing them costs next to nothing: what a command needs it imports itself. Who opens the console itself waits for
none of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from retriage.console.cli import screen
from retriage.console.cli.program import PlainFlags

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from typer._click.core import Command

__all__ = ["app", "main"]


class Program(PlainFlags):
    """The console, and its commands: they are imported as soon as one of them, or their list, is asked for."""

    _commands: MutableMapping[str, Command]

    @property
    def commands(self) -> MutableMapping[str, Command]:
        """The commands by their names."""
        if not self._commands:
            from retriage.console.cli.commands import by_name  # 16 ms

            self._commands = by_name()
        return self._commands

    @commands.setter
    def commands(self, commands: MutableMapping[str, Command]) -> None:
        self._commands = commands

    def _main_shell_completion(
        self, ctx_args: MutableMapping[str, Any], prog_name: str, complete_var: str | None = None
    ) -> None:
        """A shell asks what a word may become, as its environment shows."""
        if os.environ.get(complete_var or "_RETRIAGE_COMPLETE"):
            from retriage.console.cli.completion import complete_values  # 12 ms

            complete_values(self)
        super()._main_shell_completion(ctx_args, prog_name, complete_var)


app = typer.Typer(
    name="retriage",
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find failed external tasks, retry them as a batch, watch what becomes of them.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)
app.callback(invoke_without_command=True)(screen.console)


def main() -> None:
    """The entry point of the ``retriage`` command."""
    app(prog_name="retriage")
