"""How much chance is in a recovery code; how an identity provider must have asked, and its sign-outs.

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
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
LOGOUTS = "provider_logouts"
BEGUN_THROUGH = ("auth_sessions", "sign_in_challenges")


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

    _add_logouts()


def _add_logouts() -> None:
    for table, why, name in (
        ("auth_sessions", "the identity provider it was begun through", "the provider's own name for its session"),
        ("sign_in_challenges", "whose proof the first one was", "its own name for its session"),
    ):
        op.add_column(table, sa.Column("provider_id", sa.Uuid(), comment=why))
        op.add_column(table, sa.Column("provider_sid", sa.String(255), comment=name))
    op.create_index(
        "ix_auth_sessions_provider",
        "auth_sessions",
        ["tenant_id", "provider_id", "provider_sid"],
        postgresql_where=sa.text("provider_id IS NOT NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        LOGOUTS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False, comment="of its jti"),
        sa.Column("sid", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_id"],
            ["identity_providers.tenant_id", "identity_providers.id"],
            name=op.f(f"fk_{LOGOUTS}_tenant_id_provider_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{LOGOUTS}_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{LOGOUTS}")),
        sa.UniqueConstraint(
            "tenant_id", "provider_id", "token_hash", name=op.f(f"uq_{LOGOUTS}_tenant_id_provider_id_token_hash")
        ),
    )
    op.create_index(f"ix_{LOGOUTS}_sid", LOGOUTS, ["tenant_id", "provider_id", "sid"])
    op.create_index(f"ix_{LOGOUTS}_expiry", LOGOUTS, ["tenant_id", "expires_at"])
    op.execute(f"ALTER TABLE {LOGOUTS} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {LOGOUTS} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {LOGOUTS} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {LOGOUTS} TO portal_app")


def downgrade() -> None:
    op.drop_table(LOGOUTS)
    op.drop_index("ix_auth_sessions_provider", "auth_sessions")
    for table in BEGUN_THROUGH:
        op.drop_column(table, "provider_sid")
        op.drop_column(table, "provider_id")
    for name in ("max_age_minutes", "demanded_amr", "demanded_acr"):
        op.drop_column("identity_providers", name)
    op.drop_column("recovery_codes", "bits")
