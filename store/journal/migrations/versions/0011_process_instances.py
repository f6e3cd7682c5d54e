"""run_task.process_instance: whose variables are set before a task gets retries

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_task", sa.Column("process_instance", sa.String(), nullable=True))
