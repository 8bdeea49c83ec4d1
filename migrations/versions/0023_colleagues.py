"""Colleagues: companies whose people see all tickets, search that knows what was shared; the switch for keys.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# As before (0002), with what the requester follows: read first and as an array, so that without any of it the
# plan stays the one that the index of requesters serves.
SEARCH_TICKETS = """
CREATE OR REPLACE FUNCTION search_tickets(
    query text, companies uuid[], requester uuid, internal boolean, max_hits integer)
RETURNS TABLE (ticket_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET gin_fuzzy_search_limit = 1000 AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    wanted tsquery := to_tsquery('simple', portal_fold(query));
    cap integer := least(greatest(max_hits, 1), 500);
    followed uuid[];
    hits integer;
BEGIN
    IF tenant IS NULL OR wanted IS NULL THEN RETURN; END IF;
    IF requester IS NOT NULL THEN
        SELECT array_agg(f.ticket_id) INTO followed FROM ticket_followers f
        WHERE f.tenant_id = tenant AND f.user_id = requester;
    END IF;
    SELECT count(*) INTO hits FROM portal_tickets t WHERE t.search @@ wanted;
    IF hits >= 500 THEN
        RETURN QUERY
        SELECT newest.id FROM (
            SELECT t.id, t.search, t.created_at FROM portal_tickets t
            WHERE t.tenant_id = tenant
              AND (companies IS NULL OR t.customer_id = ANY (companies))
              AND (requester IS NULL OR t.requester_id = requester OR t.id = ANY (followed))
            ORDER BY t.created_at DESC, t.id DESC LIMIT 5000
        ) AS newest
        WHERE newest.search @@ wanted LIMIT least(cap, 200);
        RETURN;
    END IF;
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT t.id FROM portal_tickets t WHERE t.tenant_id = tenant AND t.search @@ wanted
        UNION
        (SELECT m.ticket_id FROM portal_ticket_messages m
         WHERE m.tenant_id = tenant AND m.search @@ wanted AND (internal OR NOT m.is_internal) LIMIT 1000)
    )
    SELECT t.id FROM portal_tickets t JOIN found f ON f.id = t.id
    WHERE t.tenant_id = tenant
      AND (companies IS NULL OR t.customer_id = ANY (companies))
      AND (requester IS NULL OR t.requester_id = requester OR t.id = ANY (followed))
    ORDER BY t.created_at DESC, t.id DESC LIMIT cap;
END $$
"""


def upgrade() -> None:
    op.add_column(
        "companies",
        sa.Column(
            "shares_tickets",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="everybody of the company sees all of its tickets",
        ),
    )
    op.add_column(
        "users",
        sa.Column("shortcuts", sa.Boolean(), server_default="true", nullable=False, comment="keys act (UXA-08)"),
    )
    op.execute("CREATE POLICY search ON ticket_followers FOR SELECT TO portal_search USING (true)")
    op.execute("GRANT SELECT ON ticket_followers TO portal_search")
    op.execute(SEARCH_TICKETS)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
