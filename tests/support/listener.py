"""A receiver of webhooks on loopback that keeps what it was sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Listener:
    """Listens while it is open.

    Args:
        answers: statuses of the first answers; 200 from then on.
    """

    def __init__(self, *answers: int) -> None:
        self.received: list[tuple[str, Any]] = []
        """Path and JSON of each request."""
        waiting = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.received.append((handler.path, json.loads(body)))
                handler.send_response(waiting.pop(0) if waiting else 200)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(self, *told: Any) -> None:
                """Nothing is written."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
