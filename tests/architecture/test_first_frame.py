"""What is loaded when the first frame is drawn, asked of the program itself."""

import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9/engine-rest"
LATER = (
    "pydantic", "httpx", "click", "fastapi", "sqlalchemy", "sqlmodel", "uvicorn", "alembic",
    "retriage.console.session.session", "retriage.console.language", "retriage.console.reading",
    "retriage.console.batches", "retriage.console.launch", "retriage.console.screens.base",
    "retriage.console.screens.nouns", "retriage.console.engine.connect", "retriage.console.engine.client",
    "retriage.console.cli.commands", "retriage.store.contract.model", "retriage.store.api", "retriage.store.tables",
    "retriage.store.journal",
)  # fmt: skip
"""What takes longer than the first frame itself, or leads to something that does."""
PROGRAM = """
import sys
from pathlib import Path
from retriage.console import cli
from retriage.console.app import RetriageApp

file = Path(sys.argv.pop())

def leave(app):
    file.write_text(" ".join(sys.modules))
    app.exit()

RetriageApp._begin = leave
cli.main()
"""


@pytest.mark.parametrize("options", [[], ["--engine", NOBODY]], ids=["own store", "an engine"])
def test_the_first_frame_waits_for_textual_and_little_else(options: list[str], tmp_path: Path) -> None:
    file = tmp_path / "modules"
    environment = {"PYTHONPATH": str(ROOT), "RETRIAGE_HOME": str(tmp_path)}
    with Terminal([sys.executable, "-c", PROGRAM, *options, str(file)], 100, 30, environment) as terminal:
        assert terminal.wait_for_end() == 0
        assert b"Incidents" in terminal.raw
    loaded = set(file.read_text().split())
    assert "textual.app" in loaded
    assert loaded.isdisjoint(LATER), sorted(loaded & set(LATER))
