"""A launch at once asks the engine what is written down here, and no more."""

import json
from pathlib import Path

import pytest

from tests.console.launch.l_requests import BEFORE, LAUNCHES, asked_by

TOLD = json.loads(BEFORE.read_text())


@pytest.mark.parametrize(
    "launch", [pytest.param(one, marks=pytest.mark.long if one.startswith("100,000") else ()) for one in LAUNCHES]
)
async def test_from_l_to_the_post_nothing_else_is_asked(launch: str, tmp_path: Path) -> None:
    assert await asked_by(launch, tmp_path) == TOLD[launch]
