"""Statements of accounts, and files that a mail takes along.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("kind", _enum("statementkind", "period", "annual"), nullable=False),
        sa.Column("format", _enum("statementformat", "pdf", "xlsx", "csv"), nullable=False),
        sa.Column("state", _enum("statementstate", "queued", "ready", "failed"), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False, comment="included"),
        sa.Column("zone", sa.String(64), nullable=False, comment="whose days these are"),
        sa.Column("locale", sa.String(10), nullable=False),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="the database's own clock: what was booked later is not in it",
        ),
        sa.Column("attach", sa.Boolean(), server_default="false", nullable=False, comment="to the mail"),
        sa.Column(
            "figures",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="[{currency, opening, closing, lines}, …]",
        ),
        sa.Column("failure", sa.String(60), nullable=True, comment="code of why it was not made"),
        sa.Column("storage_key", sa.String(120), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("end_on >= start_on", name=op.f("ck_statements_ends_after_start")),
        sa.CheckConstraint(
            "(state = 'ready') = (storage_key IS NOT NULL)", name=op.f("ck_statements_stored_when_ready")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_statements_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_statements_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_statements_tenant_id_id")),
    )
    op.create_index("ix_statements_customer", "statements", ["tenant_id", "customer_id", "created_at", "id"])
    op.execute("ALTER TABLE statements ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE statements FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON statements USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON statements TO portal_app")
    op.add_column(
        "mail_messages",
        sa.Column(
            "attachment", postgresql.JSONB(), nullable=True, comment="{key, name, content_type} of a stored file"
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
