"""Whether this console may change its engine now.

An engine that people depend on is looked at safely: orders are off until the operator takes the safety off, and go off
again by themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retriage.console.session.connection_identity import ConnectionIdentity

ARMED_SECONDS = 600.0
"""How long the safety stays off."""

RELAXED = frozenset({"DEMO", "DEV", "TEST", "LOCAL"})
"""Environments without a safety. Any other word counts as production, and so does no word at all."""

_CONSENTED: ContextVar[Safety | None] = ContextVar("consented", default=None)
"""The safety that does not stop what is ordered in this task: the operator has consented to it beforehand."""

READ_ONLY = "This connection is read-only: nothing can be changed from here."


class Safety:
    """The safety of one engine.

    Args:
        environment: the word in capitals.
        readonly: nothing may ever be changed.
        clock: seconds that only go forward.
        simulated: it is a copy that is thrown away, whatever its word.
    """

    def __init__(
        self,
        environment: str,
        readonly: bool = False,
        clock: Callable[[], float] = lambda: time.monotonic(),
        *,
        simulated: bool = False,
    ) -> None:
        self.environment = environment
        self.readonly = readonly
        self._simulated = simulated
        self._clock = clock
        self._until: float | None = None

    @property
    def guarded(self) -> bool:
        """Orders want the safety taken off first, a reason, and the typed number."""
        return not self._simulated and self.environment not in RELAXED

    @property
    def armed(self) -> bool:
        """The safety is off for the moment."""
        return not self.readonly and self.left > 0

    @property
    def left(self) -> float:
        """Seconds until the safety is on again; 0 when it is on."""
        return max(self._until - self._clock(), 0.0) if self._until is not None else 0.0

    @property
    def ran_out(self) -> bool:
        """The ten minutes are over, and nobody has been told yet."""
        return self._until is not None and not self.left

    def arm(self) -> bool:
        """Take the safety off for ten minutes; answers whether that may be done here."""
        if self.readonly or not self.guarded:
            return False
        self._until = self._clock() + ARMED_SECONDS
        return True

    def lock(self) -> bool:
        """Put the safety back; answers whether it was off."""
        was, self._until = self._until is not None, None
        return was

    @contextmanager
    def consented(self) -> Iterator[None]:
        """What is ordered inside, in this task alone, was consented to beforehand, however long ago: the waves of a run
        go on when the ten minutes are over. No key gets anything from it."""
        before = _CONSENTED.set(self)
        try:
            yield
        finally:
            _CONSENTED.reset(before)

    def why_not(self) -> str:
        """One sentence if nothing may be changed now; empty if it may."""
        if self.readonly:
            return READ_ONLY
        if self.guarded and not self.armed and _CONSENTED.get() is not self:
            return f"SAFE: this is {self.environment}. ! takes the safety off for ten minutes."
        return ""


def safety_of(identity: ConnectionIdentity) -> Safety:
    """The safety of a connection that was just made: it is on, wherever there is one."""
    return Safety(identity.environment, identity.readonly, simulated=bool(identity.snapshot_of))
