"""Evidence of disputes: files that belong to a dispute instead of to a ticket.

Revision ID: 0045
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None

_PURPOSE = "message, solution or recording (TKT-16)"


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_index("ix_attachments_loose", table_name="attachments")
    _index_loose("ticket_id IS NULL")
    op.drop_index("ix_attachments_dispute", table_name="attachments")
    op.drop_constraint(op.f("ck_attachments_of_one"), "attachments")
    op.drop_constraint(op.f("fk_attachments_tenant_id_dispute_id"), "attachments", type_="foreignkey")
    op.alter_column("attachments", "purpose", existing_type=sa.String(20), existing_nullable=False, comment=_PURPOSE)
    op.drop_column("attachments", "dispute_id")


def _index_loose(condition: str) -> None:
    op.create_index(
        "ix_attachments_loose", "attachments", ["tenant_id", "created_at"], postgresql_where=sa.text(condition)
    )
