"""Why a run does not go on by itself, where that is not its gate."""

from dataclasses import dataclass

UNANSWERED = "unanswered"
"""A launch was sent, and no answer shows what became of it."""
OTHER_ENGINE = "other-engine"
OTHER_BATCHES = "other-batches"
"""Somebody else may be setting the same tasks: going on from there accepts their batches."""
NOT_SET = "not-set"
"""Instances of a wave do not show what was set before retries are given: going on from there sets it once more."""


@dataclass(eq=False)
class RunHold(Exception):
    """The run does not go on by itself: why, in a word and in a sentence, and at which wave."""

    cause: str
    said: str
    wave: int | None = None
