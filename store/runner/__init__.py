"""The asyncio job runner: timing and care, no SQL of its own."""

from store.runner.cleanup import HistoryCleanup
from store.runner.pace import JobPace
from store.runner.runner import Runner

__all__ = ["HistoryCleanup", "JobPace", "Runner"]
