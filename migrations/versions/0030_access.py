"""How much chance is in a recovery code.

Revision ID: 0030
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0021"
branch_labels = None
depends_on = None

# Fifteen of 31 characters: what every code was until now.
SHORT = "74"


def upgrade() -> None:
    op.add_column(
        "recovery_codes",
        sa.Column("bits", sa.SmallInteger(), server_default=SHORT, nullable=False, comment="entropy of the code"),
    )
    op.alter_column("recovery_codes", "bits", server_default=None)


def downgrade() -> None:
    op.drop_column("recovery_codes", "bits")
