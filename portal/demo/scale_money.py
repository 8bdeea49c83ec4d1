"""Many invoices, payments and quotes for benchmarks, beside the tickets of `scale`: written by the database itself.

Of 20,000 invoices one account has a quarter, all paid (10,000 movements: its statement is the long one), another
one in forty (1,000 movements), and the measured customer some hundreds, a third of them still owed. The others are
spread over all companies, six of seven paid. Each has three lines, each payment its allocation and its entries.
"""

from uuid import UUID

from sqlalchemy import Engine, text

from portal.demo.content import demo_uuid
from portal.demo.scale import run_script, writing

# Numbers of companies of the scale corpus.
CUSTOMER, LONG_ACCOUNT, SHORT_ACCOUNT = 5, 7, 8

_MADE = """
CREATE TEMPORARY TABLE scale_made ON COMMIT DROP AS
SELECT n, uuid_invoice(n) AS id, uuid_company(company) AS company_id, created, created::date AS day,
    net, net / 5 AS tax, net / 5 * 6 AS total,
    CASE WHEN company IN (:long, :short) THEN net / 5 * 6
         WHEN n % 20 = 9 THEN net / 5 * 3
         WHEN n % 10 = 6 OR (company = :measured AND n % 2 = 0) THEN 0
         ELSE net / 5 * 6 END AS paid
FROM (
    SELECT n, 1000 * (20 + n % 90) AS net, now() - make_interval(hours => (:total - n)::int) AS created,
        CASE WHEN n % 4 = 0 THEN :long WHEN n % 40 = 1 THEN :short WHEN n % 25 = 3 THEN :measured
             ELSE 9 + n % greatest(1, :customers - 9) END AS company
    FROM generate_series(1, :total) n
) AS spread
"""
_INVOICES = """
INSERT INTO invoices (id, tenant_id, kind, number, customer_id, status, currency, issued_on, due_on, due_at, subtotal,
    tax_total, total, taxes, paid, seller, buyer, paid_at, created_at, updated_at)
SELECT id, :tenant, 'invoice', 'S-' || lpad(n::text, 7, '0'), company_id,
    CASE WHEN paid = total THEN 'paid' WHEN day + 31 <= now() THEN 'overdue' ELSE 'open' END, 'EUR', day, day + 30,
    day + 31, net, tax, total,
    jsonb_build_array(jsonb_build_object('name', 'VAT', 'rate', '20', 'net', net, 'tax', tax)),
    paid, (SELECT seller FROM billing_settings WHERE tenant_id = :tenant),
    '{"name": "Customer of the corpus", "line1": "1 Mill Lane", "postal_code": "10115", "city": "Berlin",
      "country": "DE"}',
    CASE WHEN paid = total THEN created END, created, created
FROM scale_made;
INSERT INTO invoice_lines (id, tenant_id, invoice_id, position, service_type, description, quantity, unit, unit_price,
    tax_name, tax_rate, total)
SELECT gen_random_uuid(), :tenant, id, k, (ARRAY['workplace','backup','support'])[1 + k],
    (ARRAY['Managed workplace','Backup and restore','Support by the hour'])[1 + k], 1,
    (ARRAY['month','month','hour'])[1 + k], CASE WHEN k = 0 THEN net - 12000 ELSE 6000 END, 'VAT', 20,
    CASE WHEN k = 0 THEN net - 12000 ELSE 6000 END
FROM scale_made, generate_series(0, 2) k;
INSERT INTO ledger_entries (id, tenant_id, customer_id, invoice_id, kind, amount, currency, key, at)
SELECT gen_random_uuid(), :tenant, company_id, id, 'invoiced', total, 'EUR', 'invoiced:' || id, created FROM scale_made;
INSERT INTO payments (id, tenant_id, number, customer_id, kind, status, currency, amount, method, succeeded_at,
    created_at, updated_at)
SELECT uuid_payment(n), :tenant, 'S-P-' || lpad(n::text, 7, '0'), company_id, 'hosted', 'succeeded', 'EUR', paid,
    '{"kind": "card", "brand": "visa", "last4": "4242"}', created, created, created
FROM scale_made WHERE paid > 0;
INSERT INTO payment_allocations (tenant_id, payment_id, invoice_id, amount, booked)
SELECT :tenant, uuid_payment(n), id, paid, paid FROM scale_made WHERE paid > 0;
INSERT INTO ledger_entries (id, tenant_id, customer_id, invoice_id, payment_id, kind, amount, currency, key, at)
SELECT gen_random_uuid(), :tenant, company_id, id, uuid_payment(n), 'paid', -paid, 'EUR',
    'payment:' || uuid_payment(n) || ':' || id, created + interval '1 minute'
FROM scale_made WHERE paid > 0;
INSERT INTO next_steps (id, tenant_id, record_type, record_id, key, kind, at, staff_only, params)
SELECT gen_random_uuid(), :tenant, 'invoice', id, 'reminder:P7DT9H', 'invoice_reminder', now() + interval '7 days',
    false, '{}'
FROM scale_made WHERE paid < total
"""
_QUOTES = """
INSERT INTO quotes (id, tenant_id, number, customer_id, title, status, currency, subtotal, tax_total, total, taxes,
    valid_until, expires_at, content_sha256, sent_at, created_at, updated_at)
SELECT uuid_quote(n), :tenant, 'S-Q-' || n,
    uuid_company(CASE WHEN n % 20 = 5 THEN :measured ELSE 9 + n % greatest(1, :customers - 9) END), 'Offer ' || n,
    (ARRAY['accepted','declined','expired','accepted'])[1 + n % 4], 'EUR', 120000, 24000, 144000,
    '[{"name": "VAT", "rate": "20", "net": 120000, "tax": 24000}]', created::date + 30, created + interval '31 days',
    sha256('scale'), created, created, created
FROM (
    SELECT n, now() - make_interval(hours => ((:quotes - n) * 8)::int) AS created FROM generate_series(1, :quotes) n
) AS made;
INSERT INTO quote_lines (id, tenant_id, quote_id, position, description, quantity, unit_price, tax_name, tax_rate,
    total)
SELECT gen_random_uuid(), :tenant, uuid_quote(n), k, 'Item ' || k, 1, 40000, 'VAT', 20, 40000
FROM generate_series(1, :quotes) n, generate_series(0, 2) k
"""


def add_money(owner: Engine, *, invoices: int, customers: int) -> None:
    """Add so many invoices, and a quote for each tenth, once; `add_tickets` made the companies. Needs the owner."""
    tenant = demo_uuid("demo", "tenant")
    values: dict[str, str | int | UUID] = {
        "tenant": tenant,
        "total": invoices,
        "quotes": invoices // 10,
        "customers": customers,
        "measured": CUSTOMER,
        "long": LONG_ACCOUNT,
        "short": SHORT_ACCOUNT,
    }
    with writing(owner, tenant) as connection:
        if connection.scalar(text("SELECT EXISTS (SELECT FROM invoices WHERE number = 'S-0000001')")):
            return
        for script in (_MADE, _INVOICES, _QUOTES):
            run_script(connection, script, values)
