"""Quotes get their number when they are sent; who may decide on them up to which amount.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_quotes_tenant_id_number_version", "quotes", type_="unique")
    op.alter_column(
        "quotes", "number", server_default="", comment="the same for all versions; empty until one was sent"
    )
    op.create_index(
        "uq_quotes_number",
        "quotes",
        ["tenant_id", "number", "version"],
        unique=True,
        postgresql_where=sa.text("number <> ''"),
    )
    rounding = sa.Column(
        "tax_rounding",
        sa.String(10),
        server_default="document",
        nullable=False,
        comment="the tenant's rule when it was drafted",
    )
    edits = sa.Column(
        "edits",
        sa.Integer(),
        server_default="1",
        nullable=False,
        comment="savings of the draft, so that nobody overwrites another",
    )
    reminded = sa.Column(
        "reminded",
        postgresql.JSONB(),
        server_default="[]",
        nullable=False,
        comment="ISO 8601 durations whose reminder went out",
    )
    for column in (rounding, edits, reminded):
        op.add_column("quotes", column)
    limit = sa.Column(
        "decision_limit",
        sa.BigInteger(),
        comment="up to this everybody of the company decides on quotes; NULL: administrators alone",
    )
    op.add_column("companies", limit)
    op.add_column("companies", sa.Column("decision_currency", sa.String(3), comment="of the limit"))
    op.create_check_constraint(
        op.f("ck_companies_limit_has_currency"),
        "companies",
        "(decision_limit IS NULL) = (decision_currency IS NULL)",
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
