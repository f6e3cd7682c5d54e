"""The smallest Textual application, to hold the start of the console against."""

from textual.app import App, ComposeResult
from textual.widgets import Static

FIRST_FRAME = "nothing but this line"


class BareTextual(App[None]):
    """One line."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(FIRST_FRAME)


if __name__ == "__main__":
    BareTextual().run()
