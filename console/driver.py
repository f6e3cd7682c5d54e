"""The terminal driver: Textual's own, but a byte that is no UTF-8 does not end the console, and little is sent.

Old-style mouse reports past column 95 hold bytes above 0x7F (they arrive after reattaching tmux, also with the mouse
off), and Textual's reader would die of them. Input that ends, because the terminal has gone, ends the console.
"""

import os
import re
import selectors
import sys
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import Any

from rich.color import ColorSystem
from textual import events
from textual.drivers.linux_driver import LinuxDriver

from retriage.console.terminal.capabilities import erases_on_ground
from retriage.console.terminal.glyphs import Glyphs, terminal_charset
from retriage.console.terminal.grid import Gridder
from retriage.console.terminal.outlet import Outlet
from retriage.console.terminal.shown_cells import ShownCells
from retriage.console.terminal.textual_private import (
    SYNC_END,
    SYNC_START,
    CompositorUpdate,
    ParseError,
    XTermParser,
    takes_synchronized_updates,
)

READ_SIZE = 4096
LOOK_EVERY = 0.1
"""Seconds between two looks at whether the driver was told to stop, and at an escape that nothing followed."""
LONG_UPDATE = 1500
"""Bytes from which on an update may be seen half done; the terminal is then asked to wait for its end."""

ESCAPE = "\x1b"
_ESCAPE_THEN_KEY = re.compile(r"\x1b(?=[^\x1b\x00-\x1f\x7f\[\]OPX^_])")
"""An escape that begins no sequence of the terminal: a letter, a digit or a blank follows."""


def separate(text: str) -> list[str]:
    """Input cut so that an escape before an ordinary key stands alone.

    Terminals send alt and a key as escape and that key. No action needs alt here, but whoever presses escape and goes
    on typing, or sits behind a tmux that waits for what may follow, sends the same: escape cancels, then comes the key.
    """
    parts: list[str] = []
    rest = 0
    for found in _ESCAPE_THEN_KEY.finditer(text):
        parts += [text[rest : found.start()], ESCAPE]
        rest = found.end()
    return [part for part in (*parts, text[rest:]) if part]


class SteadyDriver(LinuxDriver):
    """Reads keys, whatever else may come between them; sends only what differs."""

    def __init__(self, app: Any, **how: Any) -> None:
        super().__init__(app, **how)
        stream = sys.__stderr__
        assert stream is not None, "a terminal is there"
        glyphs = Glyphs(terminal_charset(stream.encoding))
        system = app.console._color_system or ColorSystem.TRUECOLOR
        gridder = Gridder(system, not app.no_color, glyphs)
        self._shown = ShownCells(gridder, erases_on_ground(stream.fileno()))
        self._outlet = Outlet(stream, self._caught_up)
        self._begun = False
        """The terminal was taken once."""
        self._holding = False
        """The terminal is ours now."""

    def _sigcont_application(self, *_: Any) -> None:
        """Go on. Stopped from outside (``kill -STOP``) nobody has given the terminal back, and a shell has used it
        since: it is given back now and taken anew."""
        if self._auto_restart and self._holding:
            self.suspend_application_mode()
        super()._sigcont_application()

    def start_application_mode(self) -> None:
        """Begin, or go on after a suspension: the screen is empty."""
        again = self._begun
        self._begun = self._holding = True
        self._shown.forget()
        self._outlet.open()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if again:
            self._app.call_later(self._app.refresh)

    def write(self, data: str) -> None:
        """Write to the terminal, without waiting for it."""
        self._outlet.write(data)

    @property
    def written(self) -> bool:
        """The terminal has taken all that was written."""
        return self._outlet.empty

    def close(self) -> None:
        """End what runs for the terminal; a terminal that takes nothing any more is not waited for long."""
        self._outlet.close()
        super().close()

    def _caught_up(self) -> None:
        """What was not sent meanwhile is sent now."""
        self._app.call_later(self._app.refresh)

    def stop_application_mode(self) -> None:
        """End, and leave the terminal writing as it did before."""
        self._holding = False
        self.write("\x1b[m")
        super().stop_application_mode()

    def show(self, update: CompositorUpdate, cursor: tuple[int, int] | None) -> bool:
        """Send what differs from what the terminal shows.

        Args:
            update: what Textual wants shown.
            cursor: where the terminal's own, hidden cursor belongs: input methods open their windows there.

        Returns:
            False if the update is of a kind that is not known here; nothing was sent then.

        Nothing is sent to a terminal that is behind; it is shown how things stand when it has caught up.
        """
        if self._outlet.behind:
            return True
        changes = self._shown.changes(update)
        if changes is None:
            self._shown.forget()
            return False
        if changes and cursor is not None:
            changes += self._shown.park(*cursor)
        if len(changes) >= LONG_UPDATE and takes_synchronized_updates(self._app):
            changes = f"{SYNC_START}{changes}{SYNC_END}"
        if changes:
            self.write(changes)
        return True

    def forget(self) -> None:
        """Whatever the terminal shows is not known: the next full update is sent whole."""
        self._shown.forget()

    def run_input_thread(self) -> None:
        """Read until told to stop; undecodable bytes become the replacement character, which is bound to nothing."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        held = ""  # an escape at the end of what was read: what it means depends on what comes next
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(LOOK_EVERY):
                    data = self._read()
                    if not data:
                        self._terminal_gone()
                        return
                    text = held + decode(data)
                    held = ESCAPE if text.endswith(ESCAPE) else ""
                    self._feed(parser, text.removesuffix(held) if held else text)
                elif held:
                    held = ""
                    self._escape()
                for event in parser.tick():
                    self.process_message(event)
        with suppress(EOFError, ParseError):
            list(parser.feed(""))

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, READ_SIZE)
        except OSError:
            return b""

    def _feed(self, parser: XTermParser, text: str) -> None:
        for part in separate(text):
            if part == ESCAPE:
                self._escape()
            else:
                for event in parser.feed(part):
                    self.process_message(event)

    def _escape(self) -> None:
        self.process_message(events.Key("escape", ESCAPE))

    def _terminal_gone(self) -> None:
        self._app.call_later(self._app.exit)
