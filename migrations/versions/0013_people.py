"""Invitations say whom they name: the login they lead to may be known here under another name.

Revision ID: 0013
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("accepted_at IS NULL AND revoked_at IS NULL")


def upgrade() -> None:
    for name, length, comment in (
        ("name", 100, "as whoever invited wrote it"),
        ("email", 254, "where it was sent, lower case"),
    ):
        column = sa.Column(name, sa.String(length=length), server_default="", nullable=False, comment=comment)
        op.add_column("invitations", column)
        op.alter_column("invitations", name, server_default=None)
    op.add_column("invitations", sa.Column("staff_role_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_invitations_tenant_id_staff_role_id"),
        "invitations",
        "staff_roles",
        ["tenant_id", "staff_role_id"],
        ["tenant_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_invitations_custom_role_is_named"), "invitations", "(role = 'custom') = (staff_role_id IS NOT NULL)"
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "user_id", "company_id"],
        unique=True,
        postgresql_where=OPEN,
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    op.drop_index("uq_invitations_open", table_name="invitations")
    for name in ("staff_role_id", "email", "name"):
        op.drop_column("invitations", name)
