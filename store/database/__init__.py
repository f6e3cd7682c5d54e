"""Engines, units of work, ids, the clock and migrations."""

from retriage.store.database.any_case import folded
from retriage.store.database.bounds import is_damaged, is_too_long, is_unavailable
from retriage.store.database.clock import now, stopped_clock
from retriage.store.database.engine import Database, StoreLost, StoreNotOpened, open_database
from retriage.store.database.half_filled_store import HALF_FILLED, BeingFilled, NotFilled, filling, is_half_filled
from retriage.store.database.ids import IdRun, made_at, new_id
from retriage.store.database.limits import Limits
from retriage.store.database.news import News
from retriage.store.database.processes import PROCESS, is_gone, owner_is_gone
from retriage.store.database.races import Race, lost_race
from retriage.store.database.row_locks import Kept, keep
from retriage.store.database.sqlite import check_wanted, elsewhere

__all__ = [
    "HALF_FILLED",
    "PROCESS",
    "BeingFilled",
    "Database",
    "IdRun",
    "Kept",
    "Limits",
    "News",
    "NotFilled",
    "Race",
    "StoreLost",
    "StoreNotOpened",
    "check_wanted",
    "elsewhere",
    "filling",
    "folded",
    "is_damaged",
    "is_gone",
    "is_half_filled",
    "is_too_long",
    "is_unavailable",
    "keep",
    "lost_race",
    "made_at",
    "new_id",
    "now",
    "open_database",
    "owner_is_gone",
    "stopped_clock",
]
