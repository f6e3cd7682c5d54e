"""batches that set the retries of jobs, and the user operation log

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("batch", sa.Column("due_date", sa.BigInteger(), nullable=True))
    op.add_column("batch", sa.Column("sets_due_date", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "user_operation",
        sa.Column("id", STRING, nullable=False),
        sa.Column("operation_id", STRING, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("operation_type", STRING, nullable=False),
        sa.Column("entity_type", STRING, nullable=False),
        sa.Column("property", STRING, nullable=True),
        sa.Column("org_value", TEXT, nullable=True),
        sa.Column("new_value", TEXT, nullable=True),
        sa.Column("deployment_id", STRING, nullable=True),
        sa.Column("process_definition_id", STRING, nullable=True),
        sa.Column("process_definition_key", STRING, nullable=True),
        sa.Column("process_instance_id", STRING, nullable=True),
        sa.Column("external_task_id", STRING, nullable=True),
        sa.Column("job_id", STRING, nullable=True),
        sa.Column("job_definition_id", STRING, nullable=True),
        sa.Column("batch_id", STRING, nullable=True),
        sa.Column("annotation", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("user_operation_call", "user_operation", ["operation_id"])
    op.create_index("user_operation_time", "user_operation", ["timestamp"])
    op.create_index("user_operation_instance", "user_operation", ["process_instance_id"])
    op.create_index("user_operation_batch", "user_operation", ["batch_id"])


def downgrade() -> None:
    op.drop_table("user_operation")
    op.drop_column("batch", "sets_due_date")
    op.drop_column("batch", "due_date")
