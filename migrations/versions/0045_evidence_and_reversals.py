"""Files that belong to a dispute instead of to a ticket; write-offs that take back an earlier one.

Revision ID: 0045
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_KINDS = (
    *("invoiced", "credited", "voided", "paid", "refunded", "charged_back", "restored"),
    *("written_off", "credit_added", "credit_used"),
)
_PURPOSE = "message, solution or recording (TKT-16)"


def upgrade() -> None:
    _evidence()
    _reversals()


def _evidence() -> None:
    op.add_column(
        "attachments",
        sa.Column("dispute_id", sa.Uuid(), nullable=True, comment="the dispute that it is evidence of"),
    )
    op.alter_column(
        "attachments",
        "purpose",
        existing_type=sa.String(20),
        existing_nullable=False,
        comment=f"{_PURPOSE}; of disputes evidence or answer",
    )
    op.create_foreign_key(
        op.f("fk_attachments_tenant_id_dispute_id"),
        "attachments",
        "disputes",
        ["tenant_id", "dispute_id"],
        ["tenant_id", "id"],
    )
    op.create_check_constraint(op.f("ck_attachments_of_one"), "attachments", "ticket_id IS NULL OR dispute_id IS NULL")
    op.create_index(
        "ix_attachments_dispute",
        "attachments",
        ["tenant_id", "dispute_id"],
        postgresql_where=sa.text("dispute_id IS NOT NULL"),
    )
    op.drop_index("ix_attachments_loose", table_name="attachments")
    _index_loose("ticket_id IS NULL AND dispute_id IS NULL")


def _reversals() -> None:
    op.add_column(
        "write_offs", sa.Column("reverses_id", sa.Uuid(), nullable=True, comment="the write-off that this takes back")
    )
    op.create_foreign_key(
        op.f("fk_write_offs_tenant_id_reverses_id"),
        "write_offs",
        "write_offs",
        ["tenant_id", "reverses_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "uq_write_offs_reverses",
        "write_offs",
        ["tenant_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL AND status <> 'refused'"),
    )
    _check_kinds((*_KINDS, "write_off_reversed"))


def downgrade() -> None:
    _check_kinds(_KINDS)
    op.drop_index("uq_write_offs_reverses", table_name="write_offs")
    op.drop_constraint(op.f("fk_write_offs_tenant_id_reverses_id"), "write_offs", type_="foreignkey")
    op.drop_column("write_offs", "reverses_id")
    op.drop_index("ix_attachments_loose", table_name="attachments")
    _index_loose("ticket_id IS NULL")
    op.drop_index("ix_attachments_dispute", table_name="attachments")
    op.drop_constraint(op.f("ck_attachments_of_one"), "attachments")
    op.drop_constraint(op.f("fk_attachments_tenant_id_dispute_id"), "attachments", type_="foreignkey")
    op.alter_column("attachments", "purpose", existing_type=sa.String(20), existing_nullable=False, comment=_PURPOSE)
    op.drop_column("attachments", "dispute_id")


def _check_kinds(kinds: tuple[str, ...]) -> None:
    """Which kinds of movements the ledger knows; rows are only looked at, never changed."""
    known = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_ledger_entries_ledgerkind"), "ledger_entries", type_="check")
    op.create_check_constraint(op.f("ck_ledger_entries_ledgerkind"), "ledger_entries", f"kind IN ({known})")


def _index_loose(condition: str) -> None:
    op.create_index(
        "ix_attachments_loose", "attachments", ["tenant_id", "created_at"], postgresql_where=sa.text(condition)
    )
