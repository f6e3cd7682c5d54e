"""A run that the operator has decided on: what is read, frozen and written down next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.console.operations.operation import FrozenUnits
    from retriage.console.operations.preview import Kind
    from retriage.console.reading.selection import Instances, Selection
    from retriage.console.runs.run import RunOrder
    from retriage.store.contract.records import ExternalTask


@dataclass(frozen=True)
class DecidedRun:
    """What was shown and confirmed.

    Attributes:
        order: waves, gate, watch time, pace, retries, reason.
        selection: whose tasks.
        included: kinds of tasks that are taken in by hand.
        shown: how many tasks the operator was told of: with more it does not begin.
        ids: the tasks that were shown, where they were read: no other is taken.
        frozen: the units that were shown, where these themselves are taken and none is read again before its wave.
        other: the other part of a run of two parts, which begins with this one or not at all; its units are frozen.
    """

    order: RunOrder
    selection: Selection | Instances
    included: frozenset[Kind]
    shown: int
    ids: frozenset[str] | None = None
    frozen: FrozenUnits | None = None
    other: DecidedRun | None = None

    def wants(self, task: ExternalTask) -> bool:
        """Whether a task was among those that were shown."""
        return self.ids is None or task.id in self.ids

    def why_not(self, found: int) -> str:
        """One sentence if it must not begin with so many tasks; empty if it may."""
        if not found:
            return "Not begun: none of these tasks can still be retried."
        if found > self.shown:
            shown = things(self.shown, "task was", "tasks were")
            return f"Not begun: {shown} shown, but {found:,} match now. Look again."
        return ""
