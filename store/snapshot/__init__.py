"""A part of an engine in one file: records of the contract as rows of a store, to be looked at offline.

- Writing it: ``writer`` (the way in: ``new_snapshot``), ``rows`` (records → rows), ``tables`` (what the file holds
  beside the tables of a store).
- Opening it: ``opened_copy`` (the file itself is never written to), and what ``retriage.store.snapshot_mark`` reads of
  it.
- The rehearsal: ``rehearsal`` (how a copy is set going), ``rehearsal_workers`` (who then works on it).
"""

from retriage.store.snapshot.opened_copy import copy_of
from retriage.store.snapshot.rehearsal import Rehearsal
from retriage.store.snapshot.writer import SnapshotWriter, new_snapshot

__all__ = ["Rehearsal", "SnapshotWriter", "copy_of", "new_snapshot"]
