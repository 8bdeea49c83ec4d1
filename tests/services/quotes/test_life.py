"""A quote from its draft to its decision."""

import base64
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.integrations.storage import build_storage
from portal.models import AuditEntry, NextStep, OutboxEvent, Quote, QuoteLine, QuoteStatus, Signature
from portal.services.quotes.clock import advance_quote, status_at
from portal.services.quotes.comparing import compare_quotes
from portal.services.quotes.content import fingerprint
from portal.services.quotes.deciding import decline_quote, request_revision
from portal.services.quotes.detail import get_quote_detail, with_choice
from portal.services.quotes.drafting import QuoteDraft, discard_quote, draft_quote, edit_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.listing import QuoteFilter, list_quotes
from portal.services.quotes.queries import get_quote, list_lines
from portal.services.quotes.sending import revise_quote, send_quote
from portal.services.quotes.standing import set_decision_limit
from portal.services.quotes.templates import from_template, keep_as_template
from portal.services.quotes.viewing import add_time, list_views, record_view


def kinds(session, quote):
    rows = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == quote.id).order_by(OutboxEvent.seq))
    return [row.kind for row in rows]


def refused(error):
    return {item.field: item.code for item in error.value.errors}


def test_a_draft_adds_up_what_is_taken(session, draft):
    quote = draft(deposit_percent=Decimal(30))
    # 2 x 2890.00 + 7.5 x 105.00 = 6567.50; less 7.50; VAT 20 % of 6560.00.
    assert (quote.subtotal, quote.discount_total, quote.tax_total, quote.total) == (656_750, 750, 131_200, 787_200)
    assert quote.deposit == 236_160
    assert quote.taxes == [{"name": "VAT", "rate": "20", "net": 656_000, "tax": 131_200}]
    assert [line.total for line in list_lines(session, quote.id)] == [578_000, 78_000, 118_000]
    assert quote.number == ""


def test_customers_never_see_drafts(session, draft, actor_of, now):
    quote = draft()
    with pytest.raises(NotFound):
        get_quote(session, quote.id, actor=actor_of("alice"))
    found = list_quotes(session, QuoteFilter(limit=100), actor=actor_of("alice"), now=now)
    assert quote.id not in [row.quote.id for row in found.items]


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (LineDraft("", Decimal(1), 100), "description", "required"),
        (LineDraft("x", Decimal(0), 100), "quantity", "quantity_invalid"),
        (LineDraft("x", Decimal("0.00001"), 100), "quantity", "quantity_invalid"),
        (LineDraft("x", Decimal(1), -1), "unit_price", "amount_invalid"),
        (LineDraft("x", Decimal(1), 100, discount=101), "discount", "discount_invalid"),
        (LineDraft("x", Decimal(1), 100, tax_rate=Decimal(101)), "tax_rate", "rate_invalid"),
    ],
)
def test_what_cannot_be_a_line(draft, line, field, code):
    with pytest.raises(Invalid) as error:
        draft(lines=(LineDraft("Good", Decimal(1), 1), line))
    assert refused(error) == {f"lines.1.{field}": code}


def test_a_draft_is_not_overwritten_unseen(session, draft, actor_of, now):
    quote = draft()
    edit_quote(session, quote.id, QuoteDraft(title="Other"), seen=1, actor=actor_of("mia"), now=now)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        edit_quote(session, quote.id, QuoteDraft(title="Mine"), seen=1, actor=actor_of("bill"), now=now)
    assert quote.title == "Other"


def test_an_agent_reads_and_does_not_write(session, draft, actor_of, now):
    quote = draft()
    assert get_quote(session, quote.id, actor=actor_of("sam")).id == quote.id
    with pytest.raises(Forbidden):
        edit_quote(session, quote.id, QuoteDraft(title="x"), actor=actor_of("sam"), now=now)
    with pytest.raises(Forbidden):
        send_quote(session, quote.id, actor=actor_of("sam"), now=now)


def test_sending_freezes(session, sent, actor_of, now):
    quote = sent()
    assert quote.number.startswith("Q-2026-")
    assert quote.content_sha256 == fingerprint(quote, list_lines(session, quote.id))
    # The whole last day in Paris, in November an hour ahead of UTC.
    assert quote.expires_at == datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
    for act in (
        lambda: edit_quote(session, quote.id, QuoteDraft(title="x"), actor=actor_of("bill"), now=now),
        lambda: send_quote(session, quote.id, actor=actor_of("bill"), now=now),
        lambda: discard_quote(session, quote.id, actor=actor_of("bill"), now=now),
    ):
        with pytest.raises(Conflict, match="quote_frozen"):
            act()
    steps = session.scalars(select(NextStep).where(NextStep.record_id == quote.id)).all()
    assert [(step.kind, step.at) for step in steps] == [("offer_expires", quote.expires_at)]


def test_what_is_over_is_not_sent(session, draft, actor_of, now):
    quote = draft(valid_until=date(2026, 11, 23))
    with pytest.raises(Invalid, match="invalid"):
        send_quote(session, quote.id, actor=actor_of("bill"), now=now)


def test_the_fingerprint_is_of_everything_that_was_offered(session, sent):
    quote, lines = sent(), None
    lines = list_lines(session, quote.id)
    before = fingerprint(quote, lines)
    lines[2].selected = True
    assert fingerprint(quote, lines) == before, "what is taken stands beside the signature"
    for record, name, value in (
        (quote, "terms", "Other terms"),
        (lines[0], "description", "Firewall"),
        (lines[0], "unit_price", 1),
        (lines[1], "discount", 0),
        (lines[2], "optional", False),
    ):
        was = getattr(record, name)
        setattr(record, name, value)
        assert fingerprint(quote, lines) != before, name
        setattr(record, name, was)
    assert fingerprint(quote, lines) == before
    session.expire_all()


def test_acceptance_is_signed_and_added_up_on_the_server(session, sent, accept, ids, actor_of, now):
    quote = sent(deposit_percent=Decimal(30))
    done = accept(quote, selected_line_ids=ids(quote, 0, 1, 2), purchase_order="PO 4500")
    assert done.status is QuoteStatus.ACCEPTED
    assert (done.total, done.deposit) == (928_800, 278_640)
    assert (done.purchase_order, done.decided_at, done.decided_by) == ("PO 4500", now, actor_of("alice").user_id)
    signature = session.scalars(select(Signature).where(Signature.record_id == quote.id)).one()
    assert (signature.signer_name, signature.address, signature.factors) == ("Alice Moreau", "192.0.2.7", "pwd otp")
    assert (signature.content_sha256, signature.status.value) == (quote.content_sha256, "signed")
    assert "Acme" in signature.consent_text
    assert signature.consent_version
    assert kinds(session, quote)[-1] == "quote.accepted"
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.record_id == quote.id, AuditEntry.action == "quote.accepted")
    ).one()
    assert entry.after["total"] == 928_800
    assert session.scalars(select(NextStep).where(NextStep.record_id == quote.id)).all() == []


@pytest.mark.parametrize(("ticked", "selected"), [((), [True, True, False]), ((2,), [True, True, True])])
def test_a_form_names_the_optional_lines_alone(session, sent, accept, ids, ticked, selected):
    quote = sent()
    done = accept(quote, optional_line_ids={*ids(quote, *ticked), uuid4()})
    assert [line.selected for line in list_lines(session, done.id)] == selected


def test_it_is_accepted_once(session, sent, accept):
    quote = accept(sent())
    with pytest.raises(Conflict, match="quote_accepted"):
        accept(quote)
    assert kinds(session, quote).count("quote.accepted") == 1


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"consent": False}, "consent", "consent_required"),
        ({"signer_name": "  "}, "signer_name", "required"),
        ({"signer_name": "x" * 101}, "signer_name", "too_long"),
        ({"content_sha256": "abc"}, "content_sha256", "hash_invalid"),
        ({"signature": "data:image/svg+xml;base64,AAAA"}, "signature", "signature_invalid"),
        ({"signature": "data:image/png;base64,AAAA"}, "signature", "signature_invalid"),
        ({"purchase_order": "x" * 61}, "purchase_order", "too_long"),
        ({"selected_line_ids": []}, "selected_line_ids", "required_lines_missing"),
    ],
)
def test_what_is_no_acceptance(session, sent, accept, fields, field, code):
    quote = sent()
    with pytest.raises(Invalid) as error:
        accept(quote, **fields)
    assert refused(error) == {field: code}
    assert quote.status is QuoteStatus.SENT


def test_lines_of_other_quotes_are_not_taken(sent, accept, ids):
    quote, other = sent(), sent()
    with pytest.raises(Invalid) as error:
        accept(quote, selected_line_ids=[*ids(quote, 0, 1), *ids(other, 2)])
    assert refused(error) == {"selected_line_ids": "unknown_choice"}


def test_only_what_was_shown_is_accepted(session, sent, accept):
    quote = sent()
    with pytest.raises(Conflict, match="content_changed"):
        accept(quote, content_sha256="0" * 64)
    line = list_lines(session, quote.id)[0]
    line.unit_price = 1
    session.flush()
    with pytest.raises(Conflict, match="content_changed"):
        accept(quote)


def test_validity_ends_to_the_second(session, sent, accept):
    quote = sent()
    last = quote.expires_at - timedelta(seconds=1)
    assert status_at(quote, last) is QuoteStatus.SENT
    assert status_at(quote, quote.expires_at) is QuoteStatus.EXPIRED
    with pytest.raises(Conflict, match="quote_expired"):
        accept(quote, at=quote.expires_at)
    assert accept(quote, at=last).status is QuoteStatus.ACCEPTED


def test_outsiders_find_nothing(session, sent, accept, actor_of, now):
    quote = sent()
    for who in ("charlie", "nia"):
        with pytest.raises(NotFound):
            get_quote_detail(session, quote.id, actor=actor_of(who), now=now)
    with pytest.raises(NotFound):
        accept(quote, "charlie")
    with pytest.raises(Forbidden):
        accept(quote, "bob")
    with pytest.raises(Forbidden):
        decline_quote(session, quote.id, reason="No", actor=actor_of("bob"), now=now)


def test_up_to_the_limit_everybody_decides(session, world, sent, actor_of, now):
    from portal.models import User
    from portal.services.accounts.identity import build_identity, select_identity

    acme, quote = world.companies["acme"], sent()
    with pytest.raises(Forbidden):
        set_decision_limit(session, acme, limit=1, currency="EUR", actor=actor_of("bob"), now=now)
    with pytest.raises(NotFound):
        set_decision_limit(session, acme, limit=1, currency="EUR", actor=actor_of("charlie"), now=now)
    for limit, allowed in ((787_200, True), (787_199, False), (None, False)):
        set_decision_limit(session, acme, limit=limit, currency="EUR", actor=actor_of("alice"), now=now)
        session.flush()
        row = session.execute(select_identity().where(User.id == world.people["bob"].user_id)).one()
        bob = build_identity(row).actor
        assert get_quote_detail(session, quote.id, actor=bob, now=now).may_decide is allowed, limit
        if not allowed:
            with pytest.raises(Forbidden):
                decline_quote(session, quote.id, reason="No", actor=bob, now=now)
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.record_id == acme)).all()
    assert actions.count("company.decision_limit_changed") == 3


def test_a_larger_choice_needs_an_administrator(session, world, sent, ids, actor_of, now):
    quote = sent()
    limit, acme = 800_000, world.companies["acme"]
    set_decision_limit(session, acme, limit=limit, currency="EUR", actor=actor_of("alice"), now=now)
    session.flush()
    from portal.models import User
    from portal.services.accounts.identity import build_identity, select_identity

    bob = build_identity(session.execute(select_identity().where(User.id == world.people["bob"].user_id)).one()).actor
    detail = get_quote_detail(session, quote.id, actor=bob, now=now)
    assert detail.may_decide
    larger = with_choice(detail, ids(quote, 0, 1, 2), actor=bob)
    assert (larger.totals.total, larger.may_decide) == (928_800, False)
    assert quote.total == 787_200, "looking stores nothing"


def picture(width=300, height=120):
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    for x in range(20, width - 20):
        image.putpixel((x, height // 2), (10, 20, 30, 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue() + b"smuggled"


def test_a_drawn_signature_is_drawn_anew(session, settings, sent, accept):
    raw = picture()
    accept(quote := sent(), signature="data:image/png;base64," + base64.b64encode(raw).decode())
    key = session.scalars(select(Signature.image_key).where(Signature.record_id == quote.id)).one()
    kept = b"".join(build_storage(settings).read(key))
    assert b"smuggled" not in kept
    assert Image.open(io.BytesIO(kept)).size == (300, 120)


def test_declining_needs_a_reason(session, sent, actor_of, now):
    quote = sent()
    with pytest.raises(Invalid):
        decline_quote(session, quote.id, reason=" ", actor=actor_of("alice"), now=now)
    decline_quote(session, quote.id, reason="Too late", actor=actor_of("alice"), now=now)
    assert (quote.status.value, quote.decision_note) == ("declined", "Too late")
    with pytest.raises(Conflict, match="quote_not_open"):
        decline_quote(session, quote.id, reason="Again", actor=actor_of("alice"), now=now)


def test_a_revision_links_to_what_it_replaces(session, sent, accept, actor_of, now):
    first = sent()
    request_revision(session, first.id, comment="Without the firewall", actor=actor_of("alice"), now=now)
    with pytest.raises(Conflict, match="quote_not_open"):
        accept(first)
    bill = actor_of("bill")
    wanted = QuoteDraft(lines=[LineDraft("Installation", Decimal(8), 10_500, tax_rate=Decimal(20))])
    second = revise_quote(session, first.id, wanted, actor=bill, now=now)
    assert (second.previous_id, second.version, second.number) == (first.id, 2, first.number)
    assert first.status is QuoteStatus.SUPERSEDED
    with pytest.raises(Conflict, match="quote_not_replaceable"):
        revise_quote(session, first.id, actor=bill, now=now)
    mine = QuoteFilter(limit=100)
    listed = [row.quote.id for row in list_quotes(session, mine, actor=actor_of("alice"), now=now).items]
    assert first.id in listed, "until the next one is there"
    send_quote(session, second.id, actor=bill, now=now)
    listed = [row.quote.id for row in list_quotes(session, mine, actor=actor_of("alice"), now=now).items]
    assert second.id in listed
    assert first.id not in listed
    assert second.number == first.number
    done = accept(second)
    with pytest.raises(Conflict, match="quote_not_replaceable"):
        revise_quote(session, done.id, actor=bill, now=now)


def test_comparing_matches_lines(session, sent, actor_of, now):
    first = sent()
    second = revise_quote(session, first.id, actor=actor_of("bill"), now=now)
    lines = [
        LineDraft("Firewall pair", Decimal(1), 289_000, tax_rate=Decimal(20), tax_name="VAT"),
        LineDraft("Training", Decimal(1), 50_000, tax_rate=Decimal(20), tax_name="VAT"),
    ]
    edit_quote(session, second.id, QuoteDraft(lines=lines), actor=actor_of("bill"), now=now)
    send_quote(session, second.id, actor=actor_of("bill"), now=now)
    found = compare_quotes(session, [first.id, second.id], actor=actor_of("alice"))
    shape = {row.description: [bool(cell) for cell in row.cells] for row in found.rows}
    assert shape["Firewall pair"] == [True, True]
    assert (shape["Training"], shape["Installation"]) == ([False, True], [True, False])
    assert next(row for row in found.rows if row.description == "Firewall pair").differs
    with pytest.raises(NotFound):
        compare_quotes(session, [first.id, second.id], actor=actor_of("charlie"))
    with pytest.raises(Invalid):
        compare_quotes(session, [first.id], actor=actor_of("alice"))


def test_the_first_look_is_told_once(session, sent, actor_of, now):
    quote, alice = sent(), actor_of("alice")
    assert record_view(session, quote, actor=actor_of("bill"), now=now) is None
    record_view(session, quote, actor=alice, now=now)
    session.refresh(quote)
    record_view(session, quote, actor=alice, now=now + timedelta(minutes=5))
    record_view(session, quote, actor=actor_of("bob"), now=now + timedelta(minutes=6))
    add_time(session, quote.id, seconds=25, actor=alice, now=now)
    add_time(session, quote.id, seconds=999, actor=alice, now=now)
    views = list_views(session, quote.id, actor=actor_of("sam"))
    assert [(view.name, view.seconds) for view in views] == [("Bob Keller", 0), ("Alice Moreau", 85)]
    assert kinds(session, quote).count("quote.viewed") == 1
    assert quote.viewed_at == now


def test_reminders_and_the_end(session, sent, now, monkeypatch):
    from dataclasses import replace

    from portal.services.quotes import clock

    read = clock.read_settings
    monkeypatch.setattr(clock, "read_settings", lambda s: replace(read(s), reminders=("P2D", "P1D", "P30D")))
    quote = sent()
    wake = advance_quote(session, quote.id, now=now)
    assert wake.at == quote.expires_at - timedelta(days=2)
    # A standstill over both: one reminder.
    wake = advance_quote(session, quote.id, now=quote.expires_at - timedelta(hours=3))
    assert (wake.at, wake.done) == (quote.expires_at, False)
    advance_quote(session, quote.id, now=quote.expires_at - timedelta(hours=2))
    assert kinds(session, quote).count("quote.reminded") == 1
    assert advance_quote(session, quote.id, now=quote.expires_at).done
    assert quote.status is QuoteStatus.EXPIRED
    assert advance_quote(session, quote.id, now=quote.expires_at).done
    assert kinds(session, quote).count("quote.expired") == 1


def test_filters_and_outsiders_of_the_list(session, sent, actor_of, now):
    mine, other = sent(), sent("globex")
    old = sent(at=now - timedelta(days=9))
    for status, expected in ((QuoteStatus.SENT, {mine.id}), (QuoteStatus.EXPIRED, {old.id})):
        wanted = QuoteFilter(status=(status,), limit=100)
        found = {row.quote.id for row in list_quotes(session, wanted, actor=actor_of("alice"), now=now).items}
        assert found & {mine.id, other.id, old.id} == expected
    first = list_quotes(session, QuoteFilter(limit=1), actor=actor_of("alice"), now=now)
    second = list_quotes(session, QuoteFilter(limit=1, cursor=first.next_cursor), actor=actor_of("alice"), now=now)
    back = list_quotes(session, QuoteFilter(limit=1, cursor=second.previous_cursor), actor=actor_of("alice"), now=now)
    assert first.items[0].quote.id == back.items[0].quote.id != second.items[0].quote.id


def test_a_template_begins_another_quote(session, draft, world, actor_of, now):
    from dataclasses import replace

    bill = actor_of("bill")
    template = keep_as_template(session, draft(terms="Net 30").id, name=" Network  ", actor=bill, now=now)
    assert template.name == "Network"
    wanted = replace(from_template(session, template.id, actor=bill), customer_id=world.companies["globex"])
    again = draft_quote(session, wanted, actor=bill, now=now)
    assert (again.total, again.terms, again.customer_id) == (787_200, "Net 30", world.companies["globex"])
    with pytest.raises(Forbidden):
        from_template(session, template.id, actor=actor_of("sam"))


def test_a_discarded_draft_is_gone(session, draft, actor_of, now):
    quote = draft()
    discard_quote(session, quote.id, actor=actor_of("bill"), now=now)
    session.flush()
    assert session.scalar(select(Quote.id).where(Quote.id == quote.id)) is None
    assert session.scalars(select(QuoteLine).where(QuoteLine.quote_id == quote.id)).all() == []
