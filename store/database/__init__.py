"""Engines, units of work, ids, the clock and migrations."""

from store.database.clock import now
from store.database.engine import Database, StoreNotOpened, open_database
from store.database.ids import IdRun, new_id
from store.database.keeping import Kept, keep

__all__ = ["Database", "IdRun", "Kept", "StoreNotOpened", "keep", "new_id", "now", "open_database"]
