"""Contracts: drafted, frozen, signed once each and in order, declined, voided; evidence that cannot be changed."""

import base64
import hashlib
import io
from datetime import timedelta

import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, ContractStatus, NextStep, OutboxEvent, SignatureStatus
from portal.services.contracts.advancing import advance_contract
from portal.services.contracts.document import read_document
from portal.services.contracts.drafting import change_contract, create_contract
from portal.services.contracts.queries import get_detail, list_contracts
from portal.services.contracts.sending import send_contract, void_contract
from portal.services.contracts.signing import decline_contract
from portal.services.signing.queries import list_signatures
from tests.contracts import BROWSER, draft_of, send_new, sign_as
from tests.together import at_once, codes_of


def drawing(*, empty=False):
    """A data URL of what a browser's canvas gives."""
    sheet = Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    if not empty:
        ImageDraw.Draw(sheet).line((20, 60, 120, 20, 200, 80), fill="#0f172a", width=3)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def events_of(session, contract):
    found = select(OutboxEvent.kind).where(OutboxEvent.record_id == contract.id).order_by(OutboxEvent.seq)
    return list(session.scalars(found))


def test_sending_freezes_the_very_bytes_and_their_hash(session, world, storage, now):
    contract = send_new(session, world, storage, now=now)
    content = read_document(contract, storage=storage)
    assert contract.content_sha256 == hashlib.sha256(content).digest()
    words = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "Service agreement" in words
    assert "your servers" in words
    assert "**" not in words
    manager = world.people["mia"].actor
    with pytest.raises(Conflict, match="contract_frozen"):
        change_contract(session, contract.id, draft_of(world, title="Another"), actor=manager, now=now)
    with pytest.raises(Conflict, match="contract_frozen"):
        send_contract(session, contract.id, storage=storage, actor=manager, now=now)


def test_a_draft_is_checked_field_by_field_and_belongs_to_those_who_may_write_it(session, world, now):
    manager = world.people["mia"].actor
    with pytest.raises(Invalid) as told:
        create_contract(session, draft_of(world, title=" ", body="x" * 60_001), actor=manager, now=now)
    assert {error.field for error in told.value.errors} == {"title", "body"}
    for names in (("charlie",), ("mia",), ("nia",)):
        with pytest.raises(Invalid) as told:
            create_contract(session, draft_of(world, *names), actor=manager, now=now)
        assert told.value.errors[0].field == "signers"
    for nobody in ("sam", "alice"):
        with pytest.raises(Forbidden):
            create_contract(session, draft_of(world), actor=world.people[nobody].actor, now=now)


def test_customers_see_their_own_once_it_was_sent(session, world, storage, now):
    manager = world.people["mia"].actor
    draft = create_contract(session, draft_of(world), actor=manager, now=now)
    sent = send_new(session, world, storage, now=now)
    for who in ("alice", "bob"):
        seen = {row.contract.id for row in list_contracts(session, limit=100, actor=world.people[who].actor).items}
        assert sent.id in seen
        assert draft.id not in seen
        with pytest.raises(NotFound):
            get_detail(session, draft.id, actor=world.people[who].actor)
    with pytest.raises(NotFound):
        get_detail(session, sent.id, actor=world.people["charlie"].actor)
    with pytest.raises(Forbidden):
        get_detail(session, sent.id, actor=world.people["dora"].actor)


def test_a_signature_keeps_the_evidence_and_makes_the_contract_signed(session, world, storage, now):
    contract = send_new(session, world, storage, now=now)
    assert get_detail(session, contract.id, actor=world.people["alice"].actor).can_sign
    signed = sign_as(session, world, contract, "alice", storage, now=now, drawing=drawing())
    assert signed.status is ContractStatus.SIGNED
    assert signed.signed_at == now
    [place] = list_signatures(session, "contract", contract.id)
    assert place.status is SignatureStatus.SIGNED
    assert (place.signer_name, place.address, place.user_agent, place.factors) == (
        "Alice Moreau", "203.0.113.7", "Firefox/140", "pwd+otp")  # fmt: skip
    assert place.content_sha256 == contract.content_sha256
    assert "Acme" in place.consent_text
    assert place.consent_version
    assert place.image_key
    assert events_of(session, contract) == ["contract.drafted", "contract.sent", "contract.signed"]
    told = select(AuditEntry.after).where(AuditEntry.record_id == contract.id, AuditEntry.action == "contract.signed")
    assert session.scalar(told)["sha256"] == contract.content_sha256.hex()


def test_what_was_not_the_document_shown_is_not_signed(session, world, storage, now):
    contract = send_new(session, world, storage, now=now)
    with pytest.raises(Conflict, match="document_changed"):
        sign_as(session, world, contract, "alice", storage, now=now, content_sha256="0" * 64)
    for values, field in (
        ({"content_sha256": "abc"}, "content_sha256"),
        ({"consent": False}, "consent"),
        ({"drawing": drawing(empty=True)}, "signature"),
        ({"drawing": "data:image/svg+xml;base64,AAAA"}, "signature"),
        ({"drawing": "data:image/png;base64,AAAA"}, "signature"),
        ({"signer_name": "  "}, "signer_name"),
    ):
        with pytest.raises(Invalid) as told:
            sign_as(session, world, contract, "alice", storage, now=now, **values)
        assert told.value.errors[0].field == field
    assert get_detail(session, contract.id, actor=world.people["alice"].actor).can_sign


def test_only_those_who_were_asked_sign_and_in_their_order(session, world, storage, now):
    contract = send_new(session, world, storage, "mia", "alice", now=now, in_order=True)
    with pytest.raises(Conflict, match="not_your_turn"):
        sign_as(session, world, contract, "alice", storage, now=now)
    with pytest.raises(Forbidden):
        sign_as(session, world, contract, "bob", storage, now=now)
    with pytest.raises(NotFound):
        sign_as(session, world, contract, "charlie", storage, now=now)
    with pytest.raises(Forbidden, match="not_a_signer"):
        sign_as(session, world, contract, "ada", storage, now=now)
    assert sign_as(session, world, contract, "mia", storage, now=now).status is ContractStatus.SENT
    with pytest.raises(Conflict, match="already_signed"):
        sign_as(session, world, contract, "mia", storage, now=now)
    assert sign_as(session, world, contract, "alice", storage, now=now).status is ContractStatus.SIGNED
    assert events_of(session, contract)[2:] == ["contract.part_signed", "contract.signed"]


def test_thirty_at_once_sign_once(sessions, world, storage, now):
    with sessions.begin(world.demo) as session:
        contract = send_new(session, world, storage, now=now)

    def attempt(_):
        with sessions.begin(world.demo) as session:
            sign_as(session, world, contract, "alice", storage, now=now)

    assert sorted(codes_of(at_once(30, attempt))) == ["already_signed"] * 29 + ["ok"]
    with sessions.begin(world.demo) as session:
        count = select(func.count()).where(OutboxEvent.record_id == contract.id, OutboxEvent.kind == "contract.signed")
        assert session.scalar(count) == 1


def test_declining_needs_a_reason_and_ends_it(session, world, storage, now):
    contract = send_new(session, world, storage, "alice", "mia", now=now)
    alice = world.people["alice"].actor
    with pytest.raises(Invalid):
        decline_contract(session, contract.id, " ", circumstances=BROWSER, actor=alice, now=now)
    declined = decline_contract(session, contract.id, "Too long a term", circumstances=BROWSER, actor=alice, now=now)
    assert declined.status is ContractStatus.VOID
    assert declined.void_reason == "Too long a term"
    with pytest.raises(Conflict, match="contract_not_open"):
        sign_as(session, world, contract, "mia", storage, now=now)


def test_what_is_signed_is_not_voided_and_what_is_void_not_signed(session, world, storage, now):
    manager = world.people["mia"].actor
    signed = send_new(session, world, storage, now=now)
    sign_as(session, world, signed, "alice", storage, now=now)
    with pytest.raises(Conflict, match="contract_not_open"):
        void_contract(session, signed.id, "Mistake", actor=manager, now=now)
    with pytest.raises(Conflict, match="already_signed"):
        sign_as(session, world, signed, "alice", storage, now=now)
    void = send_new(session, world, storage, now=now)
    void_contract(session, void.id, "Mistake", actor=manager, now=now)
    with pytest.raises(Conflict, match="contract_not_open"):
        sign_as(session, world, void, "alice", storage, now=now)


@pytest.mark.parametrize("change", ["UPDATE signatures SET signer_name = 'Eve' WHERE id = :id",
                                    "DELETE FROM signatures WHERE id = :id"])  # fmt: skip
def test_the_database_itself_keeps_evidence(session, world, storage, now, change):
    contract = send_new(session, world, storage, now=now)
    sign_as(session, world, contract, "alice", storage, now=now)
    [place] = list_signatures(session, "contract", contract.id)
    with pytest.raises(IntegrityError, match="evidence"), session.begin_nested():
        session.connection().execute(text(change), {"id": place.id})


def test_reminders_come_at_their_times_once_and_end_with_the_signature(session, world, storage, now):
    contract = send_new(session, world, storage, now=now)
    steps = session.scalars(select(NextStep.at).where(NextStep.record_id == contract.id).order_by(NextStep.at)).all()
    assert list(steps) == [now + timedelta(days=3), now + timedelta(days=7)]
    assert advance_contract(session, contract.id, now=now).at == steps[0]
    for _ in range(2):
        assert advance_contract(session, contract.id, now=steps[0]).at == steps[1]
    assert events_of(session, contract).count("contract.reminded") == 1
    sign_as(session, world, contract, "alice", storage, now=steps[0])
    wake = advance_contract(session, contract.id, now=steps[1])
    assert wake.done
    assert events_of(session, contract).count("contract.reminded") == 1


def test_the_end_of_a_signed_contract_is_told_thirty_days_before(session, world, storage, now):
    ends = (now + timedelta(days=90)).date()
    contract = send_new(session, world, storage, now=now, ends_on=ends)
    sign_as(session, world, contract, "alice", storage, now=now)
    wake = advance_contract(session, contract.id, now=now)
    assert wake.at is not None
    assert wake.at.date() == ends - timedelta(days=31)
    for _ in range(2):
        assert advance_contract(session, contract.id, now=wake.at).done
    assert events_of(session, contract).count("contract.expiring") == 1


def test_numbers_follow_one_another(session, world, storage, now):
    first, second = (send_new(session, world, storage, now=now).number for _ in range(2))
    assert int(second.rsplit("-", 1)[1]) == int(first.rsplit("-", 1)[1]) + 1
