"""Quotes, contracts, signatures, invoices, the ledger and payments.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "billing_settings number_series quote_templates sealed_documents tax_rates catalog_items "
    "gateway_customers invoices payment_methods quotes contracts invoice_lines "
    "ledger_entries payments quote_lines quote_requests quote_views signatures "
    "payment_allocations refunds"
).split()
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {CURRENT_TENANT}) "
        f"WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_app")


def upgrade() -> None:
    op.create_table(
        "gateway_events",
        sa.Column("id", sa.String(length=80), nullable=False, comment="evt_…"),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("object_id", sa.String(length=120), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False, comment="Unix seconds, the gateway's clock"),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_events")),
    )
    op.create_index(
        "ix_gateway_events_waiting",
        "gateway_events",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.create_table(
        "billing_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "seller",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="legal_name, tax_number, line1, line2, postal_code, city, country (ISO 3166), iban, bic",
        ),
        sa.Column("tax_rounding", sa.String(length=10), server_default="document", nullable=False),
        sa.Column("payment_terms_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("quote_valid_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("quote_number_format", sa.String(length=40), nullable=False),
        sa.Column("invoice_number_format", sa.String(length=40), nullable=False),
        sa.Column("credit_note_number_format", sa.String(length=40), nullable=False),
        sa.Column("contract_number_format", sa.String(length=40), nullable=False),
        sa.Column("partial_payments", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "partial_minimum",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="least amount of a partial payment",
        ),
        sa.Column("late_fee_percent", sa.Numeric(precision=7, scale=4), server_default="0", nullable=False),
        sa.Column("late_fee_after_days", sa.Integer(), server_default="0", nullable=False, comment="0: none"),
        sa.Column("four_eyes_over", sa.BigInteger(), nullable=True, comment="refunds and write-offs above need two"),
        sa.Column(
            "invoice_notes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> text under each invoice",
        ),
        sa.Column(
            "quote_terms",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> text of the standard terms",
        ),
        sa.Column(
            "quote_reminders",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="ISO 8601 durations before the end of validity",
        ),
        sa.Column(
            "dunning",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="retry_after and reminders, ISO 8601 durations",
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_billing_settings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_billing_settings")),
    )
    op.create_table(
        "number_series",
        sa.Column("name", sa.String(length=40), nullable=False, comment="invoice:2026"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_number_series_tenant_id")),
        sa.PrimaryKeyConstraint("name", "tenant_id", name=op.f("pk_number_series")),
    )
    op.create_table(
        "quote_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="title, introduction, terms, deposit_percent, lines",
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quote_templates_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_templates")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_quote_templates_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_quote_templates_tenant_id_name")),
    )
    op.create_table(
        "sealed_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_type", sa.String(length=20), nullable=False, comment="quote or contract"),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False, comment="of /verify/<code>; printed on the document"),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="of the bytes that were shown and signed",
        ),
        sa.Column("sealed_sha256", sa.LargeBinary(length=32), nullable=True, comment="of the sealed file"),
        sa.Column("storage_key", sa.String(length=120), nullable=True),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "level", sa.String(length=10), server_default="", nullable=False, comment="B-B or B-T; empty: waiting"
        ),
        sa.Column(
            "evidence",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="what the evidence page says",
        ),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sealed_documents_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_documents")),
        sa.UniqueConstraint("code", name=op.f("uq_sealed_documents_code")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_sealed_documents_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "record_type", "record_id", name=op.f("uq_sealed_documents_tenant_id_record_type_record_id")
        ),
    )
    op.create_index("ix_sealed_documents_sha256", "sealed_documents", ["tenant_id", "sealed_sha256"], unique=False)
    op.create_table(
        "tax_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False, comment="as printed: VAT, GST"),
        sa.Column("rate", sa.Numeric(precision=7, scale=4), server_default="0", nullable=False),
        sa.Column(
            "category", sa.String(length=2), server_default="S", nullable=False, comment="UNCL 5305, for EN 16931"
        ),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tax_rates_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rates")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_tax_rates_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_tax_rates_tenant_id_name")),
    )
    op.create_table(
        "catalog_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(length=40), nullable=False),
        sa.Column(
            "names",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> name",
        ),
        sa.Column("service_type", sa.String(length=40), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=20), server_default="", nullable=False, comment="hour, month, piece"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_rate_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tax_rate_id"],
            ["tax_rates.tenant_id", "tax_rates.id"],
            name=op.f("fk_catalog_items_tenant_id_tax_rate_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_catalog_items_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_items")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_catalog_items_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "sku", name=op.f("uq_catalog_items_tenant_id_sku")),
    )
    op.create_table(
        "gateway_customers",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.String(length=80), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False, comment="idempotency key of its creation"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_gateway_customers_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_gateway_customers_tenant_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_gateway_customers")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_gateway_customers_gateway_id")),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "deposit",
                "remainder",
                "late_fee",
                "credit_note",
                name="invoicekind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "open",
                "processing",
                "overdue",
                "paid",
                "failed",
                "disputed",
                "void",
                name="invoicestatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=True, comment="end of the due day in the tenant's zone"
        ),
        sa.Column("subtotal", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("discount_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "taxes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[{name, rate, net, tax}, …]",
        ),
        sa.Column("paid", sa.BigInteger(), server_default="0", nullable=False, comment="received less refunded"),
        sa.Column(
            "reserved",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="in payments that are not decided yet",
        ),
        sa.Column(
            "credited", sa.BigInteger(), server_default="0", nullable=False, comment="by credit notes and write-offs"
        ),
        sa.Column("disputed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=True, comment="the accepted version"),
        sa.Column("credits_id", sa.Uuid(), nullable=True, comment="of a credit note: the invoice it takes back"),
        sa.Column(
            "source_key",
            sa.String(length=80),
            nullable=True,
            comment="names what it was made from (quote:<id>:full), so that it is made once",
        ),
        sa.Column("purchase_order", sa.String(length=60), server_default="", nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "seller",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="as it was on the day of issue",
        ),
        sa.Column(
            "buyer",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="name, tax_number, address, as it was on the day of issue",
        ),
        sa.Column("locale", sa.String(length=10), server_default="en", nullable=False),
        sa.Column("failure", sa.String(length=60), nullable=True, comment="code of the last payment's refusal"),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=255), server_default="", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'draft') = (number IS NULL)", name=op.f("ck_invoices_numbered_when_issued")),
        sa.CheckConstraint("disputed >= 0 AND reserved >= 0", name=op.f("ck_invoices_holds_not_negative")),
        sa.CheckConstraint(
            "paid >= 0 AND credited >= 0 AND paid + credited <= total", name=op.f("ck_invoices_never_overpaid")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credits_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_invoices_tenant_id_credits_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_invoices_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invoices_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_invoices_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_invoices_tenant_id_number")),
        sa.UniqueConstraint("tenant_id", "source_key", name=op.f("uq_invoices_tenant_id_source_key")),
    )
    op.create_index("ix_invoices_customer", "invoices", ["tenant_id", "customer_id", "issued_on", "id"], unique=False)
    op.create_index("ix_invoices_issued", "invoices", ["tenant_id", "issued_on", "id"], unique=False)
    op.create_index("ix_invoices_status", "invoices", ["tenant_id", "status", "due_on", "id"], unique=False)
    op.create_table(
        "payment_methods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("gateway_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False, comment="card, sepa_debit, us_bank_account, …"),
        sa.Column("brand", sa.String(length=30), server_default="", nullable=False),
        sa.Column("last4", sa.String(length=4), server_default="", nullable=False),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(length=80), server_default="", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("consent_version", sa.String(length=20), server_default="", nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_address", sa.String(length=45), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_payment_methods_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_payment_methods_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint("tenant_id", "gateway_id", name=op.f("uq_payment_methods_tenant_id_gateway_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_payment_methods_tenant_id_id")),
    )
    op.create_index(
        "uq_payment_methods_default",
        "payment_methods",
        ["tenant_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND removed_at IS NULL"),
    )
    op.create_table(
        "quotes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False, comment="the same for all versions"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True, comment="the version this one takes the place of"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True, comment="the customer's request it answers (QTE-01)"),
        sa.Column("title", sa.String(length=160), server_default="", nullable=False),
        sa.Column("introduction", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "sent",
                "revision_requested",
                "accepted",
                "declined",
                "expired",
                "superseded",
                name="quotestatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=10), server_default="en", nullable=False),
        sa.Column(
            "subtotal", sa.BigInteger(), server_default="0", nullable=False, comment="sums are of the lines taken"
        ),
        sa.Column("discount_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "taxes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[{name, rate, net, tax}, …]",
        ),
        sa.Column(
            "deposit_percent",
            sa.Numeric(precision=7, scale=4),
            server_default="0",
            nullable=False,
            comment="0: none is asked for",
        ),
        sa.Column("deposit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False, comment="the whole day, in the tenant's zone"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, comment="the instant that day ends"),
        sa.Column("terms", sa.Text(), server_default="", nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(length=32), nullable=True, comment="of what was sent"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column(
            "decision_note",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="why it was declined, or what shall change",
        ),
        sa.Column("purchase_order", sa.String(length=60), server_default="", nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True, comment="the first invoice that came of it"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("deposit >= 0 AND deposit <= total", name=op.f("ck_quotes_deposit_in_range")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_quotes_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "previous_id"],
            ["quotes.tenant_id", "quotes.id"],
            name=op.f("fk_quotes_tenant_id_previous_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quotes_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_quotes_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", "version", name=op.f("uq_quotes_tenant_id_number_version")),
    )
    op.create_index("ix_quotes_customer", "quotes", ["tenant_id", "customer_id", "created_at", "id"], unique=False)
    op.create_index("ix_quotes_status", "quotes", ["tenant_id", "status", "created_at", "id"], unique=False)
    op.create_index("uq_quotes_previous", "quotes", ["tenant_id", "previous_id"], unique=True)
    op.create_table(
        "contracts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="Markdown"),
        sa.Column("body_html", sa.Text(), nullable=False, comment="made when it was saved"),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "sent",
                "signed",
                "void",
                name="contractstatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=10), server_default="en", nullable=False),
        sa.Column("in_order", sa.Boolean(), server_default="false", nullable=False, comment="one after another"),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column(
            "document_key", sa.String(length=120), nullable=True, comment="where the very bytes to sign are kept"
        ),
        sa.Column("content_sha256", sa.LargeBinary(length=32), nullable=True, comment="of these bytes"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True, comment="when the last of them signed"),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=255), server_default="", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_contracts_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"], ["quotes.tenant_id", "quotes.id"], name=op.f("fk_contracts_tenant_id_quote_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contracts_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contracts_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_contracts_tenant_id_number")),
    )
    op.create_index(
        "ix_contracts_customer", "contracts", ["tenant_id", "customer_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_contracts_status", "contracts", ["tenant_id", "status", "created_at", "id"], unique=False)
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("catalog_item_id", sa.Uuid(), nullable=True),
        sa.Column("service_type", sa.String(length=40), server_default="", nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), server_default="1", nullable=False),
        sa.Column("unit", sa.String(length=20), server_default="", nullable=False),
        sa.Column("unit_price", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("discount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_name", sa.String(length=40), server_default="", nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=7, scale=4), server_default="0", nullable=False),
        sa.Column("tax_category", sa.String(length=2), server_default="S", nullable=False),
        sa.Column(
            "total", sa.BigInteger(), server_default="0", nullable=False, comment="after the discount, before tax"
        ),
        sa.Column("disputed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("discount >= 0", name=op.f("ck_invoice_lines_discount_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_invoice_lines_tenant_id_invoice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invoice_lines_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_invoice_lines_tenant_id_id")),
    )
    op.create_index("ix_invoice_lines_invoice", "invoice_lines", ["tenant_id", "invoice_id", "position"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "invoiced",
                "credited",
                "voided",
                "paid",
                "refunded",
                "charged_back",
                "restored",
                "written_off",
                "credit_added",
                "credit_used",
                name="ledgerkind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "amount", sa.BigInteger(), nullable=False, comment="what it adds to what is owed; payments are negative"
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False, comment="names the cause, so that it is booked once"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it happened"),
        sa.Column("booked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_ledger_entries_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_ledger_entries_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ledger_entries_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ledger_entries_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_ledger_entries_tenant_id_key")),
    )
    op.create_index(
        "ix_ledger_entries_customer", "ledger_entries", ["tenant_id", "customer_id", "at", "seq"], unique=False
    )
    op.create_index("ix_ledger_entries_invoice", "ledger_entries", ["tenant_id", "invoice_id", "seq"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "hosted",
                "saved",
                "auto_pay",
                "scheduled",
                "transfer",
                "credit",
                name="paymentkind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "created",
                "open",
                "requires_action",
                "processing",
                "succeeded",
                "failed",
                "cancelled",
                name="paymentstatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disputed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=True),
        sa.Column(
            "method",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="kind, brand, last4 as they were",
        ),
        sa.Column("session_id", sa.String(length=120), nullable=True),
        sa.Column("intent_id", sa.String(length=80), nullable=True),
        sa.Column("charge_id", sa.String(length=80), nullable=True),
        sa.Column("redirect_url", sa.String(length=1000), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "keys",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="step -> idempotency key, written before the call",
        ),
        sa.Column("failure_code", sa.String(length=60), nullable=True),
        sa.Column("advice_code", sa.String(length=60), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount_positive")),
        sa.CheckConstraint("refunded >= 0 AND refunded <= amount", name=op.f("ck_payments_refunded_in_range")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_payments_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "method_id"],
            ["payment_methods.tenant_id", "payment_methods.id"],
            name=op.f("fk_payments_tenant_id_method_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_payments_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payments_intent_id")),
        sa.UniqueConstraint("session_id", name=op.f("uq_payments_session_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_payments_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_payments_tenant_id_number")),
    )
    op.create_index("ix_payments_customer", "payments", ["tenant_id", "customer_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_payments_undecided",
        "payments",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('created','open','requires_action','processing')"),
    )
    op.create_table(
        "quote_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("catalog_item_id", sa.Uuid(), nullable=True),
        sa.Column("service_type", sa.String(length=40), server_default="", nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), server_default="1", nullable=False),
        sa.Column("unit", sa.String(length=20), server_default="", nullable=False),
        sa.Column("unit_price", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("discount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_name", sa.String(length=40), server_default="", nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=7, scale=4), server_default="0", nullable=False),
        sa.Column("tax_category", sa.String(length=2), server_default="S", nullable=False),
        sa.Column("optional", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("selected", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "total", sa.BigInteger(), server_default="0", nullable=False, comment="after the discount, before tax"
        ),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("discount >= 0", name=op.f("ck_quote_lines_discount_not_negative")),
        sa.CheckConstraint("optional OR selected", name=op.f("ck_quote_lines_required_is_taken")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"],
            ["quotes.tenant_id", "quotes.id"],
            name=op.f("fk_quote_lines_tenant_id_quote_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quote_lines_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_lines")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_quote_lines_tenant_id_id")),
    )
    op.create_index("ix_quote_lines_quote", "quote_lines", ["tenant_id", "quote_id", "position"], unique=False)
    op.create_table(
        "quote_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("requirements", sa.Text(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=True, comment="minor units of `currency`"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("wanted_by", sa.Date(), nullable=True),
        sa.Column("quote_id", sa.Uuid(), nullable=True, comment="the quote that answers it"),
        sa.Column("refusal", sa.String(length=500), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_quote_requests_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_quote_requests_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quote_requests_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_requests")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_quote_requests_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_quote_requests_tenant_id_number")),
    )
    op.create_index(
        "ix_quote_requests_customer", "quote_requests", ["tenant_id", "customer_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_quote_requests_waiting",
        "quote_requests",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "quote_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"], ["quotes.tenant_id", "quotes.id"], name=op.f("fk_quote_views_tenant_id_quote_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_quote_views_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_quote_views_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_views")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_quote_views_tenant_id_id")),
    )
    op.create_index("ix_quote_views_quote", "quote_views", ["tenant_id", "quote_id", "at"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_type", sa.String(length=20), nullable=False, comment="quote or contract"),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="1", nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False, comment="customer or staff"),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "signed",
                "declined",
                name="signaturestatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("signer_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("signer_email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(length=32), nullable=True, comment="what the signer said they saw"),
        sa.Column("consent_version", sa.String(length=20), server_default="", nullable=False),
        sa.Column("consent_text", sa.Text(), server_default="", nullable=False),
        sa.Column("image_key", sa.String(length=120), nullable=True, comment="a drawn signature; else it was typed"),
        sa.Column("address", sa.String(length=45), server_default="", nullable=False, comment="IP"),
        sa.Column("user_agent", sa.String(length=255), server_default="", nullable=False),
        sa.Column(
            "factors",
            sa.String(length=60),
            server_default="",
            nullable=False,
            comment="how the signer had signed in: pwd, otp, webauthn, sso",
        ),
        sa.Column("decline_reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_signatures_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_signatures_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_signatures_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "record_type",
            "record_id",
            "user_id",
            name=op.f("uq_signatures_tenant_id_record_type_record_id_user_id"),
        ),
    )
    op.create_index(
        "ix_signatures_record", "signatures", ["tenant_id", "record_type", "record_id", "position"], unique=False
    )
    op.create_index("ix_signatures_user", "signatures", ["tenant_id", "user_id", "status"], unique=False)
    op.create_table(
        "payment_allocations",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "booked",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="what the invoice took of it once the money was there",
        ),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_allocations_amount_positive")),
        sa.CheckConstraint(
            "refunded >= 0 AND refunded <= amount", name=op.f("ck_payment_allocations_refunded_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_payment_allocations_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_payment_allocations_tenant_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_payment_allocations_tenant_id")),
        sa.PrimaryKeyConstraint("payment_id", "invoice_id", name=op.f("pk_payment_allocations")),
    )
    op.create_index("ix_payment_allocations_invoice", "payment_allocations", ["tenant_id", "invoice_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True, comment="whose paid amount falls; NULL: newest first"),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "approved",
                "pending",
                "succeeded",
                "failed",
                "refused",
                name="refundstatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("gateway_id", sa.String(length=80), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=False, comment="idempotency key of its creation"),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_refunds_tenant_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_refunds_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_refunds_gateway_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_refunds_tenant_id_id")),
    )
    op.create_index("ix_refunds_payment", "refunds", ["tenant_id", "payment_id"], unique=False)
    for table in TENANT_TABLES:
        _protect(table)
    # Whose an event is, nobody knows before its object was read; it says nothing but the object's id.
    op.execute("GRANT SELECT, INSERT, UPDATE ON gateway_events TO portal_app")
    op.execute("REVOKE UPDATE, DELETE ON ledger_entries FROM portal_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
