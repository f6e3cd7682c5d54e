"""Time that stands still: every module of the console is given the same stopped clock."""

import importlib
import pkgutil
import sys
import time
from datetime import datetime, timedelta, tzinfo
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from retriage import console
from tests.console import fake

MOMENT = datetime.fromisoformat("2026-03-14T03:12:40+00:00")
"""When all pictures are taken."""


class StoppedClock:
    """The time of day and the monotonic clock of the console, moved by the test only."""

    def __init__(self) -> None:
        self._passed = 0.0

    def pass_by(self, seconds: float) -> None:
        """So many seconds later."""
        self._passed += seconds

    @property
    def moment(self) -> datetime:
        """The time of day."""
        return MOMENT + timedelta(seconds=self._passed)

    def seconds(self) -> float:
        """The monotonic clock."""
        return 1000.0 + self._passed

    def stop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hand this clock to every module of the console and to the fake engine, in place of the machine's.

        All modules are imported first: one that was imported later would take the machine's clock.
        """
        shown, told = self._time_of_day(), SimpleNamespace(
            monotonic=self.seconds, perf_counter=self.seconds, time=lambda: self.moment.timestamp()
        )  # fmt: skip
        for module in _with_clocks():
            if getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", shown)
            if getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", told)
        monkeypatch.setattr(fake, "START", MOMENT - timedelta(hours=3))

    def _time_of_day(self) -> Any:
        clock = self

        class Shown(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return clock.moment.astimezone(tz)

        return Shown


@cache
def _with_clocks() -> list[ModuleType]:
    """Modules of the console, and the fake engine, that look at a clock."""
    for found in pkgutil.walk_packages(console.__path__, "retriage.console."):
        if found.name != "retriage.console.__main__":
            importlib.import_module(found.name)
    ours = [
        module for name, module in sorted(sys.modules.items()) if name.startswith("retriage.console.") or module is fake
    ]
    return [module for module in ours if {"datetime", "time"} & vars(module).keys()]
