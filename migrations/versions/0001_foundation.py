"""Tables of the foundation: tenants, accounts, tickets, service levels, outbox, notifications.

Revision ID: 0001
Revises: 

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    # unaccent() is only STABLE because its dictionary could change; ours is named, so this wrapper may be
    # IMMUTABLE and stand in generated columns.
    op.execute(
        """CREATE FUNCTION portal_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
           AS $$ SELECT lower(public.unaccent('public.unaccent', value)) $$"""
    )
    op.create_table('heartbeats',
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_heartbeats'))
    )
    op.create_table('tenants',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('slug', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('locale', sa.String(length=10), nullable=False),
    sa.Column('locales', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=False),
    sa.Column('support_email', sa.String(length=254), nullable=False),
    sa.Column('support_phone', sa.String(length=40), nullable=False),
    sa.Column('postal_address', sa.String(length=255), nullable=False),
    sa.Column('ticket_prefix', sa.String(length=8), nullable=False),
    sa.Column('ticket_number_format', sa.String(length=40), nullable=False),
    sa.Column('brand', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('welcome', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('features', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenants')),
    sa.UniqueConstraint('slug', name=op.f('uq_tenants_slug'))
    )
    op.create_table('audit_entries',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor_name', sa.String(length=100), nullable=False),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('record_type', sa.String(length=40), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=True),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('request_id', sa.String(length=40), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_audit_entries_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries')),
    sa.UniqueConstraint('seq', name=op.f('uq_audit_entries_seq'))
    )
    op.create_index('ix_audit_at', 'audit_entries', ['tenant_id', 'seq'], unique=False)
    op.create_index('ix_audit_record', 'audit_entries', ['tenant_id', 'record_id', 'seq'], unique=False)
    op.create_table('business_calendars',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=False),
    sa.Column('intervals', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='[[weekday 0=Monday, start minute, end minute], …]'),
    sa.Column('holidays', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='ISO dates'),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_business_calendars_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_business_calendars')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_business_calendars_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'name', name=op.f('uq_business_calendars_tenant_id_name'))
    )
    op.create_table('companies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('customer_number', sa.String(length=20), nullable=False),
    sa.Column('phone', sa.String(length=40), nullable=True),
    sa.Column('city', sa.String(length=80), nullable=True),
    sa.Column('country', sa.String(length=80), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_companies_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_companies')),
    sa.UniqueConstraint('tenant_id', 'customer_number', name=op.f('uq_companies_tenant_id_customer_number')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_companies_tenant_id_id'))
    )
    op.create_table('mail_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('template', sa.String(length=60), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('locale', sa.String(length=10), nullable=False),
    sa.Column('message_id', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('queued', 'sent', 'failed', name='mailstate', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_mail_messages_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_messages')),
    sa.UniqueConstraint('message_id', name=op.f('uq_mail_messages_message_id')),
    sa.UniqueConstraint('tenant_id', 'event_id', 'recipient', 'template', name=op.f('uq_mail_messages_tenant_id_event_id_recipient_template')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_mail_messages_tenant_id_id'))
    )
    op.create_index('ix_mail_created', 'mail_messages', ['tenant_id', 'created_at'], unique=False)
    op.create_table('next_steps',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('record_type', sa.String(length=40), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=60), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('staff_only', sa.Boolean(), nullable=False),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_next_steps_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_next_steps')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_next_steps_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'record_id', 'key', name=op.f('uq_next_steps_tenant_id_record_id_key'))
    )
    op.create_index('ix_next_steps_record', 'next_steps', ['tenant_id', 'record_id', 'at'], unique=False)
    op.create_table('outbox_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('record_type', sa.String(length=40), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('correlation_id', sa.Uuid(), nullable=False),
    sa.Column('depth', sa.Integer(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('processed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('available_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_outbox_events_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_events')),
    sa.UniqueConstraint('seq', name=op.f('uq_outbox_events_seq'))
    )
    op.create_index('ix_outbox_pending', 'outbox_events', ['seq'], unique=False, postgresql_where=sa.text('processed_at IS NULL'))
    op.create_index('ix_outbox_record', 'outbox_events', ['tenant_id', 'record_id', 'seq'], unique=False)
    op.create_table('people',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('company_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False, comment='lower case'),
    sa.Column('phone', sa.String(length=40), nullable=True, comment='digits with a leading +'),
    sa.Column('title', sa.String(length=80), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_people_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people')),
    sa.UniqueConstraint('tenant_id', 'email', name=op.f('uq_people_tenant_id_email')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_people_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'phone', name=op.f('uq_people_tenant_id_phone'))
    )
    op.create_table('portal_kb_categories',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('slug', sa.String(length=100), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('icon', sa.String(length=50), nullable=True),
    sa.Column('parent_id', sa.Uuid(), nullable=True),
    sa.Column('sort_order', sa.Integer(), server_default='0', nullable=False),
    sa.Column('is_public', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'parent_id'], ['portal_kb_categories.tenant_id', 'portal_kb_categories.id'], name=op.f('fk_portal_kb_categories_tenant_id_parent_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_kb_categories_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_kb_categories')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_kb_categories_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'slug', name=op.f('uq_portal_kb_categories_tenant_id_slug'))
    )
    op.create_table('tenant_counters',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_tenant_counters_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'name', name=op.f('pk_tenant_counters'))
    )
    op.create_table('tenant_domains',
    sa.Column('host', sa.String(length=253), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_tenant_domains_tenant_id')),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_tenant_domains'))
    )
    op.create_table('ticket_categories',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=50), nullable=False),
    sa.Column('names', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False, comment='locale -> name'),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_ticket_categories_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_categories')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_ticket_categories_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'key', name=op.f('uq_ticket_categories_tenant_id_key'))
    )
    op.create_table('portal_conversations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=True),
    sa.Column('status', sa.String(length=20), server_default='active', nullable=False),
    sa.Column('last_message_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_message_preview', sa.Text(), nullable=True),
    sa.Column('unread_customer', sa.Integer(), server_default='0', nullable=False),
    sa.Column('unread_agent', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("status IN ('active','archived')", name=op.f('ck_portal_conversations_status_known')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['companies.tenant_id', 'companies.id'], name=op.f('fk_portal_conversations_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_conversations_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_conversations')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_conversations_tenant_id_id'))
    )
    op.create_index('idx_conversations_customer', 'portal_conversations', ['tenant_id', 'customer_id', 'last_message_at'], unique=False)
    op.create_table('sla_policies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False, comment='the first that matches applies'),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('match_categories', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='category keys; empty means every one'),
    sa.Column('match_priorities', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('match_companies', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='company ids; empty means every one'),
    sa.Column('calendar_id', sa.Uuid(), nullable=False),
    sa.Column('first_response_seconds', sa.Integer(), nullable=True),
    sa.Column('resolution_seconds', sa.Integer(), nullable=True),
    sa.Column('warn_before_seconds', sa.Integer(), nullable=True),
    sa.Column('auto_close_seconds', sa.Integer(), nullable=True, comment='elapsed, after the solution'),
    sa.Column('pause_statuses', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('levels', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='[{metric, after_seconds, notify_role, assign_role}, …]'),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint('first_response_seconds > 0', name=op.f('ck_sla_policies_first_response_positive')),
    sa.CheckConstraint('resolution_seconds > 0', name=op.f('ck_sla_policies_resolution_positive')),
    sa.ForeignKeyConstraint(['tenant_id', 'calendar_id'], ['business_calendars.tenant_id', 'business_calendars.id'], name=op.f('fk_sla_policies_tenant_id_calendar_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_sla_policies_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sla_policies')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_sla_policies_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'name', name=op.f('uq_sla_policies_tenant_id_name'))
    )
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('customer', 'staff', name='userkind', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('status', sa.Enum('pending', 'active', 'suspended', 'locked', name='userstatus', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('portal_access', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('locale', sa.String(length=10), nullable=True),
    sa.Column('theme', sa.String(length=10), server_default='system', nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=True),
    sa.Column('mail_preferences', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('previous_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_users_tenant_id_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_users_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_users_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'person_id', name=op.f('uq_users_tenant_id_person_id'))
    )
    op.create_table('auth_sessions',
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('door', sa.String(length=10), nullable=False, comment='portal or admin'),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'user_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_auth_sessions_tenant_id_user_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_auth_sessions_tenant_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_auth_sessions')),
    sa.UniqueConstraint('id', name=op.f('uq_auth_sessions_id'))
    )
    op.create_index('ix_auth_sessions_user', 'auth_sessions', ['tenant_id', 'user_id'], unique=False)
    op.create_table('idempotency_keys',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(length=32), nullable=False, comment='method, path and body'),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.String(), nullable=False, comment='JSON text, or the address a form leads to'),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'user_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_idempotency_keys_tenant_id_user_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_idempotency_keys_tenant_id')),
    sa.PrimaryKeyConstraint('user_id', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_table('memberships',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('company_id', sa.Uuid(), nullable=True),
    sa.Column('role', sa.Enum('customer', 'customer.admin', 'agent', 'manager', 'billing', 'designer', 'tenant_admin', name='role', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("(role LIKE 'customer%%') = (company_id IS NOT NULL)", name=op.f('ck_memberships_company_only_for_customers')),
    sa.ForeignKeyConstraint(['tenant_id', 'company_id'], ['companies.tenant_id', 'companies.id'], name=op.f('fk_memberships_tenant_id_company_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'user_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_memberships_tenant_id_user_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_memberships_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_memberships')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_memberships_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'user_id', 'company_id', 'role', name=op.f('uq_memberships_tenant_id_user_id_company_id_role'), postgresql_nulls_not_distinct=True)
    )
    op.create_index('ix_memberships_tenant_role', 'memberships', ['tenant_id', 'role'], unique=False)
    op.create_table('notifications',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('record_type', sa.String(length=40), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'user_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_notifications_tenant_id_user_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_notifications_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications')),
    sa.UniqueConstraint('tenant_id', 'event_id', 'user_id', name=op.f('uq_notifications_tenant_id_event_id_user_id')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_notifications_tenant_id_id'))
    )
    op.create_index('ix_notifications_unread', 'notifications', ['tenant_id', 'user_id'], unique=False, postgresql_where=sa.text('read_at IS NULL'))
    op.create_index('ix_notifications_user', 'notifications', ['tenant_id', 'user_id', 'created_at'], unique=False)
    op.create_table('portal_kb_articles',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('category_id', sa.Uuid(), nullable=True),
    sa.Column('title', sa.String(length=255), nullable=False),
    sa.Column('slug', sa.String(length=255), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('excerpt', sa.Text(), nullable=True),
    sa.Column('status', sa.String(length=20), server_default='published', nullable=False),
    sa.Column('author_id', sa.Uuid(), nullable=True),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('view_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('helpful_yes', sa.Integer(), server_default='0', nullable=False),
    sa.Column('helpful_no', sa.Integer(), server_default='0', nullable=False),
    sa.Column('meta_title', sa.String(length=255), nullable=True),
    sa.Column('meta_description', sa.Text(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("status IN ('draft','published','archived')", name=op.f('ck_portal_kb_articles_status_known')),
    sa.ForeignKeyConstraint(['tenant_id', 'author_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_portal_kb_articles_tenant_id_author_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'category_id'], ['portal_kb_categories.tenant_id', 'portal_kb_categories.id'], name=op.f('fk_portal_kb_articles_tenant_id_category_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_kb_articles_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_kb_articles')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_kb_articles_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'slug', name=op.f('uq_portal_kb_articles_tenant_id_slug'))
    )
    op.create_index('idx_kb_articles_category', 'portal_kb_articles', ['tenant_id', 'category_id'], unique=False)
    op.create_index('idx_kb_articles_status', 'portal_kb_articles', ['tenant_id', 'status'], unique=False)
    op.create_index('idx_kb_articles_tenant', 'portal_kb_articles', ['tenant_id'], unique=False)
    op.create_table('portal_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=False),
    sa.Column('sender_type', sa.Enum('customer', 'agent', 'system', name='sendertype', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('sender_id', sa.Uuid(), nullable=False),
    sa.Column('sender_name', sa.String(length=100), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('attachments', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'conversation_id'], ['portal_conversations.tenant_id', 'portal_conversations.id'], name=op.f('fk_portal_messages_tenant_id_conversation_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_messages_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_messages')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_messages_tenant_id_id'))
    )
    op.create_index('idx_messages_conversation', 'portal_messages', ['tenant_id', 'conversation_id', 'created_at'], unique=False)
    op.create_table('portal_tickets',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False, comment='the company it belongs to'),
    sa.Column('requester_id', sa.Uuid(), nullable=False, comment='the login that asked'),
    sa.Column('ticket_number', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('description_html', sa.Text(), nullable=False),
    sa.Column('category', sa.String(length=50), nullable=False),
    sa.Column('priority', sa.Enum('low', 'normal', 'high', 'urgent', name='ticketpriority', native_enum=False, create_constraint=True, length=20), server_default='normal', nullable=False),
    sa.Column('status', sa.Enum('open', 'in_progress', 'waiting_customer', 'awaiting_payment', 'resolved', 'closed', 'cancelled', name='ticketstatus', native_enum=False, create_constraint=True, length=20), server_default='open', nullable=False),
    sa.Column('assigned_to', sa.Uuid(), nullable=True),
    sa.Column('sla_policy_id', sa.Uuid(), nullable=True),
    sa.Column('sla_due_at', sa.DateTime(timezone=True), nullable=True, comment='the due time that is pending now'),
    sa.Column('sla_state', sa.String(length=10), server_default='within', nullable=False),
    sa.Column('first_response_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolution_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_response_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('clock_started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('clock_cycle', sa.Integer(), server_default='1', nullable=False),
    sa.Column('clock_pauses', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='[[from, to or null, reason], …]'),
    sa.Column('clock_fired', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment="keys of the ladder's steps done in this cycle"),
    sa.Column('escalation_level', sa.Integer(), server_default='0', nullable=False),
    sa.Column('satisfaction_rating', sa.Integer(), nullable=True),
    sa.Column('satisfaction_comment', sa.Text(), nullable=True),
    sa.Column('source', sa.String(length=20), server_default='portal', nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('custom_fields', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('last_message', sa.String(length=160), nullable=False, comment='start of the newest public message'),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('search', postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', portal_fold(ticket_number || ' ' || subject || ' ' || description))", persisted=True), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint('char_length(btrim(subject)) > 0', name=op.f('ck_portal_tickets_subject_not_blank')),
    sa.CheckConstraint('satisfaction_rating BETWEEN 1 AND 5', name=op.f('ck_portal_tickets_rating_in_range')),
    sa.ForeignKeyConstraint(['tenant_id', 'assigned_to'], ['users.tenant_id', 'users.id'], name=op.f('fk_portal_tickets_tenant_id_assigned_to')),
    sa.ForeignKeyConstraint(['tenant_id', 'category'], ['ticket_categories.tenant_id', 'ticket_categories.key'], name=op.f('fk_portal_tickets_tenant_id_category')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['companies.tenant_id', 'companies.id'], name=op.f('fk_portal_tickets_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'requester_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_portal_tickets_tenant_id_requester_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'sla_policy_id'], ['sla_policies.tenant_id', 'sla_policies.id'], name=op.f('fk_portal_tickets_tenant_id_sla_policy_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_tickets_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_tickets')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_tickets_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'ticket_number', name=op.f('uq_portal_tickets_tenant_id_ticket_number'))
    )
    op.create_index('idx_tickets_customer', 'portal_tickets', ['tenant_id', 'customer_id', 'updated_at', 'id'], unique=False)
    active = sa.text("status IN ('open','in_progress','waiting_customer','awaiting_payment')")
    due = sa.text("coalesce(sla_due_at, 'infinity'::timestamptz)")
    priority = sa.text("(CASE priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 WHEN 'high' THEN 2 ELSE 3 END)")
    op.create_index('idx_tickets_updated', 'portal_tickets', ['tenant_id', 'updated_at', 'id'])
    for name, columns in (
        ('updated', ['updated_at', 'id']), ('company', ['customer_id']), ('requester', ['requester_id']),
    ):
        op.create_index(f'idx_tickets_open_{name}', 'portal_tickets', ['tenant_id', *columns], postgresql_where=active)
    for name, columns in (
        ('due', [due, 'id']), ('priority', [priority, 'id']), ('assignee', ['assigned_to', due, 'id']),
    ):
        op.create_index(f'idx_tickets_{name}', 'portal_tickets', ['tenant_id', *columns], postgresql_where=active)
    op.create_index('idx_tickets_requester', 'portal_tickets', ['tenant_id', 'requester_id', 'updated_at', 'id'], unique=False)
    op.create_index('idx_tickets_search', 'portal_tickets', ['search'], unique=False, postgresql_using='gin')
    op.create_index('idx_tickets_status', 'portal_tickets', ['tenant_id', 'status', 'updated_at', 'id'], unique=False)
    op.create_index('idx_tickets_tenant', 'portal_tickets', ['tenant_id', 'created_at', 'id'], unique=False)
    op.create_table('token_families',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'user_id'], ['users.tenant_id', 'users.id'], name=op.f('fk_token_families_tenant_id_user_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_token_families_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_token_families')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_token_families_tenant_id_id'))
    )
    op.create_table('portal_ticket_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('sender_type', sa.Enum('customer', 'agent', 'system', name='sendertype', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('sender_id', sa.Uuid(), nullable=False),
    sa.Column('sender_name', sa.String(length=100), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('message_html', sa.Text(), nullable=False),
    sa.Column('attachments', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('is_internal', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('search', postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', portal_fold(message))", persisted=True), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'ticket_id'], ['portal_tickets.tenant_id', 'portal_tickets.id'], name=op.f('fk_portal_ticket_messages_tenant_id_ticket_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_portal_ticket_messages_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_ticket_messages')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_portal_ticket_messages_tenant_id_id'))
    )
    op.create_index('idx_ticket_messages_search', 'portal_ticket_messages', ['search'], unique=False, postgresql_using='gin')
    op.create_index('idx_ticket_messages_ticket', 'portal_ticket_messages', ['tenant_id', 'ticket_id', 'created_at', 'id'], unique=False)
    op.create_table('refresh_tokens',
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('family_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'family_id'], ['token_families.tenant_id', 'token_families.id'], name=op.f('fk_refresh_tokens_tenant_id_family_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_refresh_tokens_tenant_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_refresh_tokens'))
    )
    op.create_table('ticket_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor_name', sa.String(length=100), nullable=False),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('staff_only', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'ticket_id'], ['portal_tickets.tenant_id', 'portal_tickets.id'], name=op.f('fk_ticket_events_tenant_id_ticket_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_ticket_events_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_events')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_ticket_events_tenant_id_id'))
    )
    op.create_index('ix_ticket_events_ticket', 'ticket_events', ['tenant_id', 'ticket_id', 'at', 'id'], unique=False)


def downgrade():
    raise NotImplementedError("the first migration is undone by dropping the database")
