"""A launch that the operator has decided on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retriage.console.launch.plan import LaunchPlan
    from retriage.console.launch.plan_by_ids import PlanByIds


@dataclass(frozen=True)
class RunPart:
    """The place of a launch in a run: the run, its wave, and who drives it."""

    run_id: int
    wave: int
    driver: str


@dataclass(frozen=True)
class DecidedLaunch:
    """A plan that the operator has decided to launch.

    Attributes:
        plan: what is sent.
        reason: why; may be empty.
        undoes: the launch of the journal that this one sets back.
        overlaps: ids of other batches over the same tasks that the operator was shown; ``None`` where none are looked
            for. One that is not among them when the launch is sent stops it.
        part: its place in a run. It is sent only where that is written down, and only by whoever drives the run.
        undoes_run: the run of the journal that this one sets back.
    """

    plan: LaunchPlan | PlanByIds
    reason: str = ""
    undoes: int | None = None
    overlaps: frozenset[str] | None = None
    part: RunPart | None = None
    undoes_run: int | None = None
