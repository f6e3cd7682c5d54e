"""Textual's private parts are as the console uses them; this fails first when Textual changes one."""

import ast
import asyncio
import inspect
from pathlib import Path

import pytest
from textual._compositor import Compositor
from textual.app import ComposeResult
from textual.binding import Binding
from textual.driver import Driver
from textual.widgets import Static

from retriage import console
from retriage.console.terminal import textual_private
from retriage.console.terminal.textual_private import CompositorUpdate

ROOT = Path(console.__file__).parent
PRIVATE = {
    "_dirty_widgets", "_on_timer_update", "_driver", "_batch_count", "_handle_exception", "_sync_available", "_mouse",
    "_character_to_key", "_bindings", "_compositor", "_display",
}  # fmt: skip


class Bound(Static, can_focus=True):
    BINDINGS = [Binding("less_than_sign", "less", show=False)]


class Small(textual_private.AppWithUpdateHook[None]):
    """One label, and the updates that it was asked to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[CompositorUpdate] = []
        self.shows_itself = True
        self.problem: Exception | None = None

    def compose(self) -> ComposeResult:
        yield Bound("before")

    def show_update(self, update: CompositorUpdate) -> bool:
        if self.problem is not None:
            raise self.problem
        self.shown.append(update)
        return self.shows_itself


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
        assert app.shown
        assert not textual_private.has_unpainted(app.screen)


async def test_updates_are_offered_but_none_amid_a_batch_and_what_is_not_shown_here_textual_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Small()
    written: list[str] = []
    async with app.run_test() as pilot:
        driver = textual_private.driver_of(app)
        assert isinstance(driver, Driver)
        assert textual_private.takes_synchronized_updates(app) in (True, False)
        assert textual_private.heeds_mouse(app) in (True, False)
        monkeypatch.setattr(driver, "write", written.append)
        monkeypatch.setattr(Small, "is_headless", False)
        await pilot.pause()
        app.shown.clear()
        written.clear()
        with app.batch_update():
            app.query_one(Bound).update("amid")
            await asyncio.sleep(0)
            textual_private.paint(app.screen)
            assert not app.shown
        await pilot.pause()
        assert app.shown
        assert not any("amid" in part for part in written)
        app.shows_itself = False
        app.query_one(Bound).update("after")
        await pilot.pause()
        assert any("after" in part for part in written)
        monkeypatch.setattr(Small, "is_headless", True)
        screen, update = app.screen, app.shown[-1]
    app.shown.clear()
    app._display(screen, update)
    assert not app.shown, "it has ended"


async def test_what_fails_while_it_shows_ends_the_program() -> None:
    app = Small()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is raised when the program has ended
        async with app.run_test() as pilot:
            app.problem = ZeroDivisionError()
            app.query_one(Bound).update("after")
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
            used = isinstance(node, ast.Attribute) and node.attr in PRIVATE
            overridden = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in PRIVATE
            if private or used or overridden:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []
