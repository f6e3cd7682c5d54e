"""An operation over units named by their ids, as it is sent: a wave of a run, or the way back of an undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.operations.operation import Operation
from retriage.console.operations.set_variables import Change, SetVariables, change_back
from retriage.console.operations.variable_values import Had, had_of


@dataclass(frozen=True)
class PlanByIds:
    """What is sent.

    Attributes:
        operation: what is done.
        before: ids of the units with the retries that they have now; ``None`` of a task that never failed, and of
            other units.
        said: which ones, in words.
    """

    operation: Operation
    before: Mapping[str, int | None]
    said: str
    by_ids: ClassVar[bool] = True
    """It names all of its units, as a launch may too."""

    @property
    def count(self) -> int:
        """How many units it names."""
        return len(self.before)

    @property
    def jobs(self) -> int:
        """Batch jobs that it makes of an engine that was not told otherwise: one for each."""
        return len(self.before)

    @cached_property
    def ids(self) -> list[str]:
        """The ids that the request names, ascending."""
        return sorted(self.before)

    @cached_property
    def prepared(self) -> BatchRequest:
        """The request with the bytes that are shown, written down and sent."""
        return self.operation.request(self.ids)

    def describe(self) -> str:
        """Which units, in words."""
        return self.said

    def only(self, ids: list[str], said: str) -> PlanByIds:
        """The same over some of its units."""
        return PlanByIds(self.operation, {id: self.before[id] for id in ids}, said)


@dataclass(frozen=True)
class PlanOneByOne(PlanByIds):
    """A request for each of some process instances, or of executions within them, which get back what they had; or
    for each of some executions that are set.

    Attributes:
        operation: is asked what they have now.
        was: id -> what it had before it was set, as the run wrote it down.
        ours: what they are, or were, set to.
    """

    operation: SetVariables
    was: Mapping[str, str]
    ours: SetVariables
    by_ids = False
    """There is no request that could be split."""

    @property
    def gives_back(self) -> bool:
        """They get back what they had."""
        return bool(self.operation.gives_back)

    def is_due(self, id: str, has: Had) -> bool:
        """It is as expected with what it has now; one that shows anything else is left alone."""
        return self.ours.are_in(has) if self.gives_back else has == had_of(self.was[id])

    def is_done(self, id: str, has: Had) -> bool:
        """It shows what its request is for."""
        return has == had_of(self.was[id]) if self.gives_back else self.ours.are_in(has)

    def change(self, id: str) -> Change:
        """What its request changes."""
        if self.gives_back:
            return change_back(self.was[id])
        return {one.name: one.wire for one in self.ours.values if one.name in had_of(self.was[id])}, []
