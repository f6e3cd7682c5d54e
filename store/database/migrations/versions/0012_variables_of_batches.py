"""variables that wait in a batch

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
WAITS = sa.text("batch_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("variable", sa.Column("batch_id", STRING, nullable=True))
    op.create_index("variable_batch", "variable", ["batch_id"], sqlite_where=WAITS, postgresql_where=WAITS)


def downgrade() -> None:
    op.execute("DELETE FROM variable WHERE batch_id IS NOT NULL")
    op.drop_index("variable_batch", "variable")
    op.drop_column("variable", "batch_id")
