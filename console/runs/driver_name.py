"""Who drives a run: a name that tells one console from every other, and whether that one still lives."""

from __future__ import annotations

import os
import socket
from uuid import uuid4

BACKGROUND = "background-"


def driver_name(background: bool = False) -> str:
    """A name for a driver in this process, which may be one that stays when its terminal is closed."""
    return f"{socket.gethostname()}:{os.getpid()}:{BACKGROUND if background else ''}{uuid4().hex[:8]}"


def who_drives(driver: str) -> str:
    """A driver in words: of what kind it is, on which machine, and the number of its process."""
    where, _, rest = driver.rpartition(":")
    return f"{'a process in the background' if rest.startswith(BACKGROUND) else 'another console'}: {where}"


def is_dead(driver: str) -> bool:
    """The process of a driver has ended, for certain: it was one of this machine, and is not there any more."""
    host, _, rest = driver.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
