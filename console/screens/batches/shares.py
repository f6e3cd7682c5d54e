"""How the lines of the batch page are shared out among its parts. Pure."""

from __future__ import annotations

from typing import NamedTuple

NARROW_UPPER, UPPER, UPPER_BROAD = 8, 8, 10
EVENTS = 4
"""Lines of the events at least: the frame, and two of them."""
SINCE = 7
"""Lines of the chart and of the incidents at least; with fewer there are none."""
SINCE_MOST = 18
LISTS = 6
"""Lines of jobs and events at least, where they stand side by side."""
TALL = 34
"""Lines from which there is room for every state of the tasks."""


class Shares(NamedTuple):
    """Lines of each part, 0 for one that is not shown."""

    upper: int
    since: int
    jobs: int
    events: int


def share_lines(lines: int, *, narrow: bool, doctor: int, jobs: int, since: bool, beside: bool = False) -> Shares:
    """Share the lines out.

    Args:
        lines: lines there are, without the chrome.
        narrow: boxes stand above one another, and have no frame but a line above.
        doctor: lines that the doctor takes.
        jobs: rows of the list of jobs, 0 where there is none.
        since: there is something to be seen about how it went.
        beside: jobs and events stand side by side, and get the same lines.
    """
    frame = 1 if narrow else 2
    upper = NARROW_UPPER if narrow else UPPER if lines < TALL else UPPER_BROAD
    left = max(lines - upper - doctor, 0)
    if beside:
        listed = min(max(min(max(jobs + frame + 1, LISTS), left - SINCE), 1 + frame), left)
        drawn = min(left - listed, SINCE_MOST) if since and left - listed >= SINCE else 0
        return Shares(upper, drawn, left - drawn, left - drawn)
    least = 1 + frame - 1
    wanted = jobs + frame + 1 if jobs else 0
    few = min(wanted, frame + (4 if narrow else 3))
    if narrow or not since or left - few - EVENTS + 1 < SINCE:
        listed = min(wanted, max(left - EVENTS + narrow, few), max(left - least, 0))
        listed = listed if listed > frame else 0
        return Shares(upper, 0, listed, left - listed)
    listed = min(wanted, max(left - SINCE - EVENTS, few))
    rest = left - listed
    drawn = min(max(SINCE, (rest * 2) // 3), SINCE_MOST, rest - EVENTS + 1)
    return Shares(upper, drawn, listed, rest - drawn)
