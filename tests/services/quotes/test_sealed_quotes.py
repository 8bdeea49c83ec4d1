"""An accepted quote is sealed with the evidence of its signature, and anybody can check it (H6.6)."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from pypdf import PdfReader

from portal.errors import Conflict, NotFound
from portal.integrations.seal_check import own_certificates
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.sending import send_quote
from portal.services.sealing.checking import check_code, find_sealed, read_sealed
from portal.services.sealing.making import seal_record
from tests.contracts import tools_for
from tests.services.quotes.conftest import LINES


@pytest.fixture
def offered(sessions, world, now):
    """A quote of Acme's that was sent."""
    bill = world.people["bill"].actor
    with sessions.begin(world.demo) as session:
        wanted = QuoteDraft(
            customer_id=world.companies["acme"],
            currency="EUR",
            title="Network refresh",
            lines=LINES,
            deposit_percent=Decimal(30),
            valid_until=(now + timedelta(days=4)).date(),
        )
        return send_quote(session, draft_quote(session, wanted, actor=bill, now=now).id, actor=bill, now=now)


@pytest.fixture
def tools(settings):
    return tools_for(settings)


def accept(sessions, world, quote, tools, now):
    with sessions.begin(world.demo) as session:
        accept_quote(
            session,
            quote.id,
            Acceptance(signer_name="Alice Moreau", content_sha256=quote.content_sha256.hex(), consent=True),
            evidence=Evidence("192.0.2.7", "Firefox/140", "pwd otp", "en"),
            storage=tools.storage,
            actor=world.people["alice"].actor,
            now=now,
        )


def test_what_was_accepted_is_sealed_once_with_its_evidence(sessions, world, settings, offered, tools, now):
    accept(sessions, world, offered, tools, now)
    levels = {seal_record(sessions, world.demo, "quote", offered.id, tools=tools, now=now) for _ in range(3)}
    assert levels == {"B-B"}
    with sessions.begin(world.demo) as session:
        row = find_sealed(session, "quote", offered.id)
        checked = check_code(session, row.code, storage=tools.storage, certificates=own_certificates(settings))
    assert checked.faults == ()
    assert (checked.number, checked.names) == (offered.number, ("Alice Moreau",))
    assert checked.content_sha256 == offered.content_sha256.hex()
    pages = PdfReader(io.BytesIO(read_sealed(row, tools.storage))).pages
    words = "\n".join(page.extract_text() for page in pages)
    for told in ("Firewall pair", "Alice Moreau", "192.0.2.7", row.code, offered.content_sha256.hex()):
        assert told in words, told


def test_nothing_is_sealed_before_it_was_accepted(sessions, world, offered, tools, now):
    with pytest.raises(Conflict, match="not_signed"):
        seal_record(sessions, world.demo, "quote", offered.id, tools=tools, now=now)
    with sessions.begin(world.demo) as session, pytest.raises(Conflict, match="seal_pending"):
        find_sealed(session, "quote", offered.id)


def test_another_tenant_has_no_such_quote(sessions, world, offered, tools, now):
    accept(sessions, world, offered, tools, now)
    with pytest.raises(NotFound):
        seal_record(sessions, world.nova, "quote", offered.id, tools=tools, now=now)
