"""What gets loaded, asked of a fresh interpreter."""

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "sqlalchemy", "sqlmodel", "uvicorn", "alembic", "retriage.store.api", "retriage.store.tables")


def loaded_by(*modules: str) -> set[str]:
    """Names of the modules that importing ``modules`` brings in."""
    code = f"import {', '.join(modules)}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_commands_do_not_wait_for_the_engine() -> None:
    assert loaded_by("retriage.console.cli").isdisjoint((*HEAVY, "textual", "httpx"))


def test_the_store_loads_without_a_screen() -> None:
    loaded = loaded_by("retriage.store.embedded", "retriage.store.demo", "retriage.store.server")
    assert "retriage.store.server" in loaded
    assert not [name for name in loaded if name == "textual" or name.startswith("retriage.console")]


@pytest.mark.parametrize(
    "module",
    [
        "retriage.console.reading",
        "retriage.console.causes",
        "retriage.console.launch.plan",
        "retriage.console.batches.diagnosis",
        "retriage.console.language",
        "retriage.console.engine",
    ],
)
def test_the_thinking_loads_without_a_screen(module: str) -> None:
    assert "textual" not in loaded_by(module)
