"""A log that counts what it has said already."""

import logging

import pytest

from retriage.store.server.repeated_lines import KINDS, SAID, WINDOW, RepeatedLines


class Listening(logging.Handler):
    """Keeps what is written."""

    def __init__(self, lines: RepeatedLines) -> None:
        super().__init__()
        self.addFilter(lines)
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.written.append(record.getMessage())


@pytest.fixture
def log() -> logging.Logger:
    found = logging.getLogger("tests.repeated")
    found.handlers.clear()
    found.propagate = False
    return found


def test_a_storm_is_counted_and_other_lines_are_written(log: logging.Logger) -> None:
    now = 0.0
    lines = RepeatedLines(lambda: now)
    log.addHandler(listening := Listening(lines))
    for number in range(10_000):
        log.warning("trouble %d\nwith a second line", number)
    log.warning("something else")
    assert listening.written == [f"trouble {number}\nwith a second line" for number in range(SAID)] + ["something else"]
    lines.tell()
    assert len(listening.written) == SAID + 1, "not before its window ends"
    now = WINDOW
    lines.tell()
    assert listening.written[-1] == f"{10_000 - SAID} more lines like this in 60 s: trouble %d"
    log.warning("trouble %d", 7)
    assert listening.written[-1] == "trouble 7"
    lines.tell(at_end=True)
    assert len(listening.written) == SAID + 3


def test_kinds_without_end_take_no_memory(log: logging.Logger) -> None:
    lines = RepeatedLines()
    log.addHandler(listening := Listening(lines))
    for number in range(10 * KINDS):
        log.warning(f"trouble {number}")
    assert len(listening.written) == KINDS + SAID
    assert len(lines._counts) == KINDS + 1
