"""The operator's own memory: saved filters, filters used lately, every launch with what its tasks
had before, and runs.

It is a small SQLite file of its own, beside any engine, and knows nothing of screens or of the store's rows.
"""

from retriage.store.journal.by_hand import NewHandWork, WrittenHandWork
from retriage.store.journal.journal import Journal, JournalLost, JournalNotOpened
from retriage.store.journal.records import Earlier, Launch, NewLaunch, SavedQuery, State, TaskBefore
from retriage.store.journal.run_file import NoRunFile
from retriage.store.journal.run_records import (
    FrozenTask,
    NewRun,
    NotYours,
    Run,
    RunCause,
    RunState,
    RunStep,
    RunTask,
    RunWave,
    WaveState,
)
from retriage.store.journal.runs import Runs

__all__ = [
    "Earlier",
    "FrozenTask",
    "Journal",
    "JournalLost",
    "JournalNotOpened",
    "Launch",
    "NewHandWork",
    "NewLaunch",
    "NewRun",
    "NoRunFile",
    "NotYours",
    "Run",
    "RunCause",
    "RunState",
    "RunStep",
    "RunTask",
    "RunWave",
    "Runs",
    "SavedQuery",
    "State",
    "TaskBefore",
    "WaveState",
    "WrittenHandWork",
]
