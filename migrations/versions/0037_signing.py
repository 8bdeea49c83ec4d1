"""Evidence that cannot be changed: what was signed, declined or sealed stays as it was.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# A place that waits may be filled once or taken away with its document; a filled one is evidence.
KEEP_SIGNATURES = """
CREATE FUNCTION keep_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'waiting' THEN
        RAISE EXCEPTION 'a signature is evidence' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$
"""
# What a sealed file is may only change where its level was raised; what it says of the signers never does.
KEEP_SEALED = """
CREATE FUNCTION keep_sealed_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.code = OLD.code AND NEW.content_sha256 = OLD.content_sha256
        AND NEW.record_type = OLD.record_type AND NEW.record_id = OLD.record_id
        AND (OLD.sealed_at IS NULL OR (
            OLD.level = 'B-B' AND NEW.level = 'B-T' AND NEW.evidence = OLD.evidence AND NEW.sealed_at = OLD.sealed_at))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a sealed document is evidence' USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.add_column(
        "contracts",
        sa.Column("reminders", sa.Integer(), server_default="0", nullable=False, comment="how many were sent"),
    )
    op.add_column(
        "contracts",
        sa.Column("expiry_told_at", sa.DateTime(timezone=True), nullable=True, comment="that it ends soon"),
    )
    op.add_column("contracts", sa.Column("document_size", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column(
        "signatures",
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=True, comment="when they first opened it"),
    )
    op.add_column(
        "sealed_documents",
        sa.Column(
            "earlier",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="SHA-256 of files before the level was raised",
        ),
    )
    op.execute(KEEP_SIGNATURES)
    op.execute(
        "CREATE TRIGGER evidence BEFORE UPDATE OR DELETE ON signatures FOR EACH ROW EXECUTE FUNCTION keep_signature()"
    )
    op.execute(KEEP_SEALED)
    op.execute(
        "CREATE TRIGGER evidence BEFORE UPDATE OR DELETE ON sealed_documents "
        "FOR EACH ROW EXECUTE FUNCTION keep_sealed_document()"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
