"""What the console uses of Textual's private parts, each with the reason; nothing else may touch them.

They are checked by ``tests/console/terminal/test_textual_private.py``, which fails first when Textual changes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual._ansi_sequences import SYNC_END as SYNC_END
from textual._ansi_sequences import SYNC_START as SYNC_START
from textual._compositor import ChopsUpdate as ChopsUpdate
from textual._compositor import CompositorUpdate as CompositorUpdate
from textual._compositor import LayoutUpdate as LayoutUpdate
from textual._parser import ParseError as ParseError
from textual._xterm_parser import XTermParser as XTermParser
from textual.keys import _character_to_key

if TYPE_CHECKING:
    from textual.app import App
    from textual.binding import Binding
    from textual.driver import Driver
    from textual.screen import Screen
    from textual.widget import Widget

# The updates of the compositor are what the driver compares with the cells on the terminal, to send only what differs:
# Textual has no public way to see an update before it is written. The marks of a synchronized update go around a long
# one. The parser is fed by our own reading thread, since Textual's ends the program at a byte that is no UTF-8.


def has_unpainted(screen: Screen[Any]) -> bool:
    """Whether widgets have changed and are not painted yet.

    Screens paint at once after a key: the public :meth:`~textual.widget.Widget.refresh` waits for the next tick.
    """
    return bool(screen._dirty_widgets)


def paint(screen: Screen[Any]) -> None:
    """Paint what has changed, as the tick of the screen would."""
    screen._on_timer_update()


def driver_of(app: App[Any]) -> Driver | None:
    """The driver: the public application does not hand it out."""
    return app._driver


def can_show(app: App[Any]) -> bool:
    """Whether an update may go to the terminal now: not after the end, and not amid changes that belong together."""
    return app._running and not app._closed and not app._batch_count


def end_with(app: App[Any], problem: Exception) -> None:
    """End the program with the report of an exception, as one that Textual has caught itself."""
    app._handle_exception(problem)


def takes_synchronized_updates(app: App[Any]) -> bool:
    """The terminal waits for the end of an update that is marked; it has answered so."""
    return app._sync_available


def heeds_mouse(app: App[Any]) -> bool:
    """Whether the driver has asked the terminal for the mouse."""
    return bool(getattr(app._driver, "_mouse", False))


def key_name(character: str) -> str:
    """A character that is no letter or digit as Textual names its key: ``less_than_sign``."""
    return _character_to_key(character)


def bindings_of(widget: Widget, key: str) -> Sequence[Binding]:
    """The widget's own bindings of a key; the way up through those of its parents takes a third of a key's time."""
    return widget._bindings.key_to_bindings.get(key, ())
