"""The commands. They read what was typed, say one sentence when it does not fit, and call.

Importing them costs next to nothing: what a command needs it imports itself.
"""

from console.cli import embedded, screen
from console.cli.program import app

__all__ = ["app", "embedded", "main", "screen"]


def main() -> None:
    """The entry point of the ``retriage`` command."""
    app()
