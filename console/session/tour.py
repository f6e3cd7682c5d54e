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
        launched: something was launched from here.
        in_waves: it is a run in waves.
        failed: what was launched does not help, or its gate holds it.
        undone: an undo was ordered.
        helped: what was launched helps.
        filling: the world is still being written.
    """

    on_causes: bool = False
    asking: bool = False
    launched: bool = False
    in_waves: bool = False
    failed: bool = False
    undone: bool = False
    helped: bool = False
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

FILLING = TourStep("", "The night is being written: soon its causes stand below.", lambda seen: not seen.filling)
END = TourStep("", "Found, tried, undone, done. ? has every key, q leaves.", lambda _: False)


def steps(*, waves: bool) -> tuple[TourStep, ...]:
    """The steps.

    Args:
        waves: the launch page can cut a launch into waves.
    """
    launch = TourStep("3  L", "three attempts each; launch: written down first, sent once.", _launched)
    watch = TourStep("", "Watch: did it help? The provider is away, most fail again.", _failed)
    if waves:
        launch = TourStep("W  L", "in waves, and launch: a few go first, a gate judges them.", _launched)
        watch = TourStep("", "Watch: the first wave fails again, the gate holds the others.", _failed)
    return (
        TourStep("tab", "to tonight's causes: the first of them is most of the fire.", lambda seen: seen.on_causes),
        TourStep("R", "What would a retry of it do? Nothing is sent by this key.", lambda seen: seen.asking),
        launch,
        watch,
        TourStep("6  Z", "the journal; undo, once the batch has ended: all is set back.", lambda seen: seen.undone),
        TourStep("1 tab R 3 L", "once more: the provider is back, now it helps.", lambda seen: seen.helped),
    )


def _launched(seen: Seen) -> bool:
    return seen.launched


def _failed(seen: Seen) -> bool:
    return seen.failed or seen.helped


class Tour:
    """Where one is on the walk.

    Args:
        waves: the launch page can cut a launch into waves.
    """

    def __init__(self, *, waves: bool) -> None:
        self.steps = steps(waves=waves)
        self._at = 0
        self._filling = True

    @property
    def step(self) -> TourStep:
        """What comes next."""
        if self._filling:
            return FILLING
        return self.steps[self._at] if self._at < len(self.steps) else END

    @property
    def place(self) -> str:
        """Which step it is, ``2/6``; empty before the first one and after the last."""
        if self._filling or self._at >= len(self.steps):
            return ""
        return f"{self._at + 1}/{len(self.steps)}"

    def heed(self, seen: Seen) -> bool:
        """Go on over every step that is done; answers whether another one comes next now."""
        before = self.step
        self._filling = seen.filling
        while not self._filling and self._at < len(self.steps) and self._done(seen):
            self._at += 1
        return self.step is not before

    def _done(self, seen: Seen) -> bool:
        """What the step leads to is so, or one is past it already: something was launched in another way."""
        return self.steps[self._at].done(seen) or (self._at < LAUNCH and seen.launched)
