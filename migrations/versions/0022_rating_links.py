"""A link that takes a rating: sent with the mail that says a ticket is solved (H2.8).

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CONSTRAINT = "linkpurpose"
BEFORE = (
    "reset_password verify_email invitation change_email change_phone phone_sign_up link_account disown_device "
    "keep_email"
).split()


def _allow(purposes: list[str], *, not_valid: bool = False) -> None:
    names = ", ".join(f"'{name}'" for name in purposes)
    name = op.f(f"ck_one_time_links_{CONSTRAINT}")
    op.drop_constraint(name, "one_time_links", type_="check")
    op.create_check_constraint(name, "one_time_links", f"purpose IN ({names})", postgresql_not_valid=not_valid)


def upgrade() -> None:
    _allow([*BEFORE, "rate_ticket"])


def downgrade() -> None:
    # Links that were sent stay as they are; nobody knows what to do with them any more.
    _allow(BEFORE, not_valid=True)
