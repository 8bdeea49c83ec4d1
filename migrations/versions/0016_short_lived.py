"""What is good for a short time is found by its end, to be forgotten.

Revision ID: 0016
Revises: 0014
"""

from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

SHORT_LIVED = ("sso_attempts", "sign_in_challenges", "one_time_links")


def upgrade() -> None:
    for table in SHORT_LIVED:
        op.create_index(f"ix_{table}_expiry", table, ["tenant_id", "expires_at"])
    # A login's links to providers: asked for at each first sign-in by address.
    op.create_index("ix_external_identities_user", "external_identities", ["tenant_id", "user_id"])


def downgrade() -> None:
    op.drop_index("ix_external_identities_user", "external_identities")
    for table in SHORT_LIVED:
        op.drop_index(f"ix_{table}_expiry", table)
