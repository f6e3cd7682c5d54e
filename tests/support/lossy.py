"""A connection on which an answer gets lost: bytes go both ways, but for one answer."""

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Lossy:
    """Listens on a free port of this machine and passes on what comes, until a request asks for what is to be lost.

    Its answer is waited for, so that the server has carried it out; then the connection is closed without a word.
    Every other request is answered, also the same one sent again.

    Args:
        server: host and port that is passed on to.
        lose: the first bytes of the request whose answer is lost.
    """

    def __init__(self, server: tuple[str, int], lose: bytes) -> None:
        self._server = server
        self._lose = lose
        self.asked = 0
        """How often that request came."""
        self.lost = threading.Event()
        """The answer has come from the server, and is lost."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> "Lossy":
        self._begin(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listening, *self._open):
            _close(one)

    def _begin(self, what: object, *with_: object) -> None:
        threading.Thread(target=what, args=with_, daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._server)
                self._open += [near, far]
                doomed = threading.Event()
                self._begin(self._ask, near, far, doomed)
                self._begin(self._answer, far, near, doomed)

    def _ask(self, near: socket.socket, far: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while asked := near.recv(65536):
                if asked.startswith(self._lose):
                    self.asked += 1
                    if self.asked == 1:
                        doomed.set()
                far.sendall(asked)
        _close(far)

    def _answer(self, far: socket.socket, near: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while answered := far.recv(65536):
                if doomed.is_set():
                    self.lost.set()
                    break
                near.sendall(answered)
        _close(near)
        _close(far)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
