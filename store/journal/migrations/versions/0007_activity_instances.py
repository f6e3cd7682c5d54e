"""run_task.instance: the activity instance of a task

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_task", sa.Column("instance", sa.String(), nullable=True))
