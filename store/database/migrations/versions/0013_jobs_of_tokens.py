"""jobs that tokens of process instances wait for

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
READY = "retries > 0 AND NOT suspended"
WITHOUT_DATE = sa.text(f"{READY} AND due_date IS NULL")
WITH_DATE = sa.text(f"{READY} AND due_date IS NOT NULL")
OF_TOKEN = sa.text("execution_id IS NOT NULL")
OF_PROCESS = sa.text("process_definition_id IS NOT NULL")

OF_JOB = ("process_definition_id", "execution_id", "activity_id", "flow_id", "failed_activity_id", "tenant_id")
OF_LOG = (*OF_JOB[:3], *OF_JOB[4:], "job_configuration")
OF_DEFINITION = ("process_definition_id", "activity_id", "tenant_id")


def upgrade() -> None:
    # A store that was left half filled with a demo world has none of its indexes.
    op.drop_index("job_ready", "job", if_exists=True)
    op.drop_index("execution_instance", "execution", if_exists=True)
    with op.batch_alter_table("job", table_kwargs={"sqlite_with_rowid": False}) as job:
        job.alter_column("batch_id", existing_type=STRING, nullable=True)
    with op.batch_alter_table("job_log", table_kwargs={"sqlite_with_rowid": False}) as log:
        log.alter_column("batch_id", existing_type=STRING, nullable=True)
    for table, names in (
        ("job", OF_JOB),
        ("job_log", OF_LOG),
        ("job_definition", OF_DEFINITION),
    ):
        for name in names:
            op.add_column(table, sa.Column(name, STRING, nullable=True))
    op.add_column("execution", sa.Column("in_transition", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("execution_instance", "execution", ["process_instance_id", "activity_id", "in_transition"])
    _index("job_ready", "job", "id", WITHOUT_DATE)
    _index("job_due", "job", "due_date", WITH_DATE)
    _index("job_instance", "job", "process_instance_id", OF_TOKEN)
    _index("job_log_instance", "job_log", "process_instance_id", OF_TOKEN)
    _index("job_definition_process", "job_definition", "process_definition_id", OF_PROCESS)


def downgrade() -> None:
    for index, table in (
        ("job_definition_process", "job_definition"),
        ("job_log_instance", "job_log"),
        ("job_instance", "job"),
        ("job_due", "job"),
        ("job_ready", "job"),
        ("execution_instance", "execution"),
    ):
        op.drop_index(index, table)
    for table, names in (("job_definition", OF_DEFINITION), ("job_log", OF_LOG), ("job", OF_JOB)):
        if table != "job_definition":
            op.execute(f"DELETE FROM {table} WHERE batch_id IS NULL")
        with op.batch_alter_table(table) as altered:
            for name in names:
                altered.drop_column(name)
    op.drop_column("execution", "in_transition")
    op.create_index("execution_instance", "execution", ["process_instance_id", "activity_id"])
    _index("job_ready", "job", "id", sa.text(READY))


def _index(name: str, table: str, column: str, of: sa.TextClause) -> None:
    op.create_index(name, table, [column], sqlite_where=of, postgresql_where=of)
