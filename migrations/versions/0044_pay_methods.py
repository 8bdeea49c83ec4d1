"""Which ways of paying a tenant offers; cards and bank debits, as until now, unless it chooses others.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "billing_settings",
        sa.Column(
            "payment_methods",
            postgresql.JSONB(),
            server_default=sa.text("""'["card", "bank_debit"]'"""),
            nullable=False,
            comment="codes of the ways of paying that are offered",
        ),
    )


def downgrade() -> None:
    op.drop_column("billing_settings", "payment_methods")
