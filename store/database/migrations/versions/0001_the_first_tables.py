"""the first tables

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Texts are compared byte by byte, as SQLite does it, whatever the language of a PostgreSQL database is.
STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", STRING, nullable=False),
        sa.Column("type", STRING, nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("job_retries", sa.Integer(), nullable=False),
        sa.Column("elements", sa.Integer(), nullable=False),
        sa.Column("seeded", sa.Integer(), nullable=False),
        sa.Column("total_jobs", sa.Integer(), nullable=False),
        sa.Column("jobs_created", sa.Integer(), nullable=False),
        sa.Column("batch_jobs_per_seed", sa.Integer(), nullable=False),
        sa.Column("invocations_per_batch_job", sa.Integer(), nullable=False),
        sa.Column("seed_job_definition_id", STRING, nullable=False),
        sa.Column("monitor_job_definition_id", STRING, nullable=False),
        sa.Column("batch_job_definition_id", STRING, nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.Column("create_user_id", STRING, nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("execution_start_time", sa.BigInteger(), nullable=True),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(
            "batch_running",
            ["id"],
            unique=False,
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.create_index("batch_start", ["start_time"], unique=False)

    op.create_table(
        "batch_element",
        sa.Column("batch_id", STRING, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("element_id", STRING, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "ordinal"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch_group",
        sa.Column("batch_id", STRING, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("past", sa.Integer(), nullable=False),
        sa.Column("deployment_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "first"),
    )
    op.create_table(
        "deployment",
        sa.Column("id", STRING, nullable=False),
        sa.Column("name", STRING, nullable=True),
        sa.Column("source", STRING, nullable=True),
        sa.Column("deployment_time", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "deployment_resource",
        sa.Column("deployment_id", STRING, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", "name"),
    )
    op.create_table(
        "error_details",
        sa.Column("external_task_id", STRING, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("external_task_id"),
    )
    op.create_table(
        "execution",
        sa.Column("id", STRING, nullable=False),
        sa.Column("process_instance_id", STRING, nullable=False),
        sa.Column("activity_id", STRING, nullable=False),
        sa.Column("activity_instance_id", STRING, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("execution", schema=None) as batch_op:
        batch_op.create_index("execution_instance", ["process_instance_id", "activity_id"], unique=False)

    op.create_table(
        "external_task",
        sa.Column("id", STRING, nullable=False),
        sa.Column("topic_name", STRING, nullable=False),
        sa.Column("process_instance_id", STRING, nullable=False),
        sa.Column("process_definition_id", STRING, nullable=False),
        sa.Column("execution_id", STRING, nullable=False),
        sa.Column("activity_id", STRING, nullable=False),
        sa.Column("activity_instance_id", STRING, nullable=False),
        sa.Column("worker_id", STRING, nullable=True),
        sa.Column("lock_expiration_time", sa.BigInteger(), nullable=True),
        sa.Column("create_time", sa.BigInteger(), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=True),
        sa.Column("error_message", TEXT, nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("external_task", schema=None) as batch_op:
        batch_op.create_index("external_task_created", ["create_time"], unique=False)
        batch_op.create_index("external_task_definition", ["process_definition_id"], unique=False)
        batch_op.create_index("external_task_instance", ["process_instance_id"], unique=False)
        batch_op.create_index(
            "external_task_locked",
            ["lock_expiration_time"],
            unique=False,
            sqlite_where=sa.text("lock_expiration_time IS NOT NULL"),
            postgresql_where=sa.text("lock_expiration_time IS NOT NULL"),
        )
        batch_op.create_index("external_task_priority", ["priority"], unique=False)
        batch_op.create_index(
            "external_task_ready",
            ["topic_name", "priority", sa.text("create_time DESC"), "lock_expiration_time"],
            unique=False,
            sqlite_where=sa.text("(retries IS NULL OR retries > 0) AND NOT suspended"),
            postgresql_where=sa.text("(retries IS NULL OR retries > 0) AND NOT suspended"),
        )
        batch_op.create_index(
            "external_task_failed",
            ["id"],
            unique=False,
            sqlite_where=sa.text("retries = 0"),
            postgresql_where=sa.text("retries = 0"),
        )
        batch_op.create_index(
            "external_task_failed_topic",
            ["topic_name"],
            unique=False,
            sqlite_where=sa.text("retries = 0"),
            postgresql_where=sa.text("retries = 0"),
        )
        batch_op.create_index("external_task_topic", ["topic_name"], unique=False)
        batch_op.create_index(
            "external_task_worker",
            ["worker_id"],
            unique=False,
            sqlite_where=sa.text("worker_id IS NOT NULL"),
            postgresql_where=sa.text("worker_id IS NOT NULL"),
        )

    op.create_table(
        "external_task_log",
        sa.Column("id", STRING, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("external_task_id", STRING, nullable=False),
        sa.Column("topic_name", STRING, nullable=False),
        sa.Column("worker_id", STRING, nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=True),
        sa.Column("error_message", TEXT, nullable=True),
        sa.Column("error_details", TEXT, nullable=True),
        sa.Column("activity_id", STRING, nullable=False),
        sa.Column("activity_instance_id", STRING, nullable=False),
        sa.Column("execution_id", STRING, nullable=False),
        sa.Column("process_instance_id", STRING, nullable=False),
        sa.Column("process_definition_id", STRING, nullable=False),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("external_task_log", schema=None) as batch_op:
        batch_op.create_index("external_task_log_instance", ["process_instance_id"], unique=False)
        batch_op.create_index("external_task_log_task", ["external_task_id"], unique=False)

    op.create_table(
        "incident",
        sa.Column("id", STRING, nullable=False),
        sa.Column("incident_type", STRING, nullable=False),
        sa.Column("state", STRING, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("configuration", STRING, nullable=True),
        sa.Column("incident_message", TEXT, nullable=True),
        sa.Column("process_instance_id", STRING, nullable=True),
        sa.Column("process_definition_id", STRING, nullable=True),
        sa.Column("execution_id", STRING, nullable=True),
        sa.Column("activity_id", STRING, nullable=True),
        sa.Column("failed_activity_id", STRING, nullable=True),
        sa.Column("job_definition_id", STRING, nullable=True),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.Column("history_configuration", STRING, nullable=True),
        sa.Column("annotation", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("incident_instance", ["process_instance_id"], unique=False)
        batch_op.create_index("incident_job_definition", ["job_definition_id"], unique=False)
        batch_op.create_index(
            "incident_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.create_index(
            "incident_open_configuration",
            ["configuration"],
            unique=False,
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )

    op.create_table(
        "job",
        sa.Column("id", STRING, nullable=False),
        sa.Column("job_type", STRING, nullable=False),
        sa.Column("job_definition_id", STRING, nullable=False),
        sa.Column("batch_id", STRING, nullable=False),
        sa.Column("deployment_id", STRING, nullable=True),
        sa.Column("first", sa.Integer(), nullable=True),
        sa.Column("past", sa.Integer(), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("due_date", sa.BigInteger(), nullable=True),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("lock_owner", STRING, nullable=True),
        sa.Column("lock_expiration_time", sa.BigInteger(), nullable=True),
        sa.Column("exception_message", TEXT, nullable=True),
        sa.Column("exception_stacktrace", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("job_definition_of", ["job_definition_id", "retries"], unique=False)
        batch_op.create_index(
            "job_ready",
            ["id"],
            unique=False,
            sqlite_where=sa.text("retries > 0 AND NOT suspended"),
            postgresql_where=sa.text("retries > 0 AND NOT suspended"),
        )

    op.create_table(
        "job_definition",
        sa.Column("id", STRING, nullable=False),
        sa.Column("job_type", STRING, nullable=False),
        sa.Column("job_configuration", STRING, nullable=True),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("overriding_job_priority", sa.BigInteger(), nullable=True),
        sa.Column("deployment_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("job_definition", schema=None) as batch_op:
        batch_op.create_index("job_definition_configuration", ["job_configuration"], unique=False)

    op.create_table(
        "job_log",
        sa.Column("id", STRING, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("job_id", STRING, nullable=False),
        sa.Column("job_type", STRING, nullable=False),
        sa.Column("job_definition_id", STRING, nullable=False),
        sa.Column("batch_id", STRING, nullable=False),
        sa.Column("deployment_id", STRING, nullable=True),
        sa.Column("job_retries", sa.Integer(), nullable=False),
        sa.Column("job_priority", sa.BigInteger(), nullable=False),
        sa.Column("job_due_date", sa.BigInteger(), nullable=True),
        sa.Column("exception_message", TEXT, nullable=True),
        sa.Column("exception_stacktrace", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("job_log", schema=None) as batch_op:
        batch_op.create_index("job_log_batch", ["batch_id", "state"], unique=False)

    op.create_table(
        "process_definition",
        sa.Column("id", STRING, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", STRING, nullable=True),
        sa.Column("category", STRING, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("version_tag", STRING, nullable=True),
        sa.Column("history_time_to_live", sa.Integer(), nullable=True),
        sa.Column("deployment_id", STRING, nullable=False),
        sa.Column("resource", STRING, nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("process_definition", schema=None) as batch_op:
        batch_op.create_index("process_definition_deployment", ["deployment_id"], unique=False)
        batch_op.create_index("process_definition_key", ["key", "tenant_id", "version"], unique=False)

    op.create_table(
        "process_instance",
        sa.Column("id", STRING, nullable=False),
        sa.Column("process_definition_id", STRING, nullable=False),
        sa.Column("business_key", STRING, nullable=True),
        sa.Column("tenant_id", STRING, nullable=True),
        sa.Column("state", STRING, nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("start_activity_id", STRING, nullable=True),
        sa.Column("start_user_id", STRING, nullable=True),
        sa.Column("delete_reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("process_instance", schema=None) as batch_op:
        batch_op.create_index("process_instance_business_key", ["business_key"], unique=False)
        batch_op.create_index("process_instance_definition", ["process_definition_id"], unique=False)
        batch_op.create_index("process_instance_end", ["end_time"], unique=False)
        batch_op.create_index(
            "process_instance_running",
            ["id"],
            unique=False,
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.create_index("process_instance_start", ["start_time"], unique=False)

    op.create_table(
        "variable",
        sa.Column("id", STRING, nullable=False),
        sa.Column("process_instance_id", STRING, nullable=False),
        sa.Column("execution_id", STRING, nullable=True),
        sa.Column("name", STRING, nullable=False),
        sa.Column("type", STRING, nullable=False),
        sa.Column("text_value", TEXT, nullable=True),
        sa.Column("long_value", sa.BigInteger(), nullable=True),
        sa.Column("double_value", sa.Float(), nullable=True),
        sa.Column("value_info", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("variable", schema=None) as batch_op:
        batch_op.create_index("variable_name", ["name", "text_value"], unique=False)
        batch_op.create_index("variable_scope", ["process_instance_id", "execution_id", "name"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("variable", schema=None) as batch_op:
        batch_op.drop_index("variable_scope")
        batch_op.drop_index("variable_name")

    op.drop_table("variable")
    with op.batch_alter_table("process_instance", schema=None) as batch_op:
        batch_op.drop_index("process_instance_start")
        batch_op.drop_index(
            "process_instance_running",
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.drop_index("process_instance_end")
        batch_op.drop_index("process_instance_definition")
        batch_op.drop_index("process_instance_business_key")

    op.drop_table("process_instance")
    with op.batch_alter_table("process_definition", schema=None) as batch_op:
        batch_op.drop_index("process_definition_key")
        batch_op.drop_index("process_definition_deployment")

    op.drop_table("process_definition")
    with op.batch_alter_table("job_log", schema=None) as batch_op:
        batch_op.drop_index("job_log_batch")

    op.drop_table("job_log")
    with op.batch_alter_table("job_definition", schema=None) as batch_op:
        batch_op.drop_index("job_definition_configuration")

    op.drop_table("job_definition")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "job_ready",
            sqlite_where=sa.text("retries > 0 AND NOT suspended"),
            postgresql_where=sa.text("retries > 0 AND NOT suspended"),
        )
        batch_op.drop_index("job_definition_of")

    op.drop_table("job")
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index(
            "incident_open_configuration",
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.drop_index(
            "incident_open",
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )
        batch_op.drop_index("incident_job_definition")
        batch_op.drop_index("incident_instance")

    op.drop_table("incident")
    with op.batch_alter_table("external_task_log", schema=None) as batch_op:
        batch_op.drop_index("external_task_log_task")
        batch_op.drop_index("external_task_log_instance")

    op.drop_table("external_task_log")
    with op.batch_alter_table("external_task", schema=None) as batch_op:
        batch_op.drop_index(
            "external_task_worker",
            sqlite_where=sa.text("worker_id IS NOT NULL"),
            postgresql_where=sa.text("worker_id IS NOT NULL"),
        )
        batch_op.drop_index("external_task_topic")
        batch_op.drop_index("external_task_failed")
        batch_op.drop_index("external_task_failed_topic")
        batch_op.drop_index(
            "external_task_ready",
            sqlite_where=sa.text("(retries IS NULL OR retries > 0) AND NOT suspended"),
            postgresql_where=sa.text("(retries IS NULL OR retries > 0) AND NOT suspended"),
        )
        batch_op.drop_index("external_task_priority")
        batch_op.drop_index(
            "external_task_locked",
            sqlite_where=sa.text("lock_expiration_time IS NOT NULL"),
            postgresql_where=sa.text("lock_expiration_time IS NOT NULL"),
        )
        batch_op.drop_index("external_task_instance")
        batch_op.drop_index("external_task_definition")
        batch_op.drop_index("external_task_created")

    op.drop_table("external_task")
    with op.batch_alter_table("execution", schema=None) as batch_op:
        batch_op.drop_index("execution_instance")

    op.drop_table("execution")
    op.drop_table("error_details")
    op.drop_table("deployment_resource")
    op.drop_table("deployment")
    op.drop_table("batch_group")
    op.drop_table("batch_element")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index("batch_start")
        batch_op.drop_index(
            "batch_running",
            sqlite_where=sa.text("end_time IS NULL"),
            postgresql_where=sa.text("end_time IS NULL"),
        )

    op.drop_table("batch")
