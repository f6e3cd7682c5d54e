"""What all tests of the console need."""

import pytest

from console.screens.dialogs import confirm_delay


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses the keys has read a frame as soon as it is written; what asks for more time sets it itself."""
    monkeypatch.setattr(confirm_delay, "DELAY", 0.0)
