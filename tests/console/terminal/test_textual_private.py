"""Textual's private parts are as the console uses them; this fails first when Textual changes one."""

import ast
import asyncio
import inspect
from pathlib import Path

import pytest
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.driver import Driver
from textual.screen import Screen
from textual.widgets import Static

import console
from console.terminal import textual_private
from console.terminal.textual_private import CompositorUpdate

ROOT = Path(console.__file__).parent
PRIVATE = {
    "_dirty_widgets", "_on_timer_update", "_driver", "_batch_count", "_handle_exception", "_sync_available", "_mouse",
    "_character_to_key", "_bindings", "_compositor",
}  # fmt: skip


class Bound(Static, can_focus=True):
    BINDINGS = [Binding("less_than_sign", "less", show=False)]


class Small(App[None]):
    """One label, and what it was asked to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[object] = []

    def compose(self) -> ComposeResult:
        yield Bound("before")

    def _display(self, screen: Screen[object], renderable: object) -> None:  # type: ignore[override]
        self.shown.append(renderable)
        super()._display(screen, renderable)  # type: ignore[arg-type]


async def test_what_has_changed_is_painted_at_once() -> None:
    app = Small()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert not textual_private.has_unpainted(app.screen)
        app.query_one(Bound).refresh()
        for _ in range(1000):
            if textual_private.has_unpainted(app.screen):
                break
            await asyncio.sleep(0)
        assert textual_private.has_unpainted(app.screen)
        app.shown.clear()
        textual_private.paint(app.screen)
        assert any(isinstance(one, CompositorUpdate) for one in app.shown)
        assert not textual_private.has_unpainted(app.screen)


async def test_an_update_is_held_back_amid_a_batch() -> None:
    app = Small()
    assert not textual_private.can_show(app)
    async with app.run_test():
        assert textual_private.can_show(app)
        assert isinstance(textual_private.driver_of(app), Driver)
        assert textual_private.takes_synchronized_updates(app) in (True, False)
        assert textual_private.heeds_mouse(app) in (True, False)
        with app.batch_update():
            assert not textual_private.can_show(app)
    assert not textual_private.can_show(app)


async def test_an_exception_ends_the_program() -> None:
    app = Small()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is raised when the program has ended
        async with app.run_test() as pilot:
            textual_private.end_with(app, ZeroDivisionError())
            await pilot.pause()


async def test_the_bindings_of_a_widget_and_the_names_of_keys() -> None:
    app = Small()
    async with app.run_test():
        widget, key = app.query_one(Bound), textual_private.key_name("<")
        assert key == "less_than_sign"
        assert [binding.action for binding in textual_private.bindings_of(widget, key)] == ["less"]
        assert not textual_private.bindings_of(widget, "x")


def test_the_parts_of_updates_that_are_read() -> None:
    assert issubclass(textual_private.ChopsUpdate, CompositorUpdate)
    assert issubclass(textual_private.LayoutUpdate, CompositorUpdate)
    assert list(inspect.signature(textual_private.LayoutUpdate).parameters) == ["strips", "region"]
    assert list(inspect.signature(textual_private.ChopsUpdate).parameters)[:3] == ["chops", "spans", "chop_ends"]
    assert callable(Compositor.render_strips)
    assert "debug" in inspect.signature(textual_private.XTermParser).parameters
    assert issubclass(textual_private.ParseError, Exception)
    assert (textual_private.SYNC_START, textual_private.SYNC_END) == ("\x1b[?2026h", "\x1b[?2026l")


def test_no_other_file_touches_them() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.name == "textual_private.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            private = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual") and (
                "._" in (node.module or "") or any(alias.name.startswith("_") for alias in node.names)
            )  # fmt: skip
            if private or (isinstance(node, ast.Attribute) and node.attr in PRIVATE):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []
