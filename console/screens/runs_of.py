"""The runs that the application drives, as its screens come to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from textual.app import App

    from retriage.console.runs.service import RunService


class DrivesRuns(Protocol):
    """An application that drives runs."""

    @property
    def runs(self) -> RunService:
        """Those that it drives."""
        ...


def runs_of(app: App[Any]) -> RunService:
    """The runs of the application that a screen belongs to."""
    return cast("DrivesRuns", app).runs
