"""Statements of the bank, the money on them and what it was matched with; write-offs of invoices.

Revision ID: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
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
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO portal_app")


def _tenant(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint, sa.PrimaryKeyConstraint, sa.UniqueConstraint]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{table}_tenant_id_id")),
    )


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def _state(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def _text(name: str, length: int, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.String(length), server_default="", nullable=False, comment=comment)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _count(name: str, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False, comment=comment)


def _statements() -> None:
    op.create_table(
        "bank_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("format", _state("bankstatementformat", "camt", "csv"), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column(
            "mapping",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="of a CSV: what its columns were said to mean",
        ),
        _count("added"),
        _count("known", "were there already"),
        _count("passed_over", "debits, not booked yet"),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *_tenant("bank_statements"),
    )
    op.create_index("ix_bank_statements_created", "bank_statements", ["tenant_id", "created_at", "id"])


def _transactions() -> None:
    op.create_table(
        "bank_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(40), nullable=False, comment="IBAN or number of the tenant's own account"),
        sa.Column("key", sa.String(64), nullable=False, comment="names the entry, so that it is stored once"),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        _text("payer_name", 140),
        _text("payer_account", 40),
        _text("remittance", 1000, "what the payer wrote"),
        _text("reference", 140, "structured, ISO 11649"),
        _text("bank_reference", 140),
        sa.Column("status", _state("transferstatus", "unmatched", "matched", "set_aside"), nullable=False),
        _text("note", 255, "why it was set aside"),
        _moment("created_at"),
        _moment("updated_at"),
        *_tenant("bank_transactions"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_bank_transactions_amount_positive")),
        _reference("bank_transactions", "statement_id", "bank_statements"),
        sa.UniqueConstraint("tenant_id", "account", "key", name=op.f("uq_bank_transactions_tenant_id_account_key")),
    )
    op.create_index("ix_bank_transactions_status", "bank_transactions", ["tenant_id", "status", "booked_on", "id"])
    op.create_index("ix_bank_transactions_payer", "bank_transactions", ["tenant_id", "payer_account"])


def _matches() -> None:
    op.create_table(
        "bank_matches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("matched_by", sa.Uuid(), nullable=True),
        _text("matched_by_name", 160),
        _moment("matched_at"),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        _text("undone_by_name", 160),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        _text("undone_reason", 255),
        *_tenant("bank_matches"),
        _reference("bank_matches", "transaction_id", "bank_transactions"),
        _reference("bank_matches", "payment_id", "payments"),
    )
    op.create_index(
        "uq_bank_matches_standing",
        "bank_matches",
        ["tenant_id", "transaction_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index("ix_bank_matches_payment", "bank_matches", ["tenant_id", "payment_id"])


def _write_offs() -> None:
    op.create_table(
        "write_offs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("status", _state("writeoffstatus", "requested", "done", "refused"), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        _text("requested_by_name", 160),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _text("decided_by_name", 160),
        _moment("created_at"),
        _moment("updated_at"),
        *_tenant("write_offs"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_write_offs_amount_positive")),
        _reference("write_offs", "invoice_id", "invoices"),
    )
    op.create_index("ix_write_offs_invoice", "write_offs", ["tenant_id", "invoice_id"])
    op.create_index(
        "uq_write_offs_requested",
        "write_offs",
        ["tenant_id", "invoice_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )


def upgrade() -> None:
    _statements()
    _transactions()
    _matches()
    _write_offs()
    for table in ("bank_statements", "bank_transactions", "bank_matches", "write_offs"):
        _protect(table)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
