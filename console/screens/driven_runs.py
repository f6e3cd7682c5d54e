"""The runs that the application drives, as its screens come to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from textual.app import App

    from console.runs.driven_runs import DrivenRuns


class DrivesRuns(Protocol):
    """An application that drives runs."""

    @property
    def runs(self) -> DrivenRuns:
        """Those that it drives."""
        ...


def driven_runs_of(app: App[Any]) -> DrivenRuns:
    """The runs of the application that a screen belongs to."""
    return cast("DrivesRuns", app).runs
