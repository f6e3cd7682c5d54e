"""Servers as child processes: a free port, a start that waits for an answer, an orderly stop."""

import random
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx


class NotUp(RuntimeError):
    """The server ended, or did not answer in time. The text ends with the last lines of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on now, below those that systems give to connections by themselves:
    one of these could be taken by any client before the server has it."""
    for port in random.SystemRandom().sample(range(15_000, 30_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port of 127.0.0.1 is free")


@contextmanager
def serving(command: Sequence[str], answer: str, log: Path, within: float) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``command`` until the block ends; enter, with its process, once ``answer`` (a URL) gives 200.

    ``within`` is the longest wait in seconds. Raises :class:`NotUp`.
    """
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            _wait(process, answer, log, within)
            yield process
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", answer: str, log: Path, within: float) -> None:
    deadline = time.monotonic() + within
    with httpx.Client(timeout=5.0, verify=False, trust_env=False) as http:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if http.get(answer).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    state = f"ended with {process.returncode}" if process.returncode is not None else f"gave no answer at {answer}"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
    raise NotUp(f"{process.args!r} {state}\n{tail}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
