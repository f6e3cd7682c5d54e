"""A stylesheet that is parsed once for a theme."""

from textual.css.stylesheet import Stylesheet


class KeptStylesheet(Stylesheet):
    """Parses again only what changed.

    Textual's own parses all styles anew whenever a screen brings a file of its own, and twice for each view that is
    opened for the first time, though neither the theme nor anything that was parsed has changed.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._parsed_with = dict(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the theme's variables; only others than before forget what was parsed."""
        if variables != self._parsed_with:
            self._parsed_with = dict(variables)
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what is new.

        Raises:
            textual.css.stylesheet.StylesheetParseError: a style is wrong; the former ones stay.
        """
        self.parse()
