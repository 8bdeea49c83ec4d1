"""How much chance is in a recovery code; how an identity provider must have asked.

Revision ID: 0030
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0028"
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
    for name in ("demanded_acr", "demanded_amr"):
        wanted = sa.Column(name, sa.String(255), server_default="", nullable=False, comment="one of these")
        op.add_column("identity_providers", wanted)
    op.add_column(
        "identity_providers",
        sa.Column("max_age_minutes", sa.Integer(), comment="since the person proved to be it there"),
    )


def downgrade() -> None:
    for name in ("max_age_minutes", "demanded_amr", "demanded_acr"):
        op.drop_column("identity_providers", name)
    op.drop_column("recovery_codes", "bits")
