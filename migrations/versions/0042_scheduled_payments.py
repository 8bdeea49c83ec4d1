"""Payments planned for a later day, customers' own choice of reminders, and which notice of a card's end was given.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
STATUSES = ("planned", "started", "cancelled", "failed")


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


def _moment(name: str, comment: str | None = None) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True, comment=comment)


def _created(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    _create_scheduled_payments()
    op.create_table(
        "reminder_choices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "days",
            JSONB(),
            server_default="[]",
            nullable=False,
            comment="days after the due day; negative: before it",
        ),
        sa.Column("by_mail", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("by_text", sa.Boolean(), server_default="false", nullable=False),
        _created("updated_at"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("by_mail OR by_text OR days = '[]'", name=op.f("ck_reminder_choices_goes_out_somehow")),
        _reference("reminder_choices", "user_id", "users"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_reminder_choices_tenant_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_reminder_choices")),
    )
    for table in ("scheduled_payments", "reminder_choices"):
        _protect(table)
    op.add_column(
        "payment_methods",
        sa.Column(
            "expiry_told",
            sa.String(20),
            server_default="",
            nullable=False,
            comment="the last notice of its end: 2028-08:30",
        ),
    )


def _create_scheduled_payments() -> None:
    table = "scheduled_payments"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True, comment="NULL: all that is due then"),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="in the tenant's zone"),
        sa.Column("charge_at", sa.DateTime(timezone=True), nullable=False, comment="as that day begins"),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="schedulestatus", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("code", sa.String(60), nullable=True, comment="why it ended without a payment"),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("noticed_at", "announced the day before"),
        _moment("told_at", "that it ended by itself"),
        _created("created_at"),
        _created("updated_at"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_scheduled_payments_amount_positive")),
        sa.CheckConstraint(
            "(status = 'started') = (payment_id IS NOT NULL)", name=op.f("ck_scheduled_payments_started_with_payment")
        ),
        _reference(table, "customer_id", "companies"),
        _reference(table, "invoice_id", "invoices"),
        _reference(table, "method_id", "payment_methods"),
        _reference(table, "payment_id", "payments"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_scheduled_payments_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_payments")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_scheduled_payments_tenant_id_id")),
    )
    op.create_index(
        "ix_scheduled_payments_customer", table, ["tenant_id", "customer_id", "charge_at", "id"], unique=False
    )
    op.create_index(
        "ix_scheduled_payments_planned",
        table,
        ["tenant_id", "invoice_id"],
        unique=False,
        postgresql_where=sa.text("status = 'planned'"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
