"""A guided walk through the demo: what to press next and why, in six steps over the real screens. Pure.

Nothing is locked meanwhile: any key still works, and a step is done as soon as what it leads to is so, however one came
there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

OUTAGE = 120.0
"""Seconds that the outage of a guided demo goes on: long enough to see that retries do not help, then it is over."""


@dataclass(frozen=True)
class Seen:
    """What the console shows and has done, as far as the steps ask for it.

    Attributes:
        on_causes: the causes of tonight are in hand: their pane has the focus, or their view is open.
        asking: the launch page is open.
        launched: something was launched from here, in waves or at once.
        judged: a gate holds a run or has let it through, or it is known whether a launch helps.
        at_once: something was launched without waves.
        undone: an undo was ordered.
        filling: the world is still being written.
    """

    on_causes: bool = False
    asking: bool = False
    launched: bool = False
    judged: bool = False
    at_once: bool = False
    undone: bool = False
    filling: bool = False


class TourStep(NamedTuple):
    """One step.

    Attributes:
        keys: what to press, as it stands on the keyboard; empty where one only has to look.
        why: what that does, in few words.
        done: it is so.
    """

    keys: str
    why: str
    done: Callable[[Seen], bool]


LAUNCH = 2
"""The step that launches, counted from 0."""

FILLING = TourStep("", "The night is being written: its causes soon appear below.", lambda seen: not seen.filling)
END = TourStep("", "Found, tried, judged, undone. ? has every key, q leaves.", lambda _: False)
STEPS = (
    TourStep("tab", "to tonight's causes: the first of them is the largest cause.", lambda seen: seen.on_causes),
    TourStep("R", "What would a retry of it do? Nothing is sent by this key.", lambda seen: seen.asking),
    TourStep("W  L", "in waves, and launch: a few go first, a gate judges them.", lambda seen: seen.launched),
    TourStep("", "Watch: if the first wave fails again, the gate holds the rest.", lambda seen: seen.judged),
    TourStep("1  R  3  L", "all at once, past the gate: something to undo.", lambda seen: seen.at_once),
    TourStep("6  Z", "undo it, once its batch has ended; . doubles its pace.", lambda seen: seen.undone),
)


class Tour:
    """Where one is on the walk."""

    def __init__(self) -> None:
        self._at = 0
        self._filling = True

    @property
    def step(self) -> TourStep:
        """What comes next."""
        if self._filling:
            return FILLING
        return STEPS[self._at] if self._at < len(STEPS) else END

    @property
    def place(self) -> str:
        """Which step it is, ``2/6``; empty before the first one and after the last."""
        return "" if self._filling or self._at >= len(STEPS) else f"{self._at + 1}/{len(STEPS)}"

    def heed(self, seen: Seen) -> bool:
        """Go on over every step that is done; answers whether another one comes next now."""
        before = self.step
        self._filling = seen.filling
        while not self._filling and self._at < len(STEPS) and self._done(seen):
            self._at += 1
        return self.step is not before

    def _done(self, seen: Seen) -> bool:
        """What the step leads to is so, or one is past it already: something was launched in another way."""
        return STEPS[self._at].done(seen) or (self._at < LAUNCH and seen.launched)
