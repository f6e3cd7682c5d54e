"""run_cause: why the tasks of a run had failed; those that were left out are found at once

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_cause",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "topic", "cause"),
        sqlite_with_rowid=False,
    )
    op.create_index("run_cause_cause", "run_cause", ["cause", "run_id"])
    op.create_index(
        "run_task_left_out", "run_task", ["run_id", "wave", "left_out"], sqlite_where=sa.text("left_out <> ''")
    )
