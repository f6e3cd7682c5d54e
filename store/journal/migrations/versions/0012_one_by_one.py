"""launch_task.outcome: what came of a unit that has a request of its own

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launch_task", sa.Column("outcome", sa.String(), nullable=False, server_default=""))
