"""Who owes what is read from an index alone, customer by customer.

Revision ID: 0048
Revises: 0043
"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_invoices_unpaid ON invoices (tenant_id, customer_id, currency, due_on)"
        " INCLUDE (total, paid, credited, kind, failure)"
        " WHERE status IN ('open','processing','overdue','failed','disputed')"
    )


def downgrade() -> None:
    op.drop_index("ix_invoices_unpaid", table_name="invoices")
