"""The commands beside the console itself. Each of these modules registers its own ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.main import get_group

from retriage.console.cli import check, embedded, lists, metrics, run_files, runs, screen_commands, snapshots
from retriage.console.cli.program import app

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from typer._click.core import Command

__all__ = ["by_name", "check", "embedded", "lists", "metrics", "run_files", "runs", "screen_commands", "snapshots"]


def by_name() -> MutableMapping[str, Command]:
    """All of them."""
    return get_group(app).commands
