"""A stylesheet that is parsed once for a theme, and asked once which rules hold for nodes that are alike."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from retriage.console.terminal.textual_private import (
    StyleFlags,
    depends_on_others,
    keep_parsed_in,
    note_style_flags,
    style_components,
    style_flags,
    style_key,
)

MOST_PARSED = 1024
"""Files and classes whose parsed styles are kept."""


class Styled(NamedTuple):
    """What holds for nodes that are alike."""

    rules: RulesMap | None
    """Nothing where no rule holds."""
    flags: StyleFlags


class _Parsed:
    """What is known of the styles of one theme, for every console of this process."""

    def __init__(self) -> None:
        self.parsed: LRUCache[tuple[object, ...], list[RuleSet]] = LRUCache(MOST_PARSED)
        self.known: dict[tuple[int, ...], tuple[list[RuleSet], dict[Hashable, Styled]]] = {}
        """By the identities of the rules, which are kept with it: what holds for nodes by their key."""


_OF_THEMES: dict[tuple[tuple[str, str], ...], _Parsed] = {}


class KeptStylesheet(Stylesheet):
    """Parses again only what changed, and looks for the rules of a node only where it has not seen one like it.

    Textual's own parses all styles anew whenever a screen brings a file of its own, and twice for each view that is
    opened for the first time, though neither the theme nor anything that was parsed has changed. It also goes through
    all rules for each node whenever a screen is opened, comes to the front, or gets its size, which is a third of what
    opening a screen takes.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables=dict(variables))
        self._parsed_with = dict(variables)
        self._styled: WeakKeyDictionary[DOMNode, Styled] = WeakKeyDictionary()
        """What each node was given last."""
        self._keep()

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the theme's variables; only others than before forget what was parsed."""
        if variables != self._parsed_with:
            self._parsed_with = dict(variables)
            keep_parsed_in(self, LRUCache(MOST_PARSED))
            super().set_variables(variables)
            self._keep()

    def _keep(self) -> None:
        self._of_theme = _OF_THEMES.setdefault(tuple(sorted(self._parsed_with.items())), _Parsed())
        keep_parsed_in(self, self._of_theme.parsed)
        self._known: dict[Hashable, Styled] | None = None

    def reparse(self) -> None:
        """Parse what is new.

        Raises:
            textual.css.stylesheet.StylesheetParseError: a style is wrong; the former ones stay.
        """
        self.parse()

    def parse(self) -> None:
        """Parse what is new, and go on with what is known of these very rules.

        Raises:
            textual.css.stylesheet.StylesheetParseError: a style is wrong; the former ones stay.
        """
        super().parse()
        rules = self.rules
        _, self._known = self._of_theme.known.setdefault(tuple(map(id, rules)), (rules, {}))

    def apply(
        self, node: DOMNode, *, animate: bool = False, cache: dict[tuple[object, ...], RulesMap] | None = None
    ) -> None:
        """Give a node the rules that hold for it; one that has them keeps them."""
        key, rules = style_key(node), self.rules
        if self._known is None:
            _, self._known = self._of_theme.known.setdefault(tuple(map(id, rules)), (rules, {}))
        styled = self._known.get(key)
        if styled is None:
            found: dict[tuple[object, ...], RulesMap] = {}
            super().apply(node, animate=animate, cache=found)
            flags, given = style_flags(node), next(iter(found.values()), None)
            # Nothing is found here where more than the key decides, too: such nodes are looked at every time.
            if given is not None or not depends_on_others(flags):
                styled = self._known[key] = Styled(given, flags)
        elif self._styled.get(node) is styled:
            node.notify_style_update()
        else:
            note_style_flags(node, styled.flags)
            if styled.rules is not None:
                self.replace_rules(node, styled.rules, animate=animate)
            style_components(self, node)
        if styled is not None:
            self._styled[node] = styled
