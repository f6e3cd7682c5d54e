"""What a fresh checkout has not compiled yet is compiled by all workers of a run together.

They begin in the same moment with the same files: each would compile the whole program, and rewrite the assertions of
all tests, once more. So each begins at a place of its own, and finds done what another one has reached before it.
"""

import compileall
import contextlib
import importlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("store", "console", "tests")
"""Folders whose modules a run imports."""

_Part = TypeVar("_Part")


def place_of_this_worker() -> tuple[int, int]:
    """The number of this worker of pytest-xdist from 0 on, and how many there are; 0 of 1 where there are none."""
    name, of = os.environ.get("PYTEST_XDIST_WORKER", ""), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "")
    number = name.removeprefix("gw")
    return (int(number), int(of)) if number.isdecimal() and of.isdecimal() else (0, 1)


def begun_at(parts: Sequence[_Part], place: tuple[int, int]) -> list[_Part]:
    """All parts, in their order, from the place of a worker on; those before it come last."""
    number, of = place
    start = number % of * len(parts) // of
    return [*parts[start:], *parts[:start]]


def compile_program(place: tuple[int, int]) -> None:
    """Compile the modules of the program and what the tests share, as far as they have changed since."""
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py") if not file.name.startswith("test_"))
    for file in begun_at(files, place):
        compileall.compile_file(file, quiet=2)


def rewrite_tests(chosen: Iterable[str], place: tuple[int, int]) -> None:
    """Import the modules of tests, which compiles them with the assertions that pytest rewrites.

    Args:
        chosen: what is collected, as pytest's arguments have it: files, folders, ids of tests.
        place: of this worker.

    One that cannot be imported is left to its collection, which says so.
    """
    paths = [ROOT / one.partition("::")[0] for one in chosen]
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))})
    for file in begun_at([file for file in files if file.is_relative_to(ROOT)], place):
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
