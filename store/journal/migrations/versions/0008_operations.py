"""what a launch and a run do: their operation with its arguments; retries only where they are set

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("launch", "run"):
        op.add_column(table, sa.Column("operation", sa.String(), nullable=False, server_default="retry"))
        op.add_column(table, sa.Column("arguments", sa.Text(), nullable=False, server_default="{}"))
        # SQLite lets a column be null only in a new table. The numbers of rows that are gone are not given again.
        last = op.get_bind().scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table})
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as new:
            new.alter_column("retries", existing_type=sa.Integer(), nullable=True)
        if last is not None:
            op.get_bind().execute(
                sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), {"last": last, "name": table}
            )
