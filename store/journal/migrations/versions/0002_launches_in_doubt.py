"""launches of which no answer proves what became of them

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launch", sa.Column("sent_at", sa.BigInteger(), nullable=True))
    op.add_column("launch", sa.Column("probable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("launch", sa.Column("looked_at", sa.BigInteger(), nullable=True))
    op.create_index("launch_state", "launch", ["engine", "state"])
