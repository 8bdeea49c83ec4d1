"""Many tickets for benchmarks: written by the database itself, deterministic, in tenant `demo`.

Shape (the corpus of the peers' measurements): 100 tickets a company, three answers each, 30 % open, one
rare word in 0.1 % of the tickets, one common word in 3 %.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from portal.demo.content import demo_uuid

RARE_WORD, COMMON_WORD = "zyzzyva", "gateway"
_CHUNK = 20_000
KINDS = (
    *("company", "person", "user", "ticket", "message", "event", "step"),
    *("invoice", "payment", "quote"),
)

_COMPANIES = """
INSERT INTO companies (id, tenant_id, name, customer_number)
SELECT uuid_company(n), :tenant, 'Company ' || n, 'S' || lpad(n::text, 7, '0') FROM generate_series(1, :customers) n
ON CONFLICT DO NOTHING;
INSERT INTO people (id, tenant_id, company_id, name, email)
SELECT uuid_person(n), :tenant, uuid_company(n), 'Customer ' || n, 'customer' || n || '@scale.example'
FROM generate_series(1, :customers) n ON CONFLICT DO NOTHING;
INSERT INTO users (id, tenant_id, person_id, kind, status, password_hash)
SELECT uuid_user(n), :tenant, uuid_person(n), 'customer', 'active',
       (SELECT password_hash FROM users WHERE tenant_id = :tenant AND password_hash IS NOT NULL LIMIT 1)
FROM generate_series(1, :customers) n ON CONFLICT DO NOTHING;
INSERT INTO memberships (id, tenant_id, user_id, company_id, role)
SELECT gen_random_uuid(), :tenant, uuid_user(n), uuid_company(n), 'customer.admin'
FROM generate_series(1, :customers) n ON CONFLICT DO NOTHING
"""
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.scale_uuid(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT md5('portico scale ' || kind || ' ' || n)::uuid $$
"""
_TICKETS = """
INSERT INTO portal_tickets (id, tenant_id, customer_id, requester_id, ticket_number, subject, description,
    description_html, category, priority, status, assigned_to, sla_policy_id, sla_due_at, sla_state,
    first_response_due_at, resolution_due_at, first_response_at, resolved_at, closed_at, clock_started_at,
    clock_pauses, clock_fired, last_message, created_at, updated_at)
SELECT uuid_ticket(n), :tenant, uuid_company(1 + n % :customers), uuid_user(1 + n % :customers), 'S-' || n,
    (ARRAY['Printer','VPN','Mailbox','Laptop','Wi-Fi','Backup','Phone','Login'])[1 + n % 8] || ' question ' || n,
    body, '<p>' || body || '</p>',
    (ARRAY['technical','billing','general','feature_request'])[1 + n % 4],
    (ARRAY['low','normal','high','urgent'])[1 + n % 4], status,
    CASE WHEN n % 3 > 0 THEN (ARRAY[:sam, :mia]::uuid[])[1 + n % 2] END, :policy,
    CASE WHEN open THEN created + interval '27 days' END, CASE WHEN open THEN 'within' ELSE 'met' END,
    created + interval '4 hours', created + interval '27 days',
    CASE WHEN status <> 'open' THEN created + interval '1 hour' END,
    CASE WHEN NOT open THEN created + interval '5 hours' END,
    CASE WHEN status = 'closed' THEN created + interval '6 hours' END, created, '[]', '[]', left(body, 140), created, created
FROM (
    SELECT n, (n / :customers) % 10 < 3 AS open,
        CASE WHEN (n / :customers) % 10 >= 3 THEN (ARRAY['resolved','closed'])[1 + n % 2]
             ELSE (ARRAY['open','in_progress','waiting_customer'])[1 + n % 3] END AS status,
        now() - make_interval(mins => ((:total - n) * 3)::int) AS created,
        'Since this morning item ' || n || ' does not answer any more. We restarted it twice and looked at the cables.'
            || CASE WHEN n % 1000 = 7 THEN ' zyzzyva' ELSE '' END
            || CASE WHEN n % 33 = 5 THEN ' gateway' ELSE '' END AS body
    FROM generate_series(:first, :last) n
) AS made
ON CONFLICT DO NOTHING;
INSERT INTO portal_ticket_messages (id, tenant_id, ticket_id, sender_type, sender_id, sender_name, message,
    message_html, created_at)
SELECT uuid_message(n * 3 + k), :tenant, uuid_ticket(n), CASE WHEN k = 1 THEN 'customer' ELSE 'agent' END,
    CASE WHEN k = 1 THEN uuid_user(1 + n % :customers) ELSE cast(:sam AS uuid) END,
    CASE WHEN k = 1 THEN 'Customer ' || (1 + n % :customers) ELSE 'Sam Okafor' END,
    'Answer ' || k || ' about item ' || n || ': please look at the lamp beside the plug.',
    '<p>Answer ' || k || ' about item ' || n || ': please look at the lamp beside the plug.</p>',
    now() - make_interval(mins => ((:total - n) * 3)::int) + make_interval(mins => k::int)
FROM generate_series(:first, :last) n, generate_series(0, 2) k
ON CONFLICT DO NOTHING;
INSERT INTO ticket_events (id, tenant_id, ticket_id, kind, at, actor_kind, actor_name)
SELECT uuid_event(n * 4 + k), :tenant, uuid_ticket(n), CASE WHEN k = 0 THEN 'created' ELSE 'replied' END,
    now() - make_interval(mins => ((:total - n) * 3)::int), 'customer', 'Customer ' || (1 + n % :customers)
FROM generate_series(:first, :last) n, generate_series(0, 3) k
ON CONFLICT DO NOTHING;
INSERT INTO next_steps (id, tenant_id, record_type, record_id, key, kind, at, staff_only, params)
SELECT uuid_step(n), :tenant, 'ticket', uuid_ticket(n), 'resolution:level:1', 'sla_resolution',
    now() - make_interval(mins => ((:total - n) * 3)::int) + interval '27 days', false, '{"role": "manager", "level": 1}'
FROM generate_series(:first, :last) n WHERE (n / :customers) % 10 < 3
ON CONFLICT DO NOTHING
"""


def add_tickets(owner: Engine, *, tickets: int, customers: int) -> None:
    """Add tickets 1..n of the scale corpus to tenant `demo`; what is there already stays. Needs the owner's rights."""
    tenant = demo_uuid("demo", "tenant")
    values: dict[str, str | int | UUID] = {
        "tenant": tenant,
        "customers": customers,
        "total": tickets,
        "policy": demo_uuid("demo", "policy", "Normal"),
        "sam": demo_uuid("demo", "user", "sam@demo.example"),
        "mia": demo_uuid("demo", "user", "mia@demo.example"),
    }
    with writing(owner, tenant) as connection:
        run_script(connection, _COMPANIES, values)
        for first in range(1, tickets + 1, _CHUNK):
            run_script(connection, _TICKETS, values | {"first": first, "last": min(tickets, first + _CHUNK - 1)})


@contextmanager
def writing(owner: Engine, tenant: UUID) -> Iterator[Connection]:
    """One transaction of the owner in a tenant, after which the planner knows what is there."""
    with owner.begin() as connection:
        connection.execute(text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(tenant)})
        connection.execute(text(_FUNCTIONS))
        yield connection
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def run_script(connection: Connection, script: str, values: Mapping[str, str | int | UUID]) -> None:
    """Run statements of SQL; `uuid_<kind>(n)` in them is the id of the corpus's n-th record of that kind."""
    for kind in KINDS:
        script = script.replace(f"uuid_{kind}(", f"pg_temp.scale_uuid('{kind}', ")
    for name, value in values.items():
        # psycopg sends small numbers as smallint, for which generate_series() is ambiguous.
        if isinstance(value, int):
            script = script.replace(f":{name}", f"cast(:{name} AS bigint)")
    for statement in script.split(";\n"):
        names = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), names)
