"""The operator's own memory: saved filters, filters used lately, and every launch with what its tasks had before.

It is a small SQLite file of its own, beside any engine, and knows nothing of screens or of the store's rows.
"""

from store.journal.journal import Journal, JournalNotOpened
from store.journal.records import Earlier, Launch, NewLaunch, SavedQuery, State, TaskBefore

__all__ = ["Earlier", "Journal", "JournalNotOpened", "Launch", "NewLaunch", "SavedQuery", "State", "TaskBefore"]
