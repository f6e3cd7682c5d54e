"""Times of two engines on one machine: two times are alike when both fell between the same two steps."""

import asyncio
import time
from bisect import bisect_right
from datetime import UTC, datetime, timedelta

HOUR = 3_600_000
LATER = (0, HOUR, 10 * HOUR, 24 * HOUR, 30 * 24 * HOUR)
"""How long after its making, in milliseconds, a time may lie: the locks that workers take, a batch's next look, the
end of what is kept of an ended instance."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Clock:
    """The moments between the steps of a world, in milliseconds since 1970."""

    def __init__(self) -> None:
        self.moments = [_now()]

    async def start(self) -> None:
        """The world begins: whatever was before lies before its first moment."""
        await self.tick()
        self.moments = self.moments[-1:]

    async def tick(self) -> None:
        """A step has ended. What it made lies strictly before this moment, also what expires a millisecond later."""
        await _after(_now() + 4)
        self.moments.append(_now())
        await _after(self.moments[-1])

    def name(self, text: str) -> str:
        """The common name of a time: the step it fell into, and how much later it lies. Others are named in UTC."""
        when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
        at = (when - _EPOCH) // _MILLISECOND
        for later in LATER:
            if self.moments[0] <= at - later <= _now():
                return f"<during step {bisect_right(self.moments, at - later)}{f' +{later} ms' if later else ''}>"
        return when.astimezone(UTC).isoformat()

    def moment(self, step: int, later: int) -> int:
        """So many milliseconds after the end of a step; steps are counted round."""
        return self.moments[step % len(self.moments)] + later


def write(milliseconds: int) -> str:
    """A time in the contract's form."""
    when = _EPOCH + milliseconds * _MILLISECOND
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"


async def _after(moment: int) -> None:
    """Wait until the clock that the engines read shows a later time. Nothing rings when it moves."""
    while (left := moment - _now()) >= 0:  # noqa: ASYNC110
        await asyncio.sleep((left + 1) / 1000)


def _now() -> int:
    return time.time_ns() // 1_000_000
