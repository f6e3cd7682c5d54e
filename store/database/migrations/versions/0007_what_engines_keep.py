"""the case of an instance, definitions that are not for task lists, and entries that outlive their instance

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("process_instance", sa.Column("case_instance_id", STRING, nullable=True))
    op.add_column(
        "process_definition",
        sa.Column("startable_in_tasklist", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("user_operation", sa.Column("removal_time", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("user_operation", "removal_time")
    op.drop_column("process_definition", "startable_in_tasklist")
    op.drop_column("process_instance", "case_instance_id")
