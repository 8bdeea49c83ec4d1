"""Access: factors, devices, links, invitations, keys, identity providers, roles of one's own, the audit chain.

Revision ID: 0004
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "staff_roles addresses audit_links avatars identity_providers api_keys email_domains "
    "external_identities invitations known_devices one_time_links passkey_ceremonies passkeys "
    "recovery_codes sign_in_challenges sign_in_locks sso_attempts totp_factors"
).split()
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), ''))::uuid"
ROLES = "customer customer.admin agent manager billing designer tenant_admin custom".split()


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
        "staff_roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=255), server_default="", nullable=False),
        sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("jsonb_typeof(permissions) = 'array'", name=op.f("ck_staff_roles_permissions_is_a_list")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_staff_roles_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_roles")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_staff_roles_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_staff_roles_tenant_id_name")),
    )
    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.String(length=60), server_default="", nullable=False),
        sa.Column("street", sa.String(length=160), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False, comment="ISO 3166-1 alpha-2"),
        sa.Column("landmark", sa.String(length=160), nullable=True),
        sa.Column("is_primary", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(person_id IS NULL) <> (company_id IS NULL)", name=op.f("ck_addresses_one_owner")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_addresses_tenant_id_company_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"], ["people.tenant_id", "people.id"], name=op.f("fk_addresses_tenant_id_person_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_addresses_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_addresses_tenant_id_id")),
    )
    op.create_index("ix_addresses_company", "addresses", ["tenant_id", "company_id"], unique=False)
    op.create_index("ix_addresses_person", "addresses", ["tenant_id", "person_id"], unique=False)
    op.create_index(
        "uq_addresses_primary",
        "addresses",
        ["tenant_id", "person_id", "company_id"],
        unique=True,
        postgresql_where=sa.text("is_primary"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "audit_links",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 1, no gaps"),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "hash", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of the previous hash and the entry"
        ),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entries.id"], name=op.f("fk_audit_links_entry_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_links_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_audit_links_tenant_id_entry_id")),
    )
    op.create_table(
        "avatars",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="WebP, 256 x 256"),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"], ["people.tenant_id", "people.id"], name=op.f("fk_avatars_tenant_id_person_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_avatars_tenant_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_avatars")),
    )
    op.create_table(
        "identity_providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=True, comment="NULL: for everybody of the audience"),
        sa.Column("audience", sa.String(length=10), nullable=False, comment="customer or staff"),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False, comment="encrypted (SEC-07)"),
        sa.Column("required", sa.Boolean(), nullable=False, comment="its domains sign in no other way"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_identity_providers_tenant_id_company_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_identity_providers_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_identity_providers_tenant_id_id")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False, comment="what its owner recognises it by"),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_ip", sa.String(length=45), server_default="", nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_api_keys_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_keys_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_api_keys_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "key_hash", name=op.f("uq_api_keys_tenant_id_key_hash")),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "email_domains",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False, comment="lower case, IDNA"),
        sa.Column("proof", sa.String(length=80), nullable=False, comment="what the TXT record has to hold"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_id"],
            ["identity_providers.tenant_id", "identity_providers.id"],
            name=op.f("fk_email_domains_tenant_id_provider_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_email_domains_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_domains")),
        sa.UniqueConstraint("tenant_id", "domain", name=op.f("uq_email_domains_tenant_id_domain")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_email_domains_tenant_id_id")),
    )
    op.create_table(
        "external_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_id"],
            ["identity_providers.tenant_id", "identity_providers.id"],
            name=op.f("fk_external_identities_tenant_id_provider_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_external_identities_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_external_identities_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identities")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_external_identities_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "provider_id", "subject", name=op.f("uq_external_identities_tenant_id_provider_id_subject")
        ),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="the pending login"),
        sa.Column("company_id", sa.Uuid(), nullable=True, comment="NULL for staff"),
        sa.Column(
            "role",
            sa.Enum(
                "customer",
                "customer.admin",
                "agent",
                "manager",
                "billing",
                "designer",
                "tenant_admin",
                "custom",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_invitations_tenant_id_company_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_invitations_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_invitations_tenant_id_id")),
    )
    op.create_index("ix_invitations_company", "invitations", ["tenant_id", "company_id", "created_at"], unique=False)
    op.create_table(
        "known_devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disowned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_known_devices_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_known_devices_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_devices")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_known_devices_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_known_devices_tenant_id_token_hash")),
    )
    op.create_index("ix_known_devices_user", "known_devices", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "reset_password",
                "verify_email",
                "invitation",
                "change_email",
                "change_phone",
                "phone_sign_up",
                "link_account",
                "disown_device",
                name="linkpurpose",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="wrong codes typed"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_one_time_links_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_one_time_links_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_one_time_links_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_one_time_links_tenant_id_token_hash")),
    )
    op.create_index("ix_one_time_links_user", "one_time_links", ["tenant_id", "user_id", "purpose"], unique=False)
    op.create_table(
        "passkey_ceremonies",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(length=20), nullable=False, comment="register, sign_in or confirm"),
        sa.Column("challenge", sa.LargeBinary(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_passkey_ceremonies_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_passkey_ceremonies_tenant_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_passkey_ceremonies")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_passkeys_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_passkeys_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("tenant_id", "credential_id", name=op.f("uq_passkeys_tenant_id_credential_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_passkeys_tenant_id_id")),
    )
    op.create_index("ix_passkeys_user", "passkeys", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_recovery_codes_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_recovery_codes_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("tenant_id", "code_hash", name=op.f("uq_recovery_codes_tenant_id_code_hash")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_recovery_codes_tenant_id_id")),
    )
    op.create_table(
        "sign_in_challenges",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("door", sa.String(length=10), nullable=False, comment="portal, admin or api"),
        sa.Column(
            "method", sa.String(length=20), nullable=False, comment="how the first proof was given: password, sso"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("passkey_challenge", sa.LargeBinary(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_sign_in_challenges_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sign_in_challenges_tenant_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_challenges")),
        sa.UniqueConstraint("id", name=op.f("uq_sign_in_challenges_id")),
    )
    op.create_index("ix_sign_in_challenges_user", "sign_in_challenges", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "sign_in_locks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False, comment="ip:… or device:…"),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row since the last lock or success"),
        sa.Column("locks", sa.Integer(), nullable=False, comment="how often locked; each doubles the time"),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_sign_in_locks_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sign_in_locks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "subject", "origin", name=op.f("pk_sign_in_locks")),
    )
    op.create_index(
        "ix_sign_in_locks_user",
        "sign_in_locks",
        ["tenant_id", "user_id"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "sso_attempts",
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("door", sa.String(length=10), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.LargeBinary(), nullable=False, comment="PKCE, encrypted"),
        sa.Column("next", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_id"],
            ["identity_providers.tenant_id", "identity_providers.id"],
            name=op.f("fk_sso_attempts_tenant_id_provider_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sso_attempts_tenant_id")),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_sso_attempts")),
    )
    op.create_table(
        "totp_factors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="encrypted (SEC-07)"),
        sa.Column("last_step", sa.BigInteger(), nullable=False, comment="RFC 6238 step of the last code taken"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_totp_factors_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_totp_factors_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_factors")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_totp_factors_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_totp_factors_tenant_id_user_id")),
    )
    op.add_column("auth_sessions", sa.Column("method", sa.String(length=20), server_default="password", nullable=False))
    op.add_column("auth_sessions", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.add_column(
        "auth_sessions",
        sa.Column(
            "proved_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the person last proved to be it (step-up)",
        ),
    )
    op.add_column(
        "auth_sessions",
        sa.Column(
            "factor_at", sa.DateTime(timezone=True), nullable=True, comment="when a second factor was last given"
        ),
    )
    op.add_column(
        "mail_messages",
        sa.Column(
            "channel",
            sa.Enum("mail", "sms", name="mailchannel", native_enum=False, create_constraint=True, length=20),
            server_default="mail",
            nullable=False,
        ),
    )
    op.add_column("mail_messages", sa.Column("link_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_mail_messages_tenant_id_link_id"),
        "mail_messages",
        "one_time_links",
        ["tenant_id", "link_id"],
        ["tenant_id", "id"],
    )
    op.add_column("memberships", sa.Column("staff_role_id", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("uq_memberships_tenant_id_user_id_company_id_role"), "memberships", type_="unique")
    op.create_unique_constraint(
        op.f("uq_memberships_tenant_id_user_id_company_id_role_staff_role_id"),
        "memberships",
        ["tenant_id", "user_id", "company_id", "role", "staff_role_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(
        op.f("fk_memberships_tenant_id_staff_role_id"),
        "memberships",
        "staff_roles",
        ["tenant_id", "staff_role_id"],
        ["tenant_id", "id"],
    )
    op.add_column("people", sa.Column("date_of_birth", sa.Date(), nullable=True))
    op.add_column("people", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("people", sa.Column("phone_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("token_families", sa.Column("ip", sa.String(length=45), server_default="", nullable=False))
    op.add_column("token_families", sa.Column("user_agent", sa.String(length=255), server_default="", nullable=False))
    op.add_column("token_families", sa.Column("factor_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("token_families", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_token_families_user", "token_families", ["tenant_id", "user_id"], unique=False)
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("must_reset_password", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "users",
        sa.Column(
            "second_factor_due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="end of the grace period (AUTH-16)",
        ),
    )

    allowed = ", ".join(f"'{role}'" for role in ROLES)
    op.execute("ALTER TABLE memberships DROP CONSTRAINT ck_memberships_role")
    op.execute(f"ALTER TABLE memberships ADD CONSTRAINT ck_memberships_role CHECK (role IN ({allowed}))")
    op.create_check_constraint(
        op.f("ck_memberships_custom_role_is_named"), "memberships", "(role = 'custom') = (staff_role_id IS NOT NULL)"
    )
    for table in TENANT_TABLES:
        _protect(table)
    op.execute("REVOKE UPDATE, DELETE ON audit_links FROM portal_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_links "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
