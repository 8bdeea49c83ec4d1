"""The log of mails outlives the links that were in them.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NAME = "fk_mail_messages_tenant_id_link_id"
COLUMNS = (["tenant_id", "link_id"], ["tenant_id", "id"])


def upgrade() -> None:
    op.drop_constraint(NAME, "mail_messages", type_="foreignkey")
    # Only the link is taken out of the mail; its tenant stays.
    op.create_foreign_key(NAME, "mail_messages", "one_time_links", *COLUMNS, ondelete="SET NULL (link_id)")
    held = sa.text("link_id IS NOT NULL")
    op.create_index("ix_mail_link", "mail_messages", ["tenant_id", "link_id"], postgresql_where=held)


def downgrade() -> None:
    op.drop_index("ix_mail_link", "mail_messages")
    op.drop_constraint(NAME, "mail_messages", type_="foreignkey")
    op.create_foreign_key(NAME, "mail_messages", "one_time_links", *COLUMNS)
