"""What gets loaded, asked of a fresh interpreter."""

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "sqlalchemy", "sqlmodel", "uvicorn", "alembic", "store.api", "store.tables")


def loaded_by(module: str) -> set[str]:
    """Names of the modules that importing ``module`` brings in."""
    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_first_frame_does_not_wait_for_the_engine() -> None:
    loaded = loaded_by("console.app")
    assert "textual" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_commands_do_not_wait_for_the_engine() -> None:
    assert loaded_by("console.cli").isdisjoint((*HEAVY, "textual", "httpx"))


@pytest.mark.parametrize("module", ["store.embedded", "store.demo", "store.server"])
def test_the_store_loads_without_a_screen(module: str) -> None:
    loaded = loaded_by(module)
    assert not any(name == "textual" or name.startswith("console") for name in loaded)


@pytest.mark.parametrize(
    "module",
    [
        "console.reading",
        "console.causes",
        "console.launch.plan",
        "console.batches.diagnosis",
        "console.language",
        "console.engine",
    ],
)
def test_the_thinking_loads_without_a_screen(module: str) -> None:
    assert "textual" not in loaded_by(module)
