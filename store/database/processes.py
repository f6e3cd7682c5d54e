"""Processes of this machine, and what one leaves behind in a store that bears its name."""

import os
import socket
import uuid

PROCESS = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:12]}"
"""Names this process: machine, number, and what tells it from an earlier one with the same number."""


def is_gone(pid: int) -> bool:
    """Whether no process of this machine has that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def owner_is_gone(owner: str) -> bool:
    """Whether the process of this machine that an owner's name begins with has ended. Of another machine's it is not
    known.
    """
    if owner.startswith(PROCESS):
        return False
    host, _, rest = owner.partition("/")
    pid, _, rest = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit() or not rest:
        return False
    return int(pid) == os.getpid() or is_gone(int(pid))
