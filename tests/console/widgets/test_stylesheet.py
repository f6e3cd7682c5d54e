"""The stylesheet gives each node what Textual's own would, though it goes through the rules once for nodes alike."""

from typing import Any

from textual.app import App, ComposeResult
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.widgets import Label

from retriage.console.app import RetriageApp
from retriage.console.widgets.stylesheet import KeptStylesheet
from retriage.console.widgets.themes import THEMES
from tests.console.fake import FakeEngine
from tests.console.settle import console, until


def rules_of(node: DOMNode) -> dict[str, Any]:
    """The rules of a node and of its component classes, as texts: layouts and the like are equal to none but
    themselves."""
    found = {name: repr(value) for name, value in node.styles.base.get_rules().items()}
    for component in sorted(node._get_component_classes()):
        rules = node.get_component_styles(component).base.get_rules()
        found |= {f"{component} {name}": repr(value) for name, value in rules.items()}
    return found


def by_textual(app: App[Any]) -> list[dict[str, Any]]:
    """The rules of all nodes after Textual's own stylesheet was applied to them."""
    plain = Stylesheet(variables=app.get_css_variables())
    for place, source in app.stylesheet.source.items():
        plain.add_source(
            source.content,
            read_from=place,
            is_default_css=source.is_defaults,
            tie_breaker=source.tie_breaker,
            scope=source.scope,
        )
    plain.update(app)
    return [rules_of(node) for node in app.screen.walk_children(with_self=True)]


def by_ours(app: App[Any]) -> list[dict[str, Any]]:
    """The rules of all nodes as they are."""
    return [rules_of(node) for node in app.screen.walk_children(with_self=True)]


async def test_each_node_has_the_rules_that_textual_would_give_it() -> None:
    async with console(FakeEngine(50), size=(120, 36)) as (app, pilot):
        for keys in ((), ("slash",), ("escape",), ("tab",), ("2",), ("1",), ("space", "R")):
            await pilot.press(*keys)
            await pilot.pause()
            ours = by_ours(app)
            assert ours == by_textual(app), keys
            assert len(ours) > 5
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen.has_class("-narrow"))
        assert by_ours(app) == by_textual(app)
        before = by_ours(app)
        app.theme = THEMES[1].name
        await until(pilot, lambda: by_ours(app) != before)
        assert by_ours(app) == by_textual(app)
        app.theme = THEMES[0].name
        await until(pilot, lambda: by_ours(app) == before)


class Siblings(App[None]):
    """Labels that look different by their place."""

    CSS = "Label:first-of-type { width: 11; } Label:last-of-type { width: 13; } .far { width: 15; }"

    def __init__(self) -> None:
        super().__init__()
        self.stylesheet = KeptStylesheet(self.get_css_variables())

    def compose(self) -> ComposeResult:
        for _ in range(3):
            yield Label("x")


async def test_the_place_among_siblings_is_looked_at_every_time() -> None:
    app = Siblings()
    async with app.run_test() as pilot:
        assert [str(label.styles.width) for label in app.query(Label)] == ["11", "auto", "13"]
        await app.mount(Label("y"), before=0)
        await pilot.pause()
        assert [str(label.styles.width) for label in app.query(Label)] == ["11", "auto", "auto", "13"]


async def test_a_class_that_is_gone_takes_its_rules_with_it() -> None:
    app = Siblings()
    async with app.run_test() as pilot:
        second = list(app.query(Label))[1]
        for far, width in ((True, "15"), (False, "auto"), (True, "15")):
            second.set_class(far, "far")
            await pilot.pause()
            assert str(second.styles.width) == width


async def test_styles_are_parsed_once_for_all_consoles_of_a_theme() -> None:
    sheets: list[KeptStylesheet] = []
    for _ in range(2):
        async with console(FakeEngine(5)) as (app, _):
            assert isinstance(app, RetriageApp)
            sheets.append(app.stylesheet)
    one, other = sheets
    assert len(one.rules) > 20
    assert all(mine is yours for mine, yours in zip(one.rules, other.rules, strict=True))
