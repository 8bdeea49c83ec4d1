"""Discounts by quantity: who sets them, which lines get them, and what customers are told they would save."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.authz import Actor, system_actor
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, CatalogItem, Company, Invoice, InvoiceLine
from portal.models.session import TenantSession, TenantSessions
from portal.services.billing.catalogue import ItemForm, save_discounts, save_item
from portal.services.billing.crediting import CreditedLine, credit_invoice
from portal.services.billing.crediting_amounts import credit_amounts
from portal.services.billing.lines import NewLine
from portal.services.billing.savings import estimate, list_offers
from portal.services.billing.tiers import MOST_TIERS, TierForm
from portal.services.billing.voiding import void_invoice
from tests.together import at_once, codes_of
from tests.world import World

Issue = Callable[..., Invoice]
ActorOf = Callable[[str], Actor]
ZONE = "Europe/Paris"


def tier(start: str, percent: str) -> TierForm:
    return TierForm(Decimal(start), Decimal(percent))


TIERS = [tier("10", "5"), tier("50", "12")]


@pytest.fixture
def item(session: TenantSession, actor_of: ActorOf, now: datetime) -> CatalogItem:
    """Seats at 10.00, 5 percent off from 10 and 12 from 50."""
    form = ItemForm(uuid4().hex[:12], {"en": "Seat"}, "EUR", 1_000, "month", discounts=TIERS)
    return save_item(session, None, form, actor=actor_of("bill"), now=now)


def seats(item: CatalogItem, quantity: str, price: int = 1_000, discount: int | None = None) -> NewLine:
    return NewLine("Seats", Decimal(quantity), price, discount, Decimal(0), catalog_item_id=item.id)


def discounts_of(session: TenantSession, invoice: Invoice) -> list[int]:
    query = select(InvoiceLine.discount).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    return list(session.scalars(query))


def refused(tiers: list[TierForm], session: TenantSession, item: CatalogItem, actor: Actor, now: datetime) -> Any:
    with pytest.raises(Invalid) as error:
        save_discounts(session, item.id, tiers, actor=actor, now=now)
    return [(one.field, one.code) for one in error.value.errors]


@pytest.mark.parametrize(
    ("tiers", "field", "code"),
    [
        ([tier("0", "5")], "0.from_quantity", "quantity_invalid"),
        ([tier("-1", "5")], "0.from_quantity", "quantity_invalid"),
        ([tier("1.00001", "5")], "0.from_quantity", "quantity_invalid"),
        ([tier("1000000001", "5")], "0.from_quantity", "quantity_invalid"),
        ([tier("NaN", "5")], "0.from_quantity", "quantity_invalid"),
        ([TierForm(None, Decimal(5))], "0.from_quantity", "quantity_invalid"),
        ([tier("10", "0")], "0.percent", "tier_percent_invalid"),
        ([tier("10", "100")], "0.percent", "tier_percent_invalid"),
        ([tier("10", "5.00001")], "0.percent", "tier_percent_invalid"),
        ([TierForm(Decimal(10), None)], "0.percent", "tier_percent_invalid"),
        ([tier("10", "5"), tier("10", "6")], "1.from_quantity", "tier_not_ascending"),
        ([tier("10", "5"), tier("9.5", "6")], "1.from_quantity", "tier_not_ascending"),
        ([tier("10", "5"), tier("20", "5")], "1.percent", "tier_not_rising"),
    ],
)
def test_what_is_no_ladder_is_refused_with_its_place(
    session: TenantSession,
    item: CatalogItem,
    actor_of: ActorOf,
    now: datetime,
    tiers: list[TierForm],
    field: str,
    code: str,
) -> None:
    stored = item.discounts
    assert refused(tiers, session, item, actor_of("bill"), now) == [(f"discounts.{field}", code)]
    assert item.discounts == stored


def test_there_are_ten_at_most(session: TenantSession, item: CatalogItem, actor_of: ActorOf, now: datetime) -> None:
    many = [tier(str(place), str(place)) for place in range(1, MOST_TIERS + 2)]
    assert refused(many, session, item, actor_of("bill"), now) == [("discounts", "too_many")]
    assert len(save_discounts(session, item.id, many[1:], actor=actor_of("bill"), now=now).discounts) == MOST_TIERS


def test_each_change_is_a_version_in_the_trail(
    session: TenantSession, item: CatalogItem, actor_of: ActorOf, now: datetime
) -> None:
    bill, known = actor_of("bill"), item.version
    save_discounts(session, item.id, [tier("2.5", "7.25")], version=known, actor=bill, now=now)
    with pytest.raises(Conflict):
        save_discounts(session, item.id, [], version=known, actor=bill, now=now)
    assert (item.version, item.discounts) == (known + 1, [{"from": "2.5", "percent": "7.25"}])
    trail = select(AuditEntry).where(AuditEntry.record_id == item.id).order_by(AuditEntry.seq.desc()).limit(1)
    entry = session.scalars(trail).one()
    assert entry.before["discounts"] == [{"from": "10", "percent": "5"}, {"from": "50", "percent": "12"}]
    assert entry.after["discounts"] == item.discounts
    # A form that knows nothing of them leaves them alone.
    form = ItemForm(item.sku, {"en": "Seat"}, "EUR", 1_100)
    assert save_item(session, item.id, form, actor=bill, now=now).discounts == [{"from": "2.5", "percent": "7.25"}]


@pytest.mark.parametrize("who", ["sam", "mia", "dora", "alice"])
def test_others_set_nothing(
    session: TenantSession, item: CatalogItem, actor_of: ActorOf, now: datetime, who: str
) -> None:
    with pytest.raises(Forbidden):
        save_discounts(session, item.id, [], actor=actor_of(who), now=now)


def test_another_tenants_item_is_not_there(sessions: TenantSessions, world: World, now: datetime) -> None:
    with sessions.begin(world.nova) as session:
        foreign = CatalogItem(id=uuid4(), sku=uuid4().hex, names={"en": "Theirs"}, currency="SAR", unit_price=1)
        session.add(foreign)
    with sessions.begin(world.demo) as session, pytest.raises(NotFound):
        save_discounts(session, foreign.id, TIERS, actor=system_actor(world.demo), now=now)


def test_of_thirty_who_know_one_version_one_saves(sessions: TenantSessions, world: World, now: datetime) -> None:
    system = system_actor(world.demo)
    with sessions.begin(world.demo) as session:
        form = ItemForm(uuid4().hex[:12], {"en": "Seat"}, "EUR", 1_000)
        item = save_item(session, None, form, actor=system, now=now)
        item_id, version = item.id, item.version

    def save(place: int) -> None:
        with sessions.begin(world.demo) as session:
            save_discounts(session, item_id, [tier(str(place + 1), "5")], version=version, actor=system, now=now)

    codes = codes_of(at_once(30, save))
    assert sorted(codes) == ["changed_meanwhile"] * 29 + ["ok"]
    with sessions.begin(world.demo) as session:
        stored = session.get_one(CatalogItem, item_id)
        assert (stored.version, stored.discounts[0]["from"]) == (version + 1, str(codes.index("ok") + 1))


def test_lines_get_the_tier_they_reach_unless_a_discount_is_given(
    session: TenantSession, issue: Issue, item: CatalogItem
) -> None:
    lines = [seats(item, text) for text in ("9.9999", "10", "49", "50")]
    invoice = issue(*lines, seats(item, "50", discount=0), seats(item, "50", discount=77), NewLine("Free", Decimal(99)))
    assert discounts_of(session, invoice) == [0, 500, 2_450, 6_000, 0, 77, 0]
    assert invoice.discount_total == 500 + 2_450 + 6_000 + 77
    assert invoice.total == invoice.subtotal - invoice.discount_total


def test_what_was_written_never_changes(
    session: TenantSession, issue: Issue, item: CatalogItem, actor_of: ActorOf, now: datetime
) -> None:
    invoice = issue(seats(item, "50"))
    save_discounts(session, item.id, [tier("1", "90")], actor=actor_of("bill"), now=now)
    session.expire_all()
    assert (discounts_of(session, invoice), invoice.total) == ([6_000], 44_000)
    assert discounts_of(session, issue(seats(item, "1"))) == [900]
    note = credit_invoice(session, invoice.id, reason="All", lines=None, actor=actor_of("bill"), now=now)
    assert (discounts_of(session, note), note.total) == ([6_000], 44_000)


@pytest.fixture
def hooli(session: TenantSession) -> UUID:
    """A company that has bought nothing yet."""
    company = Company(id=uuid4(), name="Hooli", customer_number=f"H-{uuid4().hex[:12]}")
    session.add(company)
    session.flush()
    return company.id


@pytest.fixture
def reader(actor_of: ActorOf, hooli: UUID) -> Actor:
    """Somebody of that company."""
    return replace(actor_of("alice"), company_ids=(hooli,))


def test_customers_see_what_they_bought_and_what_is_next(
    session: TenantSession, issue: Issue, item: CatalogItem, hooli: UUID, reader: Actor, now: datetime
) -> None:
    day = timedelta(days=1)
    issue(seats(item, "30"), customer_id=hooli, now=now - 366 * day, due_on=now.date())
    issue(seats(item, "6"), customer_id=hooli, now=now - 360 * day, due_on=now.date())
    issue(seats(item, "12", 1_100), customer_id=hooli, now=now - 2 * day)
    issue(seats(item, "500"))
    (offer,) = list_offers(session, zone=ZONE, actor=reader, now=now)
    assert (offer.item_id, offer.bought, offer.unit_price) == (item.id, Decimal(18), 1_100)
    assert (offer.spent, offer.saved) == (6_000 + 13_200, 660)
    assert offer.reached is not None
    assert offer.coming is not None
    assert (offer.reached.from_quantity, offer.coming.from_quantity) == (Decimal(10), Decimal(50))
    assert offer.would_have_saved(offer.reached) == 19_200 * 5 // 100 - 660
    assert offer.would_have_saved(offer.coming) == 19_200 * 12 // 100 - 660
    assert offer.would_have_saved(None) == 0


def test_void_invoices_and_credit_notes_do_not_count(
    session: TenantSession,
    issue: Issue,
    item: CatalogItem,
    hooli: UUID,
    reader: Actor,
    actor_of: ActorOf,
    now: datetime,
) -> None:
    bill = actor_of("bill")
    void_invoice(session, issue(seats(item, "40"), customer_id=hooli).id, reason="Twice", actor=bill, now=now)
    assert list_offers(session, zone=ZONE, actor=reader, now=now) == []
    bought = issue(seats(item, "8"), seats(item, "2", -300), customer_id=hooli)
    first, _ = session.scalars(
        select(InvoiceLine.id).where(InvoiceLine.invoice_id == bought.id).order_by(InvoiceLine.position)
    )
    credit_invoice(session, bought.id, reason="One", lines=[CreditedLine(first, Decimal(3))], actor=bill, now=now)
    (offer,) = list_offers(session, zone=ZONE, actor=reader, now=now)
    assert (offer.bought, offer.spent, offer.saved) == (Decimal(5), 8_000 - 600 - 3_000, 0)


def test_a_note_over_an_amount_takes_back_no_pieces(
    session: TenantSession,
    issue: Issue,
    item: CatalogItem,
    hooli: UUID,
    reader: Actor,
    actor_of: ActorOf,
    now: datetime,
) -> None:
    invoice = issue(seats(item, "9"), customer_id=hooli)
    line_id = session.scalars(select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice.id)).one()
    credit_amounts(session, invoice.id, {line_id: 2_500}, reason="Agreed", actor=actor_of("bill"), now=now)
    (offer,) = list_offers(session, zone=ZONE, actor=reader, now=now)
    assert (offer.bought, offer.spent) == (Decimal(9), 6_500)


def test_each_currency_is_told_by_itself(
    session: TenantSession, issue: Issue, item: CatalogItem, hooli: UUID, reader: Actor, now: datetime
) -> None:
    issue(seats(item, "2"), customer_id=hooli)
    issue(seats(item, "3", 150), customer_id=hooli, currency="JPY")
    found = estimate(session, item.id, Decimal(50), zone=ZONE, actor=reader, now=now)
    assert [(one.currency, one.gross, one.discount, one.net) for one in found] == [
        ("EUR", 50_000, 6_000, 44_000),
        ("JPY", 7_500, 900, 6_600),
    ]
    assert found[0].coming is None
    below = estimate(session, item.id, Decimal("9.5"), zone=ZONE, actor=reader, now=now)[0]
    assert (below.tier, below.discount, below.net) == (None, 0, 9_500)
    assert below.coming is not None
    assert below.coming.from_quantity == 10


@pytest.mark.parametrize("quantity", ["0", "-1", "1.00001", "NaN", "Infinity", "1e20"])
def test_an_estimate_needs_a_quantity(
    session: TenantSession, issue: Issue, item: CatalogItem, hooli: UUID, reader: Actor, now: datetime, quantity: str
) -> None:
    issue(seats(item, "2"), customer_id=hooli)
    with pytest.raises(Invalid):
        estimate(session, item.id, Decimal(quantity), zone=ZONE, actor=reader, now=now)


def test_others_purchases_tell_nobody(
    session: TenantSession,
    issue: Issue,
    item: CatalogItem,
    hooli: UUID,
    reader: Actor,
    actor_of: ActorOf,
    now: datetime,
) -> None:
    issue(seats(item, "20"))
    assert list_offers(session, zone=ZONE, actor=reader, now=now) == []
    assert item.id not in {
        offer.item_id for offer in list_offers(session, zone=ZONE, actor=actor_of("charlie"), now=now)
    }
    for who in (reader, actor_of("charlie")):
        with pytest.raises(NotFound):
            estimate(session, item.id, Decimal(5), zone=ZONE, actor=who, now=now)
    with pytest.raises(Forbidden):
        list_offers(session, zone=ZONE, actor=actor_of("dora"), now=now)


def test_what_is_not_sold_any_more_is_not_offered(
    session: TenantSession, issue: Issue, item: CatalogItem, hooli: UUID, reader: Actor, now: datetime
) -> None:
    issue(seats(item, "20"), customer_id=hooli)
    assert len(list_offers(session, zone=ZONE, actor=reader, now=now)) == 1
    item.active = False
    session.flush()
    assert list_offers(session, zone=ZONE, actor=reader, now=now) == []
