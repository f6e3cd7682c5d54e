"""The commands. They read what was typed, say one sentence when it does not fit, and call.

Importing them costs next to nothing: what a command needs it imports itself.
"""

from console.cli import check, embedded, lists, run_files, runs, screen, snapshots
from console.cli.program import app

__all__ = ["app", "check", "embedded", "lists", "main", "run_files", "runs", "screen", "snapshots"]


def main() -> None:
    """The entry point of the ``retriage`` command."""
    app(prog_name="retriage")
