"""A field whose text may have come from elsewhere: completed from a worker's name, taken from a saved query."""

from rich.text import Text
from textual.widgets import Input

from retriage.console.text.inert import inert


class InertInput(Input):
    """Shows signs for what a terminal would act on; its value stays what it is, letter by letter."""

    @property
    def _value(self) -> Text:
        """The value as it is drawn, one sign per letter so that the cursor stands where it should."""
        shown = "".join(inert(letter) or " " for letter in self.value)
        return Text(shown, no_wrap=True, overflow="ignore", end="")
