"""A log that counts what it has said already: a storm of the same trouble fills no disk."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SAID = 5
"""Lines of one kind that are written in one window."""

WINDOW = 60.0
"""Seconds."""

KINDS = 200
"""Kinds of lines that are told apart; whatever comes beyond is one more."""

_Kind = tuple[str, int, str]


@dataclass(slots=True)
class _Count:
    since: float
    said: int = 0
    kept_back: int = 0


class RepeatedLines(logging.Filter):
    """Lets the first lines of a kind through, and then counts them until the window ends.

    A kind is a logger, a level and the first line of a message before its values are put in.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[_Kind, _Count] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is to be written."""
        if getattr(record, "counted", False):
            return True
        kind = (record.name, record.levelno, str(record.msg).partition("\n")[0][:200])
        with self._lock:
            if kind not in self._counts and len(self._counts) >= KINDS:
                kind = ("", record.levelno, "lines of other kinds")
            count = self._counts.setdefault(kind, _Count(self._clock()))
            if count.said < SAID:
                count.said += 1
                return True
            count.kept_back += 1
            return False

    def tell(self, *, at_end: bool = False) -> None:
        """Say how many lines were kept back, of those kinds whose window is over; to be called now and then."""
        now = self._clock()
        with self._lock:
            over = [(kind, count) for kind, count in self._counts.items() if at_end or now - count.since >= WINDOW]
            for kind, _ in over:
                del self._counts[kind]
        for (name, level, message), count in over:
            if count.kept_back:
                told = {"counted": True}
                line = "%d more lines like this in %d s: %s"
                logging.getLogger(name).log(level, line, count.kept_back, now - count.since, message, extra=told)
