"""run_wave.counted_at: when what became of the tasks of a wave was counted

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_wave", sa.Column("counted_at", sa.BigInteger(), nullable=True))
