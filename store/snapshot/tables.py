"""What the file of a snapshot holds beside the tables of a store."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

metadata = MetaData()

SNAPSHOT = Table("snapshot", metadata, Column("facts", Text, nullable=False))
"""One row: what the snapshot says about itself, as JSON (``retriage.store.snapshot_mark``)."""

RUN_LINE = Table(
    "snapshot_run",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)
"""Runs of the journal: the lines of their hand-over files."""

BEFORE = Table(
    "rehearsal_before", MetaData(), Column("id", Text, primary_key=True), Column("had", Integer, nullable=True)
)
"""In a copy that is rehearsed: tasks that had retries left before, with how many. Nobody works on them as long as they
have that number."""
