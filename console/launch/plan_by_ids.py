"""An operation over units named by their ids, as it is sent: a wave of a run, or the way back of an undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.operations.operation import Operation
from retriage.console.operations.set_variables import SetVariables


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
    """A request for each of some process instances, which get back what they had.

    Attributes:
        was: id -> what it had, as the run wrote it down.
        ours: what they were set to; one that shows anything else is left alone.
    """

    was: Mapping[str, str]
    ours: SetVariables
    by_ids = False
    """There is no request that could be split."""
