"""From a row to what belongs to it in another view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from textual.app import App

    from store.contract.queries import Query


class _Views(Protocol):
    """What has views to go to: the application."""

    def view(self, name: str) -> None:
        """Go to a view."""


@dataclass(frozen=True)
class Jump:
    """How a view came to show what it shows.

    Attributes:
        origin: the view that was left.
        text: the filter that was asked for.
        before: the filter that the view had.
    """

    origin: str
    text: str
    before: str


def jump(app: App[Any], view: str, query: Query) -> None:
    """Go to a view, and let it show what matches a query; ``esc`` there leads back, to the screen that was in front."""
    from console.language import write
    from console.screens.listing import ListScreen
    from console.widgets.filter_line import FilterLine

    text = write(query, view)
    origin = app.current_mode
    cast("_Views", app).view(view)
    while len(app.screen_stack) > 1:
        app.pop_screen()
    screen = app.screen
    assert isinstance(screen, ListScreen)

    def show() -> None:
        screen.jumped = Jump(origin, text, screen.filter_text)
        screen.query_one("#filter", FilterLine).set(text)
        screen.show_filter(text)
        screen.tell_hints()
        screen.session.say(f"esc leads back to {origin}.", "muted")

    if screen.is_mounted:
        show()
    else:
        screen.call_after_refresh(show)


def back(app: App[Any], jumped: Jump) -> None:
    """Go to where a jump came from."""
    cast("_Views", app).view(jumped.origin)
