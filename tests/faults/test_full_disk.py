"""A disk that is full is one sentence about the file that does not fit, and nothing is left that would be taken for it.

The disk is as full as the limit of a process for its files says.
"""

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from retriage.store.demo_store import fill

ROOM = 1_000_000
"""Bytes that a file may have."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 1500, 1, lambda done: None, batches=False)
    return file


def on_a_full_disk(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command that can write no more than so much into a file."""
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (ROOM, ROOM))
    command = [sys.executable, "-m", "retriage.console", *words]
    environment = os.environ | {"RETRIAGE_HOME": str(folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=120, check=False
    )


def sentence_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The one thing that is said on stderr, beside how far it was."""
    assert "Traceback" not in done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("retriage: ")]
    return said


@pytest.mark.parametrize("words", [("demo-data", "--tasks", "3000"), ("serve", "--port", "0", "--demo", "3000")])
def test_a_world_that_does_not_fit(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "store.db"
    done = on_a_full_disk(tmp_path, *words, "--store", str(file))
    assert done.returncode == 2
    assert sentence_of(done).startswith(f"retriage: The store {file} cannot be filled: ")


def test_a_snapshot_that_does_not_fit(tmp_path: Path, world: Path) -> None:
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "night.db"
    done = on_a_full_disk(tmp_path, "snapshot", "--store", str(world), "--out", str(out))
    assert done.returncode == 2
    assert sentence_of(done).startswith(f"retriage: {out} cannot be written: ")
    assert "journal" not in done.stderr
    assert os.listdir(out.parent) == []
