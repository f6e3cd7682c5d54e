"""the history of incidents and the logs can be asked

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
FAILED = sa.text("state = 1")
OPEN = sa.text("end_time IS NULL")


def upgrade() -> None:
    # Not in a batch of alterations: SQLite then adds the column at once, instead of copying a table of a million rows.
    op.add_column("job_log", sa.Column("hostname", STRING, nullable=True))
    op.create_index("job_log_failed_job", "job_log", ["job_id"], sqlite_where=FAILED, postgresql_where=FAILED)
    for log in ("job_log", "external_task_log"):
        op.create_index(f"{log}_failed", log, ["timestamp"], sqlite_where=FAILED, postgresql_where=FAILED)
    op.create_index("external_task_log_time", "external_task_log", ["timestamp"])
    op.create_index("incident_created", "incident", ["create_time"])
    op.create_index("incident_configuration", "incident", ["configuration"])
    op.drop_index("incident_open_configuration", "incident")


def downgrade() -> None:
    op.create_index(
        "incident_open_configuration", "incident", ["configuration"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.drop_index("incident_configuration", "incident")
    op.drop_index("incident_created", "incident")
    op.drop_index("external_task_log_time", "external_task_log")
    for log in ("job_log", "external_task_log"):
        op.drop_index(f"{log}_failed", log)
    op.drop_index("job_log_failed_job", "job_log")
    op.drop_column("job_log", "hostname")
