"""The team's search also finds tickets by who asked and for which company.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COMPANY = "to_tsvector('simple', portal_fold(name || ' ' || customer_number))"
# The parser takes an address for one word; in its parts each of them can be looked for.
PERSON = "to_tsvector('simple', portal_fold(name || ' ' || translate(email, '@.', '  ')))"

# As in 0002, without the trash, with what the requester follows (read first and as an array, so that without any of
# it the plan stays the one that the index of requesters serves), and with names. Names count for the team alone, and
# where a word is not common: there the newest tickets that hold it are more than anybody reads. Of each company and
# person the newest tickets come by an index, however many they have.
SEARCH_TICKETS = f"""
CREATE OR REPLACE FUNCTION search_tickets(
    query text, companies uuid[], requester uuid, internal boolean, max_hits integer
)
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
            WHERE t.tenant_id = tenant AND t.trashed_at IS NULL
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
        UNION
        (SELECT near.id FROM (
            SELECT c.id FROM companies c WHERE internal AND c.tenant_id = tenant AND {COMPANY} @@ wanted LIMIT 10
         ) AS who CROSS JOIN LATERAL (
            SELECT t.id FROM portal_tickets t
            WHERE t.tenant_id = tenant AND t.trashed_at IS NULL AND t.customer_id = who.id
            ORDER BY t.updated_at DESC, t.id DESC LIMIT 100
         ) AS near)
        UNION
        (SELECT near.id FROM (
            SELECT u.id FROM (
                SELECT p.id FROM people p WHERE internal AND p.tenant_id = tenant AND {PERSON} @@ wanted LIMIT 20
            ) AS named JOIN users u ON u.tenant_id = tenant AND u.person_id = named.id
         ) AS who CROSS JOIN LATERAL (
            SELECT t.id FROM portal_tickets t
            WHERE t.tenant_id = tenant AND t.trashed_at IS NULL AND t.requester_id = who.id
            ORDER BY t.updated_at DESC, t.id DESC LIMIT 50
         ) AS near)
    )
    SELECT t.id FROM portal_tickets t JOIN found f ON f.id = t.id
    WHERE t.tenant_id = tenant AND t.trashed_at IS NULL
      AND (companies IS NULL OR t.customer_id = ANY (companies))
      AND (requester IS NULL OR t.requester_id = requester OR t.id = ANY (followed))
    ORDER BY t.created_at DESC, t.id DESC LIMIT cap;
END $$
"""


def upgrade() -> None:
    op.execute(f"CREATE INDEX idx_companies_search ON companies USING gin ({COMPANY})")
    op.execute(f"CREATE INDEX idx_people_search ON people USING gin ({PERSON})")
    for table, columns in (
        ("companies", "tenant_id, id, name, customer_number"),
        ("people", "tenant_id, id, name, email"),
        ("users", "tenant_id, id, person_id"),
    ):
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO portal_search USING (true)")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO portal_search")
    op.execute(SEARCH_TICKETS)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
