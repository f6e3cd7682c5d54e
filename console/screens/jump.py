"""From a row to what belongs to it in another view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from textual.app import App

    from store.contract.queries import Query


class _Views(Protocol):
    """What has views to go to: the application."""

    def view(self, name: str) -> None:
        """Go to a view."""


def jump(app: App[Any], view: str, query: Query) -> None:
    """Go to a view, and let it show what matches a query."""
    from console.language import write
    from console.screens.listing import ListScreen
    from console.widgets.filter_line import FilterLine

    text = write(query, view)
    cast("_Views", app).view(view)
    while len(app.screen_stack) > 1:
        app.pop_screen()
    screen = app.screen
    assert isinstance(screen, ListScreen)

    def show() -> None:
        screen.query_one("#filter", FilterLine).set(text)
        screen.show_filter(text)

    if screen.is_mounted:
        show()
    else:
        screen.call_after_refresh(show)
