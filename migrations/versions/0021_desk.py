"""The desk: views, macros, own statuses, links, followers, drafts, time, assignment, mail that came in.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "assignment_rules bounced_addresses config_versions ticket_statuses bulk_changes drafts "
    "macros staff_profiles ticket_views side_conversations ticket_followers ticket_links ticket_presence "
    "time_entries inbound_mails side_messages"
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
        "assignment_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("match_categories", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("match_priorities", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("match_companies", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("strategy", sa.String(length=20), nullable=False, comment="round_robin, least_loaded or person"),
        sa.Column(
            "people",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="user ids; empty: everybody with the skills",
        ),
        sa.Column(
            "skills",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="what one has to know",
        ),
        sa.Column("only_working", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("last_person", sa.Uuid(), nullable=True, comment="whose turn was last"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_assignment_rules_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_rules")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_assignment_rules_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_assignment_rules_tenant_id_name")),
    )
    op.create_table(
        "bounced_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=255), server_default="", nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_bounced_addresses_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounced_addresses")),
        sa.UniqueConstraint("tenant_id", "address", name=op.f("uq_bounced_addresses_tenant_id_address")),
    )
    op.create_table(
        "config_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_type", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("saved_by_name", sa.String(length=100), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_config_versions_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_versions")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_config_versions_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "record_type",
            "record_id",
            "version",
            name=op.f("uq_config_versions_tenant_id_record_type_record_id_version"),
        ),
    )
    op.create_table(
        "ticket_statuses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "open",
                "in_progress",
                "waiting_customer",
                "awaiting_payment",
                "resolved",
                "closed",
                "cancelled",
                name="ticketstatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="what it counts as everywhere",
        ),
        sa.Column(
            "staff_names",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> name",
        ),
        sa.Column(
            "customer_names",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> name",
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_statuses_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_statuses")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_statuses_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_ticket_statuses_tenant_id_key")),
    )
    op.create_table(
        "bulk_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("action", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "results",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="[{id, number, ok, code, before}, …]",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_bulk_changes_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_bulk_changes_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_changes")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_bulk_changes_tenant_id_id")),
    )
    op.create_table(
        "drafts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False, comment="new, reply:<ticket> or note:<ticket>"),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_drafts_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_drafts_tenant_id")),
        sa.PrimaryKeyConstraint("user_id", "place", name=op.f("pk_drafts")),
    )
    op.create_table(
        "macros",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False, comment="staff or customer"),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="NULL: shared"),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "texts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="locale -> text with {{placeholders}}",
        ),
        sa.Column(
            "actions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="field changes: status, priority, assignee, add_tags",
        ),
        sa.Column(
            "categories",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="category keys; empty means every one",
        ),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"], ["users.tenant_id", "users.id"], name=op.f("fk_macros_tenant_id_owner_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_macros_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macros")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_macros_tenant_id_id")),
    )
    op.create_index("ix_macros_audience", "macros", ["tenant_id", "audience", "owner_id", "position"], unique=False)
    op.create_table(
        "staff_profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("skills", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=True),
        sa.Column("absent_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("absent_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("most_open", sa.Integer(), nullable=True, comment="no new tickets beyond this many open ones"),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "calendar_id"],
            ["business_calendars.tenant_id", "business_calendars.id"],
            name=op.f("fk_staff_profiles_tenant_id_calendar_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_staff_profiles_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_staff_profiles_tenant_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_staff_profiles")),
    )
    op.create_table(
        "ticket_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False, comment="staff or customer"),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="NULL: shared"),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "filters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="the list's filters by name, as in its address",
        ),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("sort", sa.String(length=30), server_default="due", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"], ["users.tenant_id", "users.id"], name=op.f("fk_ticket_views_tenant_id_owner_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_views_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_views")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_views_tenant_id_id")),
    )
    op.create_index(
        "ix_ticket_views_audience", "ticket_views", ["tenant_id", "audience", "owner_id", "position"], unique=False
    )
    op.create_table(
        "side_conversations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_side_conversations_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_side_conversations_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_side_conversations")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_side_conversations_tenant_id_id")),
    )
    op.create_index("ix_side_conversations_ticket", "side_conversations", ["tenant_id", "ticket_id"], unique=False)
    op.create_table(
        "ticket_followers",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_ticket_followers_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_ticket_followers_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_followers_tenant_id")),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_followers")),
    )
    op.create_index("ix_ticket_followers_user", "ticket_followers", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "ticket_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "related",
                "incident_of",
                "split_from",
                "merged_into",
                "follows_up",
                name="linkkind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ticket_id <> other_id", name=op.f("ck_ticket_links_not_to_itself")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "other_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_ticket_links_tenant_id_other_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_ticket_links_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_links_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_ticket_links_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "ticket_id", "other_id", "kind", name=op.f("uq_ticket_links_tenant_id_ticket_id_other_id_kind")
        ),
    )
    op.create_index("ix_ticket_links_other", "ticket_links", ["tenant_id", "other_id"], unique=False)
    op.create_table(
        "ticket_presence",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("activity", sa.String(length=10), nullable=False, comment="viewing or replying"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_ticket_presence_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_ticket_presence_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_presence_tenant_id")),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_presence")),
    )
    op.create_table(
        "time_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=255), server_default="", nullable=False),
        sa.Column("billable", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name=op.f("ck_time_entries_minutes_in_a_day")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_time_entries_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_time_entries_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_time_entries_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_entries")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_time_entries_tenant_id_id")),
    )
    op.create_index("ix_time_entries_ticket", "time_entries", ["tenant_id", "ticket_id", "spent_at"], unique=False)
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "mail_key", sa.String(length=255), nullable=False, comment="Message-ID, else a hash of the whole message"
        ),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column(
            "outcome",
            sa.String(length=20),
            nullable=False,
            comment="opened, appended, side, bounce, ignored, held or failed",
        ),
        sa.Column("reason", sa.String(length=60), server_default="", nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["portal_ticket_messages.tenant_id", "portal_ticket_messages.id"],
            name=op.f("fk_inbound_mails_tenant_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["portal_tickets.tenant_id", "portal_tickets.id"],
            name=op.f("fk_inbound_mails_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_inbound_mails_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_inbound_mails_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "mail_key", name=op.f("uq_inbound_mails_tenant_id_mail_key")),
    )
    op.create_index("ix_inbound_mails_received", "inbound_mails", ["tenant_id", "received_at"], unique=False)
    op.create_index("ix_inbound_mails_sender", "inbound_mails", ["tenant_id", "sender", "received_at"], unique=False)
    op.create_table(
        "side_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("inbound", sa.Boolean(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=True),
        sa.Column("sender_name", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["side_conversations.tenant_id", "side_conversations.id"],
            name=op.f("fk_side_messages_tenant_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_side_messages_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_side_messages")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_side_messages_tenant_id_id")),
    )
    op.create_index(
        "ix_side_messages_conversation", "side_messages", ["tenant_id", "conversation_id", "created_at"], unique=False
    )
    op.add_column(
        "portal_ticket_messages", sa.Column("source", sa.String(length=20), server_default="portal", nullable=False)
    )
    op.add_column("portal_ticket_messages", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "portal_tickets",
        sa.Column("custom_status", sa.String(length=40), nullable=True, comment="key of the tenant's own status"),
    )
    op.add_column("portal_tickets", sa.Column("next_response_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("portal_tickets", sa.Column("update_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "portal_tickets",
        sa.Column(
            "customer_waits_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the oldest question without an answer",
        ),
    )
    op.add_column("portal_tickets", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.add_column("portal_tickets", sa.Column("trashed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("portal_tickets", sa.Column("minutes_spent", sa.Integer(), server_default="0", nullable=False))
    op.create_foreign_key(
        op.f("fk_portal_tickets_tenant_id_merged_into_id"),
        "portal_tickets",
        "portal_tickets",
        ["tenant_id", "merged_into_id"],
        ["tenant_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_portal_tickets_tenant_id_custom_status"),
        "portal_tickets",
        "ticket_statuses",
        ["tenant_id", "custom_status"],
        ["tenant_id", "key"],
    )
    op.add_column(
        "sla_policies",
        sa.Column("next_response_seconds", sa.Integer(), nullable=True, comment="to each further question"),
    )
    op.add_column(
        "sla_policies",
        sa.Column("update_seconds", sa.Integer(), nullable=True, comment="at least this often a word from the team"),
    )
    for name, column in (("next_response_positive", "next_response_seconds"), ("update_positive", "update_seconds")):
        op.create_check_constraint(op.f(f"ck_sla_policies_{name}"), "sla_policies", f"{column} > 0")
    for table in TENANT_TABLES:
        _protect(table)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
