"""How far work is that an operator waits for, such as bringing a large store up to date."""

import logging
from collections.abc import Callable
from contextvars import ContextVar

log = logging.getLogger(__name__)


def _to_log(sentence: str) -> None:
    log.warning("%s", sentence)


TELL: ContextVar[Callable[[str], None]] = ContextVar("tell", default=_to_log)
"""Takes one sentence, from any thread. A server and commands log it; a console sets its own."""
