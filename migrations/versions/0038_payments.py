"""Auto-pay with its plan per invoice, and how far the gateway's own list of events was read.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
STATES = ("waiting", "charging", "needs_customer", "stopped", "done")


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_app")


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def upgrade() -> None:
    op.create_table(
        "auto_pay",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=True),
        sa.Column(
            "limit", sa.BigInteger(), nullable=True, comment="most that is charged at once; NULL: whatever is due"
        ),
        sa.Column("consent_by", sa.Uuid(), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_address", sa.String(45), server_default="", nullable=False),
        sa.Column("consent_version", sa.String(20), server_default="", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint('"limit" > 0', name=op.f("ck_auto_pay_limit_positive")),
        _reference("auto_pay", "customer_id", "companies"),
        _reference("auto_pay", "method_id", "payment_methods"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_auto_pay_tenant_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_auto_pay")),
    )
    op.create_table(
        "auto_pay_attempts",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="autopaystate", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(60), nullable=True, comment="why it is as it is"),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _reference("auto_pay_attempts", "invoice_id", "invoices"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_auto_pay_attempts_tenant_id")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_auto_pay_attempts")),
    )
    for table in ("auto_pay", "auto_pay_attempts"):
        _protect(table)
    op.create_table(
        "gateway_marks",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False, comment="Unix seconds, the gateway's clock"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateway_marks")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON gateway_marks TO portal_app")
    op.add_column("gateway_events", sa.Column("intent_id", sa.String(80), nullable=True, comment="where to look"))
    op.add_column("gateway_events", sa.Column("customer_id", sa.String(80), nullable=True, comment="where to look"))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
