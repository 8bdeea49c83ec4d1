"""Search looks at the newest tickets first; customers' searches read their own tickets alone.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

COMPANY = "to_tsvector('simple', portal_fold(name || ' ' || customer_number))"
PERSON = "to_tsvector('simple', portal_fold(name || ' ' || translate(email, '@.', '  ')))"

# Three ways, by who asks and by how common the words are (milliseconds at a million tickets):
# - a customer's own tickets are read and looked through, 5,000 of them at most: no index of words is as small (1);
# - words that many of the newest tickets hold give the newest of those (2), or of their messages (4);
# - others come by the index of words (8), which is exact for them. `gin_fuzzy_search_limit`, used before, drops
#   entries of each word by itself, and with them tickets that hold a rare word beside a common one.
# Names count for the team alone. Of each company and person the newest tickets come by an index.
SEARCH_TICKETS = f"""
CREATE OR REPLACE FUNCTION search_tickets(
    query text, companies uuid[], requester uuid, internal boolean, max_hits integer
)
RETURNS TABLE (ticket_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    wanted tsquery := to_tsquery('simple', portal_fold(query));
    cap integer := least(greatest(max_hits, 1), 500);
    followed uuid[];
    fresh uuid[];
BEGIN
    IF tenant IS NULL OR wanted IS NULL THEN RETURN; END IF;
    IF companies IS NOT NULL THEN
        IF requester IS NOT NULL THEN
            SELECT array_agg(f.ticket_id) INTO followed FROM ticket_followers f
            WHERE f.tenant_id = tenant AND f.user_id = requester;
        END IF;
        RETURN QUERY
        WITH own AS MATERIALIZED (
            SELECT t.id, t.created_at, t.search FROM portal_tickets t
            WHERE t.tenant_id = tenant AND t.trashed_at IS NULL AND t.customer_id = ANY (companies)
              AND (requester IS NULL OR t.requester_id = requester OR t.id = ANY (followed))
            ORDER BY t.updated_at DESC, t.id DESC LIMIT 5000
        ), found AS MATERIALIZED (
            SELECT o.id FROM own o WHERE o.search @@ wanted
            UNION
            SELECT o.id FROM own o JOIN portal_ticket_messages m ON m.ticket_id = o.id AND m.tenant_id = tenant
            WHERE m.search @@ wanted AND (internal OR NOT m.is_internal)
        )
        SELECT o.id FROM own o JOIN found f ON f.id = o.id ORDER BY o.created_at DESC, o.id DESC LIMIT cap;
        RETURN;
    END IF;
    SELECT array_agg(hit.id) INTO fresh FROM (
        SELECT newest.id FROM (
            SELECT t.id, t.search FROM portal_tickets t WHERE t.tenant_id = tenant AND t.trashed_at IS NULL
            ORDER BY t.created_at DESC, t.id DESC LIMIT 5000
        ) AS newest
        WHERE newest.search @@ wanted LIMIT least(cap, 200)
    ) AS hit;
    IF cardinality(fresh) >= 50 THEN
        RETURN QUERY SELECT unnest(fresh);
        RETURN;
    END IF;
    SELECT array_agg(hit.id) INTO fresh FROM (
        SELECT unnest(fresh) AS id
        UNION
        SELECT newest.id FROM (
            SELECT t.id FROM portal_tickets t WHERE t.tenant_id = tenant AND t.trashed_at IS NULL
            ORDER BY t.created_at DESC, t.id DESC LIMIT 300
        ) AS newest
        JOIN portal_ticket_messages m ON m.ticket_id = newest.id AND m.tenant_id = tenant
        WHERE m.search @@ wanted AND (internal OR NOT m.is_internal)
    ) AS hit;
    IF cardinality(fresh) >= 50 THEN
        RETURN QUERY
        SELECT t.id FROM portal_tickets t WHERE t.id = ANY (fresh) AND t.tenant_id = tenant
        ORDER BY t.created_at DESC, t.id DESC LIMIT cap;
        RETURN;
    END IF;
    RETURN QUERY
    WITH hits AS MATERIALIZED (
        SELECT t.id, t.created_at, t.requester_id FROM portal_tickets t
        WHERE t.tenant_id = tenant AND t.trashed_at IS NULL AND t.search @@ wanted LIMIT 20000
    ), beside AS MATERIALIZED (
        SELECT unnest(fresh) AS id
        UNION
        (SELECT m.ticket_id FROM portal_ticket_messages m
         WHERE m.tenant_id = tenant AND m.search @@ wanted AND (internal OR NOT m.is_internal) LIMIT 500)
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
    ), found AS (
        SELECT h.id, h.created_at, h.requester_id FROM hits h
        UNION
        SELECT t.id, t.created_at, t.requester_id FROM beside b JOIN portal_tickets t ON t.id = b.id
        WHERE t.tenant_id = tenant AND t.trashed_at IS NULL
    )
    SELECT f.id FROM found f WHERE requester IS NULL OR f.requester_id = requester
    ORDER BY f.created_at DESC, f.id DESC LIMIT cap;
END $$
"""


def upgrade() -> None:
    op.execute(SEARCH_TICKETS)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
