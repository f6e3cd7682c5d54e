"""What the operator types about the waves of a run, field by field, and the order that it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from console.runs.gate import Gate
from console.runs.rules_text import pace_of, pace_text, seconds_of, seconds_text, share_of, share_text
from console.runs.run import WATCH, RunOrder
from console.runs.waves import waves_of


@dataclass(frozen=True)
class RunForm:
    """The fields as they are typed.

    Attributes:
        waves: their sizes.
        gate: share of a wave that may fail again.
        new_cause: a failure with a new error holds by itself.
        watch: for how long a wave is watched.
        pace: most tasks in a time; empty sends a wave at once.
    """

    waves: str = ""
    gate: str = share_text(Gate().limit)
    new_cause: bool = False
    watch: str = seconds_text(WATCH)
    pace: str = ""

    def order(self, title: str, retries: int, reason: str = "") -> RunOrder:
        """The order that is meant.

        Args:
            title: what was chosen, in words.
            retries: the value to set.
            reason: why; may be empty.

        Raises:
            WaveMistake: the sizes are no list of waves.
            RuleMistake: another field cannot be read.
        """
        return RunOrder(
            title,
            retries,
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
