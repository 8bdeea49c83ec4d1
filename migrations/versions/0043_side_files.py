"""Files of side conversations: they belong to one of its mails, and what comes from outside was uploaded by nobody.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "attachments",
        sa.Column("side_message_id", sa.Uuid(), nullable=True, comment="the mail of a side conversation"),
    )
    op.alter_column(
        "attachments",
        "uploaded_by",
        existing_type=sa.Uuid(),
        nullable=True,
        comment="NULL: came by mail from somebody without a login",
    )
    op.create_foreign_key(
        op.f("fk_attachments_tenant_id_side_message_id"),
        "attachments",
        "side_messages",
        ["tenant_id", "side_message_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_attachments_side",
        "attachments",
        ["tenant_id", "side_message_id"],
        postgresql_where=sa.text("side_message_id IS NOT NULL"),
    )
    # Whatever a customer reads asks for this; a mistake elsewhere cannot lay a supplier's file open.
    op.create_check_constraint(
        op.f("ck_attachments_side_is_internal"), "attachments", "side_message_id IS NULL OR is_internal"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_attachments_side_is_internal"), "attachments")
    op.drop_index("ix_attachments_side", table_name="attachments")
    op.drop_constraint(op.f("fk_attachments_tenant_id_side_message_id"), "attachments", type_="foreignkey")
    op.alter_column("attachments", "uploaded_by", existing_type=sa.Uuid(), nullable=False)
    op.drop_column("attachments", "side_message_id")
