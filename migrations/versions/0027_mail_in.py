"""Mail in: how a tenant takes mail, and the messages that are held.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_app")


def upgrade() -> None:
    op.add_column(
        "inbound_mails",
        sa.Column("raw", sa.LargeBinary(), nullable=True, comment="the whole message, only while it is held"),
    )
    op.create_table(
        "mail_intakes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "trusted_host",
            sa.String(length=253),
            server_default="",
            nullable=False,
            comment="whose Authentication-Results are believed (RFC 8601)",
        ),
        sa.Column("verified_only", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("staff_replies", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("unknown_senders", sa.String(length=10), server_default="hold", nullable=False),
        sa.Column("stand_in_id", sa.Uuid(), nullable=True, comment="login that strangers' tickets are opened for"),
        sa.Column("category", sa.String(length=50), server_default="", nullable=False, comment="empty: the first one"),
        sa.Column("polled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("host", sa.String(length=253), server_default="", nullable=False),
        sa.Column("port", sa.Integer(), server_default="993", nullable=False),
        sa.Column("security", sa.String(length=10), server_default="tls", nullable=False, comment="tls or starttls"),
        sa.Column("username", sa.String(length=254), server_default="", nullable=False),
        sa.Column("password", sa.LargeBinary(), nullable=True, comment="encrypted (SEC-07)"),
        sa.Column("folder", sa.String(length=120), server_default="INBOX", nullable=False),
        sa.Column(
            "done_folder",
            sa.String(length=120),
            server_default="",
            nullable=False,
            comment="where taken messages go; empty: they are marked as read",
        ),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=60), server_default="", nullable=False),
        sa.Column("webhook_secret", sa.LargeBinary(), nullable=True, comment="encrypted (SEC-07)"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stand_in_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_mail_intakes_tenant_id_stand_in_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_mail_intakes_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_mail_intakes")),
    )
    _protect("mail_intakes")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
