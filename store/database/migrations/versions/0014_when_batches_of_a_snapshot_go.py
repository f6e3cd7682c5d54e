"""when the history of a batch in a snapshot goes, as its engine said

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch", sa.Column("removal_time", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("batch", "removal_time")
