"""Search finds what comes near: parts of numbers and subjects, names and addresses, with a slip of the pen.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TICKET = "portal_fold(ticket_number || ' ' || subject)"
COMPANY = "portal_fold(name || ' ' || customer_number)"
PERSON = "portal_fold(name || ' ' || email)"

# How near a text comes is told by its worst word: 1 where it holds the word, a number counts only so, else what
# pg_trgm says.
NUMBER = "{word} ~ '[0-9]' AND strpos({word}, '@') = 0"
SCORE = """(
            SELECT min(CASE
                WHEN strpos({text}, w) > 0 THEN 1 WHEN {number} THEN 0 ELSE word_similarity(w, {text})
            END)
            FROM unnest(folded) AS w)"""
NEAR = "({text} LIKE part OR near <% {text})"
SCOPE = """t.tenant_id = tenant AND t.trashed_at IS NULL
      AND (companies IS NULL OR t.customer_id = ANY (companies))
      AND (requester IS NULL OR t.requester_id = requester OR t.id = ANY (followed))"""


def _score(text: str) -> str:
    return SCORE.format(text=text, number=NUMBER.format(word="w"))


def _near(text: str) -> str:
    return NEAR.format(text=text)


# A number, else the longest word drives the index; the others are looked for in what it found. A materialised part
# has a plan of its own, else a limit would lead the planner to walk the whole table, and yet it is read no further than
# the limit asks. A word that is near to more than 1,000 tickets is looked for in the newest ones, as the search for
# common words does. What comes clearly less near than the best is left out.
SIMILAR_TICKETS = f"""
CREATE FUNCTION similar_tickets(words text[], companies uuid[], requester uuid, max_hits integer)
RETURNS TABLE (ticket_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET pg_trgm.word_similarity_threshold = 0.45
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    folded text[];
    part text;
    near text;
    followed uuid[];
    candidates uuid[];
BEGIN
    SELECT array_agg(found.w ORDER BY {NUMBER.format(word="found.w")} DESC, length(found.w) DESC, found.w) INTO folded
    FROM (SELECT portal_fold(given) AS w FROM unnest(words) AS given LIMIT 8) AS found WHERE length(found.w) >= 3;
    IF tenant IS NULL OR folded IS NULL THEN RETURN; END IF;
    part := '%' || replace(replace(replace(folded[1], '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%';
    near := CASE WHEN {NUMBER.format(word="folded[1]")} THEN NULL ELSE folded[1] END;
    IF requester IS NOT NULL THEN
        SELECT array_agg(f.ticket_id) INTO followed FROM ticket_followers f
        WHERE f.tenant_id = tenant AND f.user_id = requester;
    END IF;
    WITH found AS MATERIALIZED (
        SELECT t.id FROM portal_tickets t WHERE {SCOPE} AND {TICKET} LIKE part
        UNION ALL
        SELECT t.id FROM portal_tickets t WHERE {SCOPE} AND near <% {TICKET}
    )
    SELECT array_agg(most.id) INTO candidates FROM (SELECT f.id FROM found f LIMIT 1000) AS most;
    IF cardinality(candidates) = 1000 THEN
        SELECT array_agg(newest.id) INTO candidates FROM (
            SELECT t.id FROM portal_tickets t WHERE {SCOPE} ORDER BY t.created_at DESC, t.id DESC LIMIT 1000
        ) AS newest;
    END IF;
    RETURN QUERY
    WITH named AS MATERIALIZED (
        SELECT c.id, {_score(COMPANY)} AS score FROM companies c
        WHERE c.tenant_id = tenant AND (companies IS NULL OR c.id = ANY (companies)) AND {_near(COMPANY)}
    ), people_named AS MATERIALIZED (
        SELECT p.id, {_score(PERSON)} AS score FROM people p WHERE p.tenant_id = tenant AND {_near(PERSON)}
    ), found AS MATERIALIZED (
        SELECT t.id, {_score(TICKET)} AS score FROM portal_tickets t WHERE t.id = ANY (candidates)
        UNION ALL
        SELECT recent.id, who.score FROM (SELECT * FROM named ORDER BY score DESC, id LIMIT 10) AS who
        CROSS JOIN LATERAL (
            SELECT t.id FROM portal_tickets t
            WHERE t.customer_id = who.id AND {SCOPE} ORDER BY t.updated_at DESC, t.id DESC LIMIT 50
        ) AS recent
        UNION ALL
        SELECT recent.id, who.score FROM (
            SELECT u.id, near_by.score FROM (SELECT * FROM people_named ORDER BY score DESC, id LIMIT 50) AS near_by
            JOIN users u ON u.tenant_id = tenant AND u.person_id = near_by.id
        ) AS who
        CROSS JOIN LATERAL (
            SELECT t.id FROM portal_tickets t
            WHERE t.requester_id = who.id AND {SCOPE} ORDER BY t.updated_at DESC, t.id DESC LIMIT 50
        ) AS recent
    ), best AS MATERIALIZED (
        SELECT f.id, max(f.score) AS score FROM found f WHERE f.score >= 0.45 GROUP BY f.id
    )
    SELECT t.id FROM best b JOIN portal_tickets t ON t.id = b.id
    WHERE b.score >= (SELECT max(b.score) FROM best b) - 0.3 AND {SCOPE}
    ORDER BY b.score DESC, t.created_at DESC, t.id DESC LIMIT least(greatest(max_hits, 1), 500);
END $$
"""

# Of a word that many messages hold `search_tickets` reads only some, and few or none of them are a customer's own. A
# customer's newest tickets are therefore looked through message by message (the aggregate keeps the planner from the
# index of words). Plans are made for each call: how many tickets a customer has decides where to begin.
SEARCH_SAID = f"""
CREATE FUNCTION search_said(query text, companies uuid[], requester uuid)
RETURNS TABLE (ticket_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    wanted tsquery := to_tsquery('simple', portal_fold(query));
    followed uuid[];
BEGIN
    IF tenant IS NULL OR wanted IS NULL OR companies IS NULL THEN RETURN; END IF;
    IF requester IS NOT NULL THEN
        SELECT array_agg(f.ticket_id) INTO followed FROM ticket_followers f
        WHERE f.tenant_id = tenant AND f.user_id = requester;
    END IF;
    RETURN QUERY
    SELECT newest.id FROM (
        SELECT t.id FROM portal_tickets t WHERE {SCOPE} ORDER BY t.created_at DESC, t.id DESC LIMIT 500
    ) AS newest
    WHERE (
        SELECT bool_or(m.search @@ wanted) FROM portal_ticket_messages m
        WHERE m.tenant_id = tenant AND m.ticket_id = newest.id AND NOT m.is_internal
    );
END $$
"""
SIGNATURES = ("similar_tickets(text[], uuid[], uuid, integer)", "search_said(text, uuid[], uuid)")


def upgrade() -> None:
    for table, text in (("portal_tickets", TICKET), ("companies", COMPANY), ("people", PERSON)):
        name = f"idx_{table.removeprefix('portal_')}_parts_search"
        op.execute(f"CREATE INDEX {name} ON {table} USING gin (({text}) gin_trgm_ops)")
    # Its setting is known to the server once the extension is at work.
    op.execute("SELECT word_similarity('a', 'a')")
    op.execute(SIMILAR_TICKETS)
    op.execute(SEARCH_SAID)
    op.execute("GRANT CREATE ON SCHEMA public TO portal_search")
    for function in SIGNATURES:
        op.execute(f"ALTER FUNCTION {function} OWNER TO portal_search")
    op.execute("REVOKE CREATE ON SCHEMA public FROM portal_search")
    for function in SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO portal_app")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
