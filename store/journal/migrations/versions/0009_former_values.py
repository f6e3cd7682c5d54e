"""run_task.was: what an operation is to change, as it was before

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_task", sa.Column("was", sa.Text(), nullable=False, server_default=""))
