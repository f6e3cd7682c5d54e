"""``retriage`` as a program whose clock is :data:`AHEAD` seconds ahead: the store's own, and the one of HTTP's Date.

libfaketime cannot do it: under version 0.9.10 timed waits of Python's threads fail, and the JVM does not start.
"""

import os
import time
from datetime import datetime, timedelta, tzinfo
from typing import Self

from retriage.store.database import clock

AHEAD = "RETRIAGE_TEST_AHEAD"
"""Environment variable with seconds; negative is behind."""


class Turned(datetime):
    """A clock that is ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """This moment by that clock."""
        return super().now(tz) + timedelta(seconds=int(os.environ[AHEAD]))


def main() -> None:
    """Run a command with the clock turned."""
    seconds, real = int(os.environ[AHEAD]), time.time
    time.time = lambda: real() + seconds
    clock.datetime = Turned  # type: ignore[attr-defined]
    from retriage.console.cli import main as retriage

    retriage()


if __name__ == "__main__":
    main()
