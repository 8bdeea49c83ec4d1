"""The demo world as it stands after seeding, and the corpus for benchmarks."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from portal.authz import system_actor
from portal.demo.content import demo_uuid
from portal.demo.people import DEMO, TENANTS
from portal.demo.scale import RARE_WORD, add_tickets
from portal.demo.scale_money import add_money
from portal.demo.seed import is_empty, seed_demo
from portal.integrations.storage import folder_storage
from portal.models import (
    UNPAID,
    Attachment,
    BankTransaction,
    Company,
    Invitation,
    Invoice,
    InvoiceStatus,
    NextStep,
    OutboxEvent,
    Quote,
    Ticket,
    TicketMessage,
    TicketStatus,
    TicketView,
)
from portal.models.session import TenantSessions, normalise_url
from portal.services.accounts.invitation_queries import state_of
from portal.services.banking.suggesting import suggest_matches
from portal.services.billing.ledger import owed_by_ledger
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.saved_counting import count_saved_views
from portal.services.tickets.saved_views import SavedView
from tests.conftest import CHEAP

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime(2026, 11, 19, 13, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded(database, tmp_path_factory):
    name = f"seeded_{uuid4().hex[:8]}"
    database.create_database(name, template="template")
    engine = create_engine(normalise_url(database.owner_url(name)), poolclass=NullPool)
    assert is_empty(engine)
    storage = folder_storage(tmp_path_factory.mktemp("seeded") / "files")
    seed_demo(engine, password="portico-demo", passwords=CHEAP, storage=storage, now=NOON)
    assert not is_empty(engine)
    return TenantSessions(engine)


@pytest.fixture
def demo(seeded):
    with seeded.begin(demo_uuid("demo", "tenant")) as session:
        yield session


def test_all_statuses_and_all_states_of_the_clock_are_there(demo):
    assert set(demo.scalars(select(Ticket.status).distinct())) == set(TicketStatus)
    assert set(demo.scalars(select(Ticket.sla_state).distinct())) == {"within", "near", "breached", "paused", "met"}


def test_the_clocks_mean_what_the_content_says(demo):
    states = dict(demo.execute(select(Ticket.ticket_number, Ticket.sla_state)).all())
    active = {"open", "in_progress", "waiting_customer", "awaiting_payment"}
    for ticket in DEMO.tickets:
        if ticket.status in active and ticket.clock in ("breached", "paused", "within"):
            assert states[f"TCK-{ticket.number:04d}"] == ticket.clock, ticket.key


def test_every_open_ticket_gets_its_clock(demo):
    # What lies in the trash has no clock.
    going = (Ticket.status.not_in(("closed", "cancelled")), Ticket.trashed_at.is_(None))
    active = demo.scalar(select(func.count()).select_from(Ticket).where(*going))
    told = demo.scalar(select(func.count()).select_from(OutboxEvent).where(OutboxEvent.kind == "ticket.clock_changed"))
    assert active == told


def test_nothing_that_lies_in_the_past_is_done_again(demo):
    before = demo.scalar(select(func.count()).select_from(OutboxEvent))
    for ticket in demo.scalars(select(Ticket)):
        advance_clock(demo, ticket.id, cycle=1, now=NOON)
    assert demo.scalar(select(func.count()).select_from(OutboxEvent)) == before


def test_one_invitation_waits_and_one_is_over(demo):
    rows = demo.execute(select(Company.name, Invitation).join(Company, Company.id == Invitation.company_id)).all()
    states = {company: state_of(invitation, NOON).value for company, invitation in rows}
    assert states == {"Acme Manufacturing": "sent", "Globex": "expired"}


def test_numbers_go_on_behind_the_highest(demo):
    assert demo.scalar(select(func.next_ticket_number())) == f"TCK-{max(t.number for t in DEMO.tickets) + 1}"


def test_steps_lie_ahead(demo):
    assert demo.scalar(select(func.min(NextStep.at))) > NOON


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.key)
def test_both_tenants_are_there(seeded, tenant):
    with seeded.begin(demo_uuid(tenant.key, "tenant")) as session:
        kept = select(func.count()).select_from(Ticket).where(Ticket.trashed_at.is_(None))
        assert session.scalar(kept) == len(tenant.tickets)


def test_the_corpus_is_added_once(seeded):
    for _ in range(2):
        add_tickets(seeded.engine, tickets=2_000, customers=20)
    with seeded.begin(demo_uuid("demo", "tenant")) as session:
        rows = session.scalars(select(Ticket.description).where(Ticket.ticket_number.like("S-%"))).all()
    assert len(rows) == 2_000
    assert sum(RARE_WORD in text for text in rows) == 2


def test_the_corpus_of_money_is_added_once_and_adds_up(seeded):
    add_tickets(seeded.engine, tickets=2_000, customers=20)
    for _ in range(2):
        add_money(seeded.engine, invoices=400, customers=20)
    with seeded.begin(demo_uuid("demo", "tenant")) as session:
        rows = session.scalars(select(Invoice).where(Invoice.number.like("S-%"))).all()
        quotes = session.scalar(select(func.count()).select_from(Quote).where(Quote.number.like("S-Q-%")))
        assert (len(rows), quotes) == (400, 40)
        assert {row.status for row in rows} == {InvoiceStatus.PAID, InvoiceStatus.OPEN}
        assert all(owed_by_ledger(session, row) == row.outstanding for row in rows)


def test_its_files_are_real(demo):
    kinds = set(demo.scalars(select(Attachment.content_type)))
    assert kinds == {"text/plain", "image/png", "image/gif", "application/pdf"}
    internal = demo.scalars(select(Attachment.filename).where(Attachment.is_internal)).all()
    assert sorted(internal) == ["Landlord consent, Graz.pdf", "fw-lyo-01-phase2.txt"]
    recording = demo.scalar(select(Attachment).where(Attachment.purpose == "recording"))
    assert recording.consent_at is None
    entry = demo.get(TicketMessage, recording.message_id)
    assert [file["id"] for file in entry.attachments] == [str(recording.id)]


def test_the_teams_views_find_something(demo):
    views = [SavedView.of(row) for row in demo.scalars(select(TicketView).where(TicketView.owner_id.is_(None)))]
    counts = count_saved_views(demo, views, actor=system_actor(demo.tenant_id), now=NOON)
    assert len(views) == 4
    assert all(counts.values()), {view.name: counts[view.id] for view in views}


def test_invoices_are_in_every_state_and_their_ledger_adds_up(seeded):
    for key in ("demo", "nova"):
        with seeded.begin(demo_uuid(key, "tenant")) as session:
            # Those of the corpus count in a series of their own.
            invoices = session.scalars(select(Invoice).where(~Invoice.number.like("S-%"))).all()
            states = {invoice.status.value for invoice in invoices}
            assert {"open", "overdue", "paid"} <= states
            assert key == "nova" or {"void"} <= states
            for invoice in invoices:
                assert owed_by_ledger(session, invoice) == invoice.outstanding, invoice.number
            numbers = sorted(int(invoice.number[-4:]) for invoice in invoices)
            assert numbers == list(range(1, len(numbers) + 1)), "no gap in the series"
            told = session.scalars(select(OutboxEvent).where(OutboxEvent.record_type == "invoice")).all()
            assert {event.kind for event in told} == {"invoice.changed"}
            assert {event.record_id for event in told} == {one.id for one in invoices if one.status in UNPAID}


def test_a_statement_waits_with_one_transfer_matched(demo):
    transfers = demo.scalars(select(BankTransaction)).all()
    assert sorted(one.status.value for one in transfers) == ["matched", "unmatched", "unmatched"]
    waiting = [one for one in transfers if one.status.value == "unmatched"]
    found = suggest_matches(demo, waiting, actor=system_actor(demo.tenant_id))
    assert sorted(one.sure for one in found.values()) == [False, True]
