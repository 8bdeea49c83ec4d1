"""The catalogue's tables with the catalogue's columns (ledger PLT-03)."""

import pytest
from sqlalchemy import inspect

CATALOGUE = {
    "portal_tickets": "id tenant_id customer_id ticket_number subject description category priority status assigned_to "
    "sla_due_at first_response_at resolved_at satisfaction_rating satisfaction_comment source tags custom_fields "
    "created_at updated_at",
    "portal_ticket_messages": "id ticket_id sender_type sender_id sender_name message attachments is_internal created_at",
    "portal_kb_categories": "id tenant_id name slug description icon parent_id sort_order is_public created_at",
    "portal_kb_articles": "id tenant_id category_id title slug content excerpt status author_id tags view_count "
    "helpful_yes helpful_no meta_title meta_description published_at created_at updated_at",
    "portal_conversations": "id tenant_id customer_id subject status last_message_at last_message_preview "
    "unread_customer unread_agent created_at updated_at",
    "portal_messages": "id conversation_id sender_type sender_id sender_name content attachments read_at created_at",
}
INDEXES = {
    "portal_tickets": {"idx_tickets_tenant", "idx_tickets_customer", "idx_tickets_status"},
    "portal_kb_articles": {"idx_kb_articles_tenant", "idx_kb_articles_category", "idx_kb_articles_status"},
    "portal_messages": {"idx_messages_conversation"},
}


@pytest.mark.parametrize("table", CATALOGUE)
def test_the_columns_stand(engine, table):
    columns = {column["name"] for column in inspect(engine).get_columns(table)}
    assert set(CATALOGUE[table].split()) <= columns


@pytest.mark.parametrize("table", INDEXES)
def test_the_indexes_stand(engine, table):
    assert INDEXES[table] <= {index["name"] for index in inspect(engine).get_indexes(table)}


def test_models_and_migrations_agree(settings, world):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    from portal.models import Base

    with create_engine(settings.owner_database_url).connect() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            difference
            for difference in compare_metadata(context, Base.metadata)
            # Alembic cannot compare the text of an expression; `search` belongs to SQL alone.
            if not any(name in str(difference) for name in ("search", "alembic_version", "idx_tickets_priority"))
        ]
    assert differences == []
