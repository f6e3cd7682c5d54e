"""The asyncio job runner: timing and care, no SQL of its own."""

from retriage.store.runner.cleanup import HistoryCleanup
from retriage.store.runner.pace import JobPace
from retriage.store.runner.runner import Runner

__all__ = ["HistoryCleanup", "JobPace", "Runner"]
