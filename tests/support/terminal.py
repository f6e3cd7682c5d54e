"""A program in a pseudo terminal, its screen read as a person reads it."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte


class Terminal:
    """Runs a command on a screen of ``columns`` by ``rows``.

    Args:
        command: program and arguments.
        columns: width of the screen.
        rows: height of the screen.
        environment: variables added to this process's own.
    """

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unread = b""
        self.received = 0
        """Bytes that the program has written so far."""
        self.raw = b""
        """The last 64 kB that it has written."""
        self.status: int | None = None
        """Exit status, once it has ended; negative for a signal."""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            # Before the program begins: one that asks first would find a screen without a size.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            # A picture taken in the same process leaves a size in the environment, which would win over the terminal's.
            inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            variables = {**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            os.execvpe(command[0], list(command), variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            self.signal(signal.SIGKILL)
            self._reap(os.WNOHANG if self.status is not None else 0)
        os.close(self._fd)

    @property
    def lines(self) -> list[str]:
        """The screen as it is now, a text per row."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The screen as it is now."""
        return "\n".join(self.lines)

    def bold(self, text: str) -> bool:
        """A text stands on the screen, and its first letter is bold."""
        for number, line in enumerate(self._screen.display):
            at = line.find(text)
            if at >= 0 and self._screen.buffer[number][at].bold:
                return True
        return False

    def read(self, seconds: float) -> bool:
        """Take in what the program writes within so many seconds; false if that was nothing."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            self._reap(os.WNOHANG)
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        if not data:
            self._reap(0)
            return False
        self.received += len(data)
        self.raw = (self.raw + data)[-65536:]
        self._stream.feed(data)
        return True

    def press(self, *keys: str | bytes) -> None:
        """Send keys as a keyboard does, one after the other."""
        for key in keys:
            os.write(self._fd, key.encode() if isinstance(key, str) else key)
            self.read(0.02)

    def quiet(self, seconds: float = 0.4, patience: float = 30.0) -> None:
        """Read until nothing has come for so many seconds."""
        deadline = time.monotonic() + patience
        while self.read(seconds):
            assert time.monotonic() < deadline, f"the program goes on writing\n{self.text}"

    def read_for(self, seconds: float) -> None:
        """Take in what the program writes in so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def sent_by(self, key: str, seconds: float = 0.4) -> bytes:
        """What the program writes after a key, until it has nothing more to write for so many seconds."""
        before = self.received
        os.write(self._fd, key.encode())
        self.quiet(seconds)
        return self.raw[-(self.received - before) :] if self.received > before else b""

    def answer(self, key: str, patience: float = 10.0) -> float:
        """Seconds from a key to the first bytes of the answer. What was written before is read first: it would be taken
        for the answer."""
        while self.read(0):
            pass
        started = time.perf_counter()
        os.write(self._fd, key.encode())
        ready, _, _ = select.select([self._fd], [], [], patience)
        assert ready, f"no answer to {key!r}\n{self.text}"
        took = time.perf_counter() - started
        self.read(0)
        return took

    def type(self, text: str) -> None:
        """Send a text, a key at a time."""
        self.press(*text)

    def wait(self, condition: Callable[[], object], sentence: str, patience: float = 60.0) -> None:
        """Read until a condition holds.

        Raises:
            AssertionError: it did not within ``patience`` seconds, or the program ended; with the screen.
        """
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, f"{sentence}\n{self.text}"
            assert self.status is None, f"{sentence}: the program ended with {self.status}\n{self.text}"
            self.read(0.05)

    def wait_for(self, text: str, patience: float = 60.0) -> None:
        """Read until a text stands on the screen."""
        self.wait(lambda: text in self.text, f"“{text}” did not come", patience)

    def wait_for_end(self, patience: float = 30.0) -> int:
        """Read until the program has ended; its exit status."""
        deadline = time.monotonic() + patience
        while self.status is None:
            assert time.monotonic() < deadline, f"the program does not end\n{self.text}"
            self.read(0.05)
        return self.status

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        if self.status is None:
            os.kill(self._pid, number)

    def processor_seconds(self) -> float:
        """Processor time that the program itself has taken so far, as the kernel counts it (Linux alone tells)."""
        after_name = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(after_name[11]), int(after_name[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def peak_kilobytes(self) -> int:
        """The most memory that the program itself has held so far (Linux alone tells)."""
        told = Path(f"/proc/{self._pid}/status").read_text()
        return next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmHWM"))

    def _reap(self, flags: int) -> None:
        if self.status is None:
            pid, status = os.waitpid(self._pid, flags)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
