"""counts of tasks without retries look at an index and at no task

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FAILED = sa.text("retries = 0")


def upgrade() -> None:
    _anew("external_task_failed", "id", "retries")
    _anew("external_task_failed_topic", "topic_name", "retries")


def downgrade() -> None:
    _anew("external_task_failed", "id")
    _anew("external_task_failed_topic", "topic_name")


def _anew(index: str, *columns: str) -> None:
    # A store that was left half filled with a demo world has none of its indexes.
    op.drop_index(index, "external_task", if_exists=True)
    op.create_index(index, "external_task", list(columns), sqlite_where=FAILED, postgresql_where=FAILED)
