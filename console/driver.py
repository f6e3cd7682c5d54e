"""The terminal driver: Textual's own, but a byte that is no UTF-8 does not end the console.

Old-style mouse reports past column 95 hold bytes above 0x7F (they arrive after reattaching tmux, also with the mouse
off), and Textual's reader would die of them. Input that ends, because the terminal has gone, ends the console.
"""

import os
import selectors
from codecs import getincrementaldecoder
from contextlib import suppress

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

READ_SIZE = 4096
LOOK_EVERY = 0.1
"""Seconds between two looks at whether the driver was told to stop, and at an escape that nothing followed."""


class SteadyDriver(LinuxDriver):
    """Reads keys, whatever else may come between them."""

    def run_input_thread(self) -> None:
        """Read until told to stop; undecodable bytes become the replacement character, which is bound to nothing."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(LOOK_EVERY) and not self._feed(parser, decode(self._read())):
                    self._terminal_gone()
                    return
                for event in parser.tick():
                    self.process_message(event)
        with suppress(EOFError, ParseError):
            list(parser.feed(""))

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, READ_SIZE)
        except OSError:
            return b""

    def _feed(self, parser: XTermParser, text: str) -> bool:
        for event in parser.feed(text) if text else ():
            self.process_message(event)
        return bool(text)

    def _terminal_gone(self) -> None:
        self._app.call_later(self._app.exit)
