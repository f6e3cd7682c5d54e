"""What the console uses of Textual's private parts, each with the reason; nothing else may touch them.

They are checked by ``tests/console/terminal/test_textual_private.py``, which fails first when Textual changes one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from textual._ansi_sequences import SYNC_END as SYNC_END
from textual._ansi_sequences import SYNC_START as SYNC_START
from textual._compositor import ChopsUpdate as ChopsUpdate
from textual._compositor import CompositorUpdate as CompositorUpdate
from textual._compositor import LayoutUpdate as LayoutUpdate
from textual._parser import ParseError as ParseError
from textual._xterm_parser import XTermParser as XTermParser
from textual.app import App
from textual.keys import _character_to_key

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.binding import Binding
    from textual.cache import LRUCache
    from textual.css.model import RuleSet
    from textual.css.stylesheet import Stylesheet
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.screen import Screen
    from textual.widget import Widget

R = TypeVar("R")

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


class AppWithUpdateHook(App[R]):
    """An application that may show an update itself, before Textual writes it: there is no public way to see one."""

    def show_update(self, update: CompositorUpdate) -> bool:
        """Show an update of the compositor. It is called while the application runs, and never amid changes that
        belong together.

        Returns:
            whether it was shown; Textual shows it otherwise.

        Raises:
            Exception: what is raised ends the program with its report, as whatever Textual has caught itself.
        """
        return False

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate) and self._running and not self._closed and not self._batch_count:
            try:
                if self.show_update(renderable):
                    return
            except Exception as problem:
                self._handle_exception(problem)
                return
        super()._display(screen, renderable)


def driver_of(app: App[Any]) -> Driver | None:
    """The driver: the public application does not hand it out."""
    return app._driver


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


StyleFlags = tuple[bool, bool, bool, bool]
"""What the stylesheet notes on a node: whether the rules that may concern it look at hovering, at the focus inside it,
at its place among its siblings, and whether that place is odd or even."""


def style_flags(node: DOMNode) -> StyleFlags:
    """What the stylesheet has noted on a node when it was styled."""
    return node._has_hover_style, node._has_focus_within, node._has_order_style, node._has_odd_or_even


def depends_on_others(flags: StyleFlags) -> bool:
    """Whether rules may hold for a node by what is inside it or beside it."""
    return any(flags[1:])


def note_style_flags(node: DOMNode, flags: StyleFlags) -> None:
    """Note on a node what the stylesheet would."""
    node._has_hover_style, node._has_focus_within, node._has_order_style, node._has_odd_or_even = flags


def style_key(node: DOMNode) -> Hashable:
    """What decides which rules hold for a node, but for its place among its siblings and what has the focus inside it.

    As the key that Textual itself uses while it styles many nodes at once, with those of all nodes above in place of
    the parent.
    """
    return tuple([
        (
            (type(one), one.classes, one.theme, one.app_focus, one.no_color, one.native_ansi_color, one.is_inline)
            if isinstance(one, App)
            else (type(one), one.classes, one.id, one._pseudo_classes_cache_key, getattr(one, "can_focus", False))
        )
        for one in node.css_path_nodes
    ])  # fmt: skip


def style_components(stylesheet: Stylesheet, node: DOMNode) -> None:
    """Style the component classes of a node."""
    stylesheet._process_component_classes(node)


def keep_parsed_in(stylesheet: Stylesheet, parsed: LRUCache[tuple[Any, ...], list[RuleSet]]) -> None:
    """Let a stylesheet keep there what it has parsed, and look there first."""
    stylesheet._parse_cache = parsed
