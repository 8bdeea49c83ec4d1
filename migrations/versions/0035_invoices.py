"""Invoices: which reminders went out, runs of their timer, tax numbers and credit limits of companies.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("legal_name", sa.String(160), server_default="", nullable=False))
    op.add_column("companies", sa.Column("tax_number", sa.String(40), server_default="", nullable=False))
    op.add_column(
        "companies",
        sa.Column("credit_limit", sa.BigInteger(), nullable=True, comment="minor units of the tenant's currency"),
    )
    op.create_check_constraint(op.f("ck_companies_credit_limit_not_negative"), "companies", "credit_limit >= 0")
    op.add_column(
        "invoices",
        sa.Column("cycle", sa.Integer(), server_default="0", nullable=False, comment="the run of its timer"),
    )
    op.add_column(
        "invoices",
        sa.Column(
            "dunned",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="step of the plan -> when it was done, empty where it was passed over",
        ),
    )


def downgrade() -> None:
    op.drop_column("invoices", "dunned")
    op.drop_column("invoices", "cycle")
    op.drop_constraint(op.f("ck_companies_credit_limit_not_negative"), "companies")
    for name in ("credit_limit", "tax_number", "legal_name"):
        op.drop_column("companies", name)
