"""Locks by age: forgotten ones are found and taken away without reading the others.

Revision ID: 0011
Revises: 0004
"""

from alembic import op

revision = "0011"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sign_in_locks_age", "sign_in_locks", ["tenant_id", "last_failed_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sign_in_locks_age", table_name="sign_in_locks")
