"""counts of failures in a log, of failed tasks that are suspended or not, and of the instances of a process look at an
index and at no row

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FAILED = sa.text("retries = 0")
FAILURE = sa.text("state = 1")


def upgrade() -> None:
    _anew("external_task_failed", "external_task", ["id", "retries", "suspended"], FAILED)
    _anew("external_task_failed_topic", "external_task", ["topic_name", "retries", "suspended"], FAILED)
    _anew("external_task_log_failed", "external_task_log", ["timestamp", "state"], FAILURE)
    _anew("job_log_failed", "job_log", ["timestamp", "state"], FAILURE)
    _anew("process_instance_definition", "process_instance", ["process_definition_id", "end_time", "id"])


def downgrade() -> None:
    _anew("external_task_failed", "external_task", ["id", "retries"], FAILED)
    _anew("external_task_failed_topic", "external_task", ["topic_name", "retries"], FAILED)
    _anew("external_task_log_failed", "external_task_log", ["timestamp"], FAILURE)
    _anew("job_log_failed", "job_log", ["timestamp"], FAILURE)
    _anew("process_instance_definition", "process_instance", ["process_definition_id"])


def _anew(index: str, table: str, columns: Sequence[str], of: sa.TextClause | None = None) -> None:
    # A store that was left half filled with a demo world has none of its indexes.
    op.drop_index(index, table, if_exists=True)
    op.create_index(index, table, list(columns), sqlite_where=of, postgresql_where=of)
