"""Disputes of customers, requests for a later due date, and what banks take back.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
NOW = sa.text("now()")
REASONS = (
    "wrong_amount",
    "not_delivered",
    "poor_quality",
    "billed_twice",
    "not_ordered",
    "already_paid",
    "other",
)


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


def _at(name: str, comment: str | None = None, *, always: bool = False) -> sa.Column:
    default = NOW if always else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not always, comment=comment)


def upgrade() -> None:
    op.add_column(
        "invoices",
        _at("dunning_from", "reminders and the late fee count from here where it is later than the due time"),
    )
    op.add_column("payments", _amount("charged_back", "taken back by the payer's bank"))
    op.alter_column(
        "payments", "disputed", existing_type=sa.BigInteger(), comment="by the payer's bank, which has not decided yet"
    )
    op.create_check_constraint(
        op.f("ck_payments_disputed_not_negative"), "payments", "disputed >= 0 AND charged_back >= 0"
    )
    _add_disputes()
    _add_lines()
    _add_extensions()
    _add_chargebacks()
    for table in ("disputes", "disputed_lines", "extension_requests", "chargebacks"):
        _protect(table)


def _add_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status", _choice("disputestatus", ("open", "under_review", "resolved", "withdrawn")), nullable=False
        ),
        sa.Column("outcome", _choice("disputeoutcome", ("accepted", "rejected")), nullable=True),
        sa.Column("reason", _choice("disputereason", REASONS), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        _amount("amount"),
        _amount("accepted", "what was given in to"),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True, comment="who resolved or withdrew it"),
        _at("opened_at", always=True),
        _at("reviewed_at"),
        _at("decided_at"),
        *_tenant("disputes"),
        _reference("disputes", "customer_id", "companies"),
        _reference("disputes", "invoice_id", "invoices"),
        _reference("disputes", "payment_id", "payments"),
        _reference("disputes", "credit_note_id", "invoices"),
        _reference("disputes", "refund_id", "refunds"),
        sa.CheckConstraint("(invoice_id IS NULL) <> (payment_id IS NULL)", name=op.f("ck_disputes_about_one")),
        sa.CheckConstraint(
            "amount > 0 AND accepted >= 0 AND accepted <= amount", name=op.f("ck_disputes_amounts_in_range")
        ),
        sa.CheckConstraint(
            "(status = 'resolved') = (outcome IS NOT NULL)", name=op.f("ck_disputes_decided_with_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_disputes_tenant_id_id")),
    )
    op.create_index("ix_disputes_customer", "disputes", ["tenant_id", "customer_id", "opened_at", "id"])
    op.create_index("ix_disputes_opened", "disputes", ["tenant_id", "opened_at", "id"])
    op.create_index("ix_disputes_invoice", "disputes", ["tenant_id", "invoice_id", "opened_at"])
    op.create_index(
        "uq_disputes_payment",
        "disputes",
        ["tenant_id", "payment_id"],
        unique=True,
        postgresql_where=sa.text("payment_id IS NOT NULL AND status IN ('open','under_review')"),
    )


def _add_lines() -> None:
    op.create_table(
        "disputed_lines",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        _amount("amount"),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        *_tenant("disputed_lines"),
        _reference("disputed_lines", "dispute_id", "disputes"),
        _reference("disputed_lines", "line_id", "invoice_lines"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_disputed_lines_amount_positive")),
        sa.PrimaryKeyConstraint("dispute_id", "line_id", name=op.f("pk_disputed_lines")),
    )
    op.create_index(
        "uq_disputed_lines_line",
        "disputed_lines",
        ["tenant_id", "line_id"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def _add_extensions() -> None:
    op.create_table(
        "extension_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("status", _choice("extensionstatus", ("open", "granted", "refused", "withdrawn")), nullable=False),
        sa.Column("due_before", sa.Date(), nullable=False, comment="the due date when it was asked for"),
        sa.Column("wanted_on", sa.Date(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _at("asked_at", always=True),
        _at("decided_at"),
        *_tenant("extension_requests"),
        _reference("extension_requests", "customer_id", "companies"),
        _reference("extension_requests", "invoice_id", "invoices"),
        sa.CheckConstraint(
            "(status = 'granted') = (granted_on IS NOT NULL)", name=op.f("ck_extension_requests_granted_with_day")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_requests")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_extension_requests_tenant_id_id")),
    )
    op.create_index("ix_extension_requests_asked", "extension_requests", ["tenant_id", "asked_at", "id"])
    op.create_index("ix_extension_requests_invoice", "extension_requests", ["tenant_id", "invoice_id", "asked_at"])
    op.create_index(
        "uq_extension_requests_open",
        "extension_requests",
        ["tenant_id", "invoice_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )


def _add_chargebacks() -> None:
    op.create_table(
        "chargebacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.String(80), nullable=False),
        sa.Column("state", _choice("chargebackstate", ("open", "won", "lost")), nullable=False),
        sa.Column("gateway_status", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False, comment="the gateway's own code"),
        sa.Column("currency", sa.String(3), nullable=False),
        _amount("amount"),
        _amount("booked", "what the ledger took back for it"),
        _at("due_by", "last moment for evidence at the gateway"),
        _at("opened_at", always=True),
        _at("decided_at"),
        _at("updated_at", always=True),
        *_tenant("chargebacks"),
        _reference("chargebacks", "payment_id", "payments"),
        sa.CheckConstraint("amount >= 0 AND booked >= 0", name=op.f("ck_chargebacks_amounts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chargebacks")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_chargebacks_tenant_id_id")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_chargebacks_gateway_id")),
    )
    op.create_index("ix_chargebacks_payment", "chargebacks", ["tenant_id", "payment_id"])
    op.create_index("ix_chargebacks_opened", "chargebacks", ["tenant_id", "opened_at", "id"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
