"""batches keep what they do as JSON of their type, and jobs may belong to a process instance

Revision ID: 0011
Revises: 0010
"""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_BATCH = sa.table(
    "batch",
    sa.column("id"),
    sa.column("retries"),
    sa.column("due_date"),
    sa.column("sets_due_date", sa.Boolean()),
    sa.column("configuration"),
)


def upgrade() -> None:
    op.add_column("batch", sa.Column("configuration", TEXT, nullable=False, server_default="{}"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_BATCH)).all():
        kept = {"retries": row.retries}
        if row.sets_due_date:
            kept["dueDate"] = None if row.due_date is None else _moment(row.due_date)
        connection.execute(sa.update(_BATCH).where(_BATCH.c.id == row.id).values(configuration=json.dumps(kept)))
    for column in ("retries", "due_date", "sets_due_date"):
        op.drop_column("batch", column)
    for table in ("job", "job_log"):
        op.add_column(table, sa.Column("process_instance_id", STRING, nullable=True))


def _moment(milliseconds: int) -> str:
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}+0000"


def downgrade() -> None:
    for table in ("job", "job_log"):
        op.drop_column(table, "process_instance_id")
    op.add_column("batch", sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batch", sa.Column("due_date", sa.BigInteger(), nullable=True))
    op.add_column("batch", sa.Column("sets_due_date", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_BATCH)).all():
        kept = json.loads(row.configuration)
        connection.execute(sa.update(_BATCH).where(_BATCH.c.id == row.id).values(retries=kept.get("retries", 0)))
    op.drop_column("batch", "configuration")
