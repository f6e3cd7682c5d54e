"""Keeping pictures of the engine fresh: one poller per subject, shared by everybody who looks."""

from console.watch.poller import Poller, close_all, hurry_all, soonest
from console.watch.shared import Shared, Watch
from console.watch.snapshot import Snapshot

__all__ = ["Poller", "Shared", "Snapshot", "Watch", "close_all", "hurry_all", "soonest"]
