"""Payment plans: an invoice paid in instalments, agreed in writing.

Revision ID: 0047
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
STATUSES = ("open", "granted", "refused", "withdrawn", "in_force", "kept", "missed", "ended")


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


def _tenant(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
    )


def _choice(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def _amount(name: str, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False, comment=comment)


def _at(name: str, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True, comment=comment)


def upgrade() -> None:
    op.add_column(
        "invoices",
        _at("plan_due_at", "while a payment plan is in force: the due time of its first unpaid instalment"),
    )
    op.alter_column(
        "signatures",
        "record_type",
        existing_type=sa.String(20),
        existing_nullable=False,
        comment="quote, contract or payment_plan",
    )
    _add_plans()
    _add_instalments()
    for table in ("payment_plans", "plan_instalments"):
        _protect(table)


def _add_plans() -> None:
    table = "payment_plans"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("status", _choice("planstatus", STATUSES), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("wanted_count", sa.Integer(), nullable=False),
        sa.Column("wanted_interval", _choice("planinterval", ("monthly", "weekly")), nullable=False),
        sa.Column("wanted_first_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _amount("total", "what was outstanding when it was granted"),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(32), nullable=True, comment="of what was offered"),
        sa.Column("signature_id", sa.Uuid(), nullable=True, comment="the customer's acceptance"),
        sa.Column("method_id", sa.Uuid(), nullable=True, comment="charged with the instalments; NULL: paid by hand"),
        sa.Column("code", sa.String(60), nullable=True, comment="why it ended before it was kept or missed"),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _at("decided_at"),
        _at("accepted_at"),
        _at("ended_at"),
        *_tenant(table),
        _reference(table, "customer_id", "companies"),
        _reference(table, "invoice_id", "invoices"),
        _reference(table, "signature_id", "signatures"),
        _reference(table, "method_id", "payment_methods"),
        sa.CheckConstraint("wanted_count BETWEEN 2 AND 12", name=op.f("ck_payment_plans_count_in_range")),
        sa.CheckConstraint("total >= 0", name=op.f("ck_payment_plans_total_not_negative")),
        sa.CheckConstraint(
            "status NOT IN ('granted','in_force','kept','missed') OR content_sha256 IS NOT NULL",
            name=op.f("ck_payment_plans_granted_with_content"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('in_force','kept','missed') OR signature_id IS NOT NULL",
            name=op.f("ck_payment_plans_in_force_when_signed"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_plans")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_payment_plans_tenant_id_id")),
    )
    op.create_index("ix_payment_plans_asked", table, ["tenant_id", "asked_at", "id"])
    op.create_index("ix_payment_plans_invoice", table, ["tenant_id", "invoice_id", "asked_at"])
    op.create_index(
        "uq_payment_plans_standing",
        table,
        ["tenant_id", "invoice_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('open','granted','in_force')"),
    )


def _add_instalments() -> None:
    table = "plan_instalments"
    op.create_table(
        table,
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False, comment="in the tenant's zone"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, comment="the instant that day ends"),
        _amount("amount"),
        _at("paid_at", "when what was paid since covered it"),
        sa.Column("scheduled_id", sa.Uuid(), nullable=True, comment="the charge that was planned for it"),
        *_tenant(table),
        _reference(table, "plan_id", "payment_plans"),
        _reference(table, "scheduled_id", "scheduled_payments"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_plan_instalments_amount_positive")),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("pk_plan_instalments")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
