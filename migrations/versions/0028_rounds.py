"""Rounds of a promise (further answers, regular updates) and promises that stay as they were.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "portal_tickets",
        sa.Column(
            "team_spoke_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the team's last public word; updates count from it",
        ),
    )
    op.add_column(
        "portal_tickets",
        sa.Column(
            "rounds_missed",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="further answers and updates that came late in this cycle",
        ),
    )
    op.add_column(
        "portal_tickets",
        sa.Column(
            "sla_policy_version",
            sa.Integer(),
            nullable=True,
            comment="the version it stays with, 0 for no promise; NULL follows the policies",
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
