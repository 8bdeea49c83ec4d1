"""Finding what is rated by the time it was solved, and where somebody of the team is right now.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "idx_tickets_rated",
        "portal_tickets",
        ["tenant_id", "resolved_at", "id"],
        postgresql_where=sa.text("satisfaction_rating IS NOT NULL"),
    )
    op.create_index("ix_ticket_presence_user", "ticket_presence", ["tenant_id", "user_id"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
