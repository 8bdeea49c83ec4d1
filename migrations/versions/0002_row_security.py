"""Roles' rights, row-level security, append-only audit, numbers and search.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "audit_entries auth_sessions business_calendars companies idempotency_keys mail_messages memberships next_steps "
    "notifications outbox_events people portal_conversations portal_kb_articles portal_kb_categories portal_messages "
    "portal_ticket_messages portal_tickets refresh_tokens sla_policies tenant_counters ticket_categories "
    "ticket_events token_families users"
).split()
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"

ROLES = """
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['portal_app', 'portal_relay', 'portal_search'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END $$
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# The default of ticket_number: prefix, year and counter of the tenant in whose session the row is inserted.
NEXT_TICKET_NUMBER = """
CREATE FUNCTION next_ticket_number() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    given integer;
    made text;
BEGIN
    INSERT INTO tenant_counters AS c (tenant_id, name, value) VALUES (tenant, 'ticket', 1)
    ON CONFLICT (tenant_id, name) DO UPDATE SET value = c.value + 1
    RETURNING value INTO given;
    SELECT replace(replace(replace(t.ticket_number_format, '{prefix}', t.ticket_prefix),
                           '{year}', extract(year FROM now() AT TIME ZONE t.timezone)::text),
                   '{counter}', lpad(given::text, greatest(4, length(given::text)), '0'))
    INTO made FROM tenants t WHERE t.id = tenant;
    RETURN made;
END $$
"""

# Row-level security keeps GIN from being used (`@@` is not leak-proof), hence a definer function that
# filters by tenant and by the caller's scope itself. How common a query is, is found out by a count that
# GIN bounds (gin_fuzzy_search_limit: exact below it). A rare query starts from the index; a common one
# walks the newest tickets, where it soon has enough.
SEARCH_TICKETS = """
CREATE FUNCTION search_tickets(query text, companies uuid[], requester uuid, internal boolean, max_hits integer)
RETURNS TABLE (ticket_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET gin_fuzzy_search_limit = 1000 AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    wanted tsquery := to_tsquery('simple', portal_fold(query));
    cap integer := least(greatest(max_hits, 1), 500);
    hits integer;
BEGIN
    IF tenant IS NULL OR wanted IS NULL THEN RETURN; END IF;
    SELECT count(*) INTO hits FROM portal_tickets t WHERE t.search @@ wanted;
    IF hits >= 500 THEN
        RETURN QUERY
        SELECT newest.id FROM (
            SELECT t.id, t.search, t.created_at FROM portal_tickets t
            WHERE t.tenant_id = tenant
              AND (companies IS NULL OR t.customer_id = ANY (companies))
              AND (requester IS NULL OR t.requester_id = requester)
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
      AND (requester IS NULL OR t.requester_id = requester)
    ORDER BY t.created_at DESC, t.id DESC LIMIT cap;
END $$
"""


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def upgrade() -> None:
    op.execute(ROLES)
    op.execute("GRANT USAGE ON SCHEMA public TO portal_app, portal_relay, portal_search")
    for table in TENANT_TABLES:
        _protect(table)
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_app")
    op.execute("REVOKE UPDATE, DELETE ON audit_entries, outbox_events FROM portal_app")
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )

    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY directory ON tenants FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY own ON tenants FOR UPDATE USING (id = {CURRENT_TENANT})")
    op.execute("GRANT SELECT, UPDATE ON tenants TO portal_app")
    op.execute("GRANT SELECT ON tenant_domains TO portal_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON heartbeats TO portal_app, portal_relay")

    op.execute("CREATE POLICY relay ON outbox_events TO portal_relay USING (true)")
    op.execute("GRANT SELECT, UPDATE ON outbox_events TO portal_relay")

    op.execute(NEXT_TICKET_NUMBER)
    op.execute("ALTER TABLE portal_tickets ALTER COLUMN ticket_number SET DEFAULT next_ticket_number()")
    op.execute(SEARCH_TICKETS)
    for table in ("portal_tickets", "portal_ticket_messages"):
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO portal_search USING (true)")
        op.execute(f"GRANT SELECT ON {table} TO portal_search")
    op.execute("GRANT CREATE ON SCHEMA public TO portal_search")
    op.execute("ALTER FUNCTION search_tickets(text, uuid[], uuid, boolean, integer) OWNER TO portal_search")
    op.execute("REVOKE CREATE ON SCHEMA public FROM portal_search")
    op.execute("REVOKE ALL ON FUNCTION search_tickets(text, uuid[], uuid, boolean, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION search_tickets(text, uuid[], uuid, boolean, integer) TO portal_app")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
