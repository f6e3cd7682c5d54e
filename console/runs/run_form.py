"""What the operator types about the waves of a run, field by field, and the order that it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from retriage.console.operations.operation import Operation
from retriage.console.operations.retry import GivesRetries
from retriage.console.runs.gate import Gate
from retriage.console.runs.rules_text import (
    RuleMistake,
    pace_of,
    pace_text,
    seconds_of,
    seconds_text,
    share_of,
    share_text,
    skips_of,
)
from retriage.console.runs.run import WATCH, RunOrder
from retriage.console.runs.waves import waves_of
from retriage.store.contract.values import INT_MAX


@dataclass(frozen=True)
class RunForm:
    """The fields as they are typed.

    Attributes:
        waves: their sizes.
        gate: share of a wave that may fail again.
        new_cause: a failure with a new error holds by itself.
        watch: for how long a wave is watched.
        pace: most tasks in a time; empty sends a wave at once.
        skip: what the engine is to skip.
        retries: how many each unit gets; ``None`` leaves those of the operation.
    """

    waves: str = ""
    gate: str = share_text(Gate().limit)
    new_cause: bool = False
    watch: str = seconds_text(WATCH)
    pace: str = ""
    skip: str = ""
    retries: str | None = None

    def order(self, title: str, operation: Operation, reason: str = "") -> RunOrder:
        """The order that is meant.

        Args:
            title: what was chosen, in words.
            operation: what is done.
            reason: why; may be empty.

        Raises:
            WaveMistake: the sizes are no list of waves.
            RuleMistake: another field cannot be read.
        """
        if self.retries is not None and isinstance(operation, GivesRetries):
            operation = operation.with_retries(_retries_of(self.retries))
        return RunOrder(
            title,
            operation.because(reason.strip(), skips_of(self.skip, operation.skips)),
            waves_of(self.waves),
            Gate(share_of(self.gate), self.new_cause),
            seconds_of(self.watch),
            pace_of(self.pace) if self.pace.strip() else None,
            reason.strip(),
        )


def form_of(order: RunOrder, waves: str) -> RunForm:
    """The fields that mean the rules of an order, with these waves."""
    return RunForm(
        waves, share_text(order.gate.limit), order.gate.new_cause, seconds_text(order.watch), pace_text(order.pace)
    )


def _retries_of(text: str) -> int:
    """A number of retries, 1 or more.

    Raises:
        RuleMistake: it is none.
    """
    if not text.isdecimal() or not 1 <= int(text) <= INT_MAX:
        raise RuleMistake(f"{text or 'Nothing'} is no number of retries: each gets 1 retry or more.")
    return int(text)
