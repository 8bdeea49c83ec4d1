"""The fields that a category asks for, and the tenant's own words in ticket mails.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
WORDS = "mail_words"


def upgrade() -> None:
    op.add_column(
        "ticket_categories",
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="what new tickets are asked: [{key, kind, names, required, options}, …]",
        ),
    )
    op.create_table(
        WORDS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False, comment="which mail, such as ticket_answered"),
        sa.Column(
            "texts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> {subject, body} with {{placeholders}}; a language without one has the standard words",
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{WORDS}_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{WORDS}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{WORDS}_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "kind", name=op.f(f"uq_{WORDS}_tenant_id_kind")),
    )
    op.execute(f"ALTER TABLE {WORDS} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {WORDS} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {WORDS} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {WORDS} TO portal_app")


def downgrade() -> None:
    op.drop_table(WORDS)
    op.drop_column("ticket_categories", "fields")
