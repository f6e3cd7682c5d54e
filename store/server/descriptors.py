"""File descriptors: as many as the system gives, and some kept for files."""

import logging

log = logging.getLogger(__name__)

WANTED = 65_536
"""More than that is not asked for."""

KEPT = 128
"""For the database, the log, and connections that are being refused."""


def raise_limit(connections: int) -> int:
    """Raise the process's limit of descriptors; answers how many connections there may be under it.

    Args:
        connections: how many are wanted.
    """
    try:
        import resource
    except ImportError:  # not on Windows, whose limit is another
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError):
            log.debug("the limit of descriptors stays at %d", soft)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, soft - KEPT if soft > 2 * KEPT else soft // 2))
