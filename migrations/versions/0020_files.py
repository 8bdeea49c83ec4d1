"""Files of tickets, and how much each tenant keeps.

Revision ID: 0020
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
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
    op.create_table(
        "storage_use",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_storage_use_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_storage_use")),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("storage_key", sa.String(length=120), nullable=False, comment="random; says nothing of the file"),
        sa.Column(
            "state",
            sa.Enum(
                "scanning", "clean", "refused", name="filestate", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("width", sa.Integer(), nullable=True, comment="pixels, of images"),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("thumbnail_key", sa.String(length=120), nullable=True),
        sa.Column("is_internal", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "purpose",
            sa.String(length=20),
            server_default="message",
            nullable=False,
            comment="message, solution or recording (TKT-16)",
        ),
        sa.Column(
            "consent_at", sa.DateTime(timezone=True), nullable=True, comment="when the customer agreed to a recording"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["portal_ticket_messages.tenant_id", "portal_ticket_messages.id"],
            name=op.f("fk_attachments_tenant_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_attachments_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "uploaded_by"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_attachments_tenant_id_uploaded_by"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_attachments_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_attachments_tenant_id_id")),
    )
    op.create_index(
        "ix_attachments_loose",
        "attachments",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("ticket_id IS NULL"),
    )
    op.create_index("ix_attachments_ticket", "attachments", ["tenant_id", "ticket_id", "created_at"], unique=False)
    for table in ("attachments", "storage_use"):
        _protect(table)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
