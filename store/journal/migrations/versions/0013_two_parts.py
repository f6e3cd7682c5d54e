"""run.part, run.other_part: one decision over tasks and jobs is a run of two parts

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("part", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("run", sa.Column("other_part", sa.Integer(), nullable=True))
