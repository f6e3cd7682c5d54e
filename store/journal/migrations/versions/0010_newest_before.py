"""launch.newest_before: when the newest batch began that was there before a launch was sent

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launch", sa.Column("newest_before", sa.BigInteger(), nullable=True))
