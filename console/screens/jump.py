"""From a row to what belongs to it in another view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from store.contract.queries import Query


def jump(app: App[Any], view: str, query: Query) -> None:
    """Go to a view, and let it show what matches a query."""
    from console.app import RetriageApp
    from console.language import write
    from console.screens.listing import ListScreen
    from console.widgets.filter_line import FilterLine

    assert isinstance(app, RetriageApp)
    text = write(query, view)
    app.view(view)
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
