"""Colleagues: companies whose people see all tickets, search that knows what was shared; the switch for keys.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "companies",
        sa.Column(
            "shares_tickets",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="everybody of the company sees all of its tickets",
        ),
    )
    op.add_column(
        "users",
        sa.Column("shortcuts", sa.Boolean(), server_default="true", nullable=False, comment="keys act (UXA-08)"),
    )
    op.execute("CREATE POLICY search ON ticket_followers FOR SELECT TO portal_search USING (true)")
    op.execute("GRANT SELECT ON ticket_followers TO portal_search")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
