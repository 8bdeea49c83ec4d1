"""Discounts by quantity of catalogue items.

Revision ID: 0046
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "catalog_items",
        sa.Column(
            "discounts",
            JSONB(),
            server_default="[]",
            nullable=False,
            comment="[{from, percent}, …] as texts: so many percent off from this quantity on, the lowest first",
        ),
    )


def downgrade() -> None:
    op.drop_column("catalog_items", "discounts")
