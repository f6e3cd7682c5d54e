"""texts compared in any case, on PostgreSQL whatever the locale of the database

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HAS_ICU = sa.text(
    "SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') AND getdatabaseencoding() = 'UTF8'"
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    letters = "und-x-icu" if connection.execute(HAS_ICU).scalar_one() else "default"
    op.execute(
        "CREATE FUNCTION retriage_folded(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        f""" AS 'SELECT upper($1 COLLATE "{letters}")'"""
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION retriage_folded(text)")
