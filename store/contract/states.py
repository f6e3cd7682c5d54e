"""The states in which things are, and the kinds of entries of a log, as the rows of the store keep them."""

from enum import IntEnum

ACTIVE = "ACTIVE"
SUSPENDED = "SUSPENDED"
COMPLETED = "COMPLETED"
EXTERNALLY_TERMINATED = "EXTERNALLY_TERMINATED"
INTERNALLY_TERMINATED = "INTERNALLY_TERMINATED"
"""States of a process instance; it runs in the first two."""

OPEN = "open"
RESOLVED = "resolved"
DELETED = "deleted"
"""States of an incident."""


class LogState(IntEnum):
    """What happened to a job or an external task."""

    CREATED = 0
    FAILED = 1
    SUCCESSFUL = 2
    DELETED = 3
