"""What lies in the trash leaves the indexes of lists; the trash and merged tickets are found by their own.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEPT = "trashed_at IS NULL"
ACTIVE = f"status IN ('open','in_progress','waiting_customer','awaiting_payment') AND {KEPT}"
DUE = sa.text("coalesce(sla_due_at, 'infinity'::timestamptz)")
PRIORITY = sa.text("(CASE priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 WHEN 'high' THEN 2 ELSE 3 END)")
INDEXES: tuple[tuple[str, list[object], str], ...] = (
    ("tenant", ["created_at", "id"], KEPT),
    ("customer", ["customer_id", "updated_at", "id"], KEPT),
    ("requester", ["requester_id", "updated_at", "id"], KEPT),
    ("status", ["status", "updated_at", "id"], KEPT),
    ("updated", ["updated_at", "id"], KEPT),
    ("open_updated", ["updated_at", "id"], ACTIVE),
    ("priority", [PRIORITY, "id"], ACTIVE),
    ("assignee", ["assigned_to", DUE, "id"], ACTIVE),
    ("open_company", ["customer_id"], ACTIVE),
    ("open_requester", ["requester_id"], ACTIVE),
    ("due", [DUE, "id"], ACTIVE),
)


def upgrade() -> None:
    for name, columns, where in INDEXES:
        op.drop_index(f"idx_tickets_{name}", "portal_tickets")
        op.create_index(
            f"idx_tickets_{name}",
            "portal_tickets",
            ["tenant_id", *columns],
            postgresql_where=sa.text(where),
            # With the column itself the index alone tells how many are due.
            postgresql_include=["sla_due_at"] if name == "due" else None,
        )
    op.create_index(
        "idx_tickets_trashed",
        "portal_tickets",
        ["tenant_id", "trashed_at", "id"],
        postgresql_where=sa.text("trashed_at IS NOT NULL"),
    )
    op.create_index(
        "idx_tickets_merged",
        "portal_tickets",
        ["tenant_id", "merged_into_id"],
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index("ix_attachments_stored", "attachments", ["tenant_id", "storage_key"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
