"""run_task.expiry: the lock expiration of a task when its run was frozen

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_task", sa.Column("expiry", sa.BigInteger(), nullable=True))
