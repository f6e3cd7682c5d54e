"""A guided walk through the demo: what to press next and why, in six steps over the real screens, and five more about
a cause that no retry helps. Pure.

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
        narrowed: the tasks of :data:`BAD_VALUE` are listed.
        retried: a run over them is shown that gives retries alone.
        refused: that run is held, or over.
        fixed: a run over them is shown that sets a variable first.
        repaired: its first wave has passed, or it is over.
        filling: the world is still being written.
    """

    on_causes: bool = False
    asking: bool = False
    launched: bool = False
    judged: bool = False
    at_once: bool = False
    undone: bool = False
    narrowed: bool = False
    retried: bool = False
    refused: bool = False
    fixed: bool = False
    repaired: bool = False
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


BAD_VALUE = "negative"
"""What the error of the second part says: a variable of the instances is wrong."""

LAUNCH = 2
"""The step that launches, counted from 0."""

FILLING = TourStep("", "The night is being written: its causes soon appear below.", lambda seen: not seen.filling)
END = TourStep("", "Found, judged, undone, repaired. ? has every key, q leaves.", lambda _: False)
STEPS = (
    TourStep("tab", "to tonight's causes: the first of them is the largest.", lambda seen: seen.on_causes),
    TourStep("home  R", "What would a retry of the largest do? Nothing is sent yet.", lambda seen: seen.asking),
    TourStep("W  L", "in waves, and launch: a few go first, a gate judges them.", lambda seen: seen.launched),
    TourStep("", "Watch: if the first wave fails again, the gate holds the rest.", lambda seen: seen.judged),
    TourStep("1  R  3  L", "all at once, past the gate: something to undo.", lambda seen: seen.at_once),
    TourStep("6  Z  L", "undo it, once its batch has ended; . doubles its pace.", lambda seen: seen.undone),
)
REPAIR = (
    TourStep(
        f"1  ;  1  /  retries:0 {BAD_VALUE}  enter", "More: bad data. Or q leaves.",
        lambda seen: seen.narrowed or seen.retried or seen.fixed,
    ),
    TourStep("A  R  W  L", "ten of them first: can a retry help these?", lambda seen: seen.retried or seen.fixed),
    TourStep("", "Watch: their worker refuses all ten, the gate holds the rest.",
             lambda seen: seen.refused or seen.fixed),
    TourStep("1  A  C  amount=130  enter  L", "change the variable, ten first.", lambda seen: seen.fixed),
    TourStep("", "Watch: these ten pass, so the gate lets the rest go.", lambda seen: seen.repaired),
)  # fmt: skip
"""The second part: whoever has enough leaves before it."""
WALK = STEPS + REPAIR


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
        return WALK[self._at] if self._at < len(WALK) else END

    @property
    def place(self) -> str:
        """Which step it is, ``2/6``, of the second part ``+2/5``; empty before the first one and after the last."""
        if self._filling or self._at >= len(WALK):
            return ""
        number, more = self._at + 1, self._at + 1 - len(STEPS)
        return f"{number}/{len(STEPS)}" if more <= 0 else f"+{more}/{len(REPAIR)}"

    def heed(self, seen: Seen) -> bool:
        """Go on over every step that is done; answers whether another one comes next now."""
        before = self.step
        self._filling = seen.filling
        while not self._filling and self._at < len(WALK) and self._done(seen):
            self._at += 1
        return self.step is not before

    def _done(self, seen: Seen) -> bool:
        """What the step leads to is so, or one is past it already: something was launched in another way."""
        return WALK[self._at].done(seen) or (self._at < LAUNCH and seen.launched)
