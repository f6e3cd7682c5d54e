"""A pane shows items, cut to its size."""

from textual.app import App, ComposeResult

from retriage.console.widgets.pane import Item, Pane, Prose
from retriage.console.widgets.themes import DARK, DEFAULTS
from tests.console.settle import until


class Fitted(App[None]):
    """A pane that says its own size."""

    def compose(self) -> ComposeResult:
        """The pane."""
        yield Pane(id="pane")

    def on_mount(self) -> None:
        """With items that are made for its size."""
        self.query_one(Pane).show_fitted(size_of)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The inks."""
        return {**DEFAULTS, **DARK.variables}


def size_of(width: int, height: int) -> list[Item]:
    return [Prose(f"{width} by {height}")]


async def test_items_that_are_made_for_the_size_of_a_pane_are_made_anew_with_it() -> None:
    app = Fitted()
    async with app.run_test(size=(40, 10)) as pilot:
        pane = app.query_one(Pane)
        await until(pilot, lambda: pane.text == "40 by 10")
        await pilot.resize_terminal(60, 12)
        await until(pilot, lambda: pane.text == "60 by 12")
        pane.show([Prose("something else")])
        await pilot.resize_terminal(50, 9)
        await until(pilot, lambda: pane.size.width == 50)
        assert pane.text == "something else"
