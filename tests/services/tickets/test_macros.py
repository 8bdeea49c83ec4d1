"""Macros: whose they are, what is refused, versions; and using one as a whole or not at all."""

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Ticket, TicketEvent, TicketMessage, TicketPriority, User
from portal.models import TicketStatus as Status
from portal.services.tenants.config_versions import list_versions
from portal.services.tickets.lifecycle import close_ticket
from portal.services.tickets.macro_form import MacroForm
from portal.services.tickets.macro_use import Reply, apply_macro, offer_macros, preview_macro
from portal.services.tickets.macros import (
    duplicate_macro,
    get_macro,
    list_macros,
    restore_macro,
    save_macro,
    switch_macro,
)
from portal.services.tickets.opening import NewTicket, create_ticket

LOCALES = ("en", "fr")
TEXTS = {"en": "Hello {{customer.first_name}}, {{ticket.number}} is with us. {{agent.name}}"}


@pytest.fixture
def make(session, actor_of, now):
    def save(who="mia", macro_id=None, **fields):
        form = MacroForm(**{"name": "First look", "texts": TEXTS} | fields)
        return save_macro(session, macro_id, form=form, locales=LOCALES, actor=actor_of(who), now=now)

    return save


def codes(error):
    return {(item.field, item.code) for item in error.value.errors}


def preview(session, ticket, macro, actor):
    return preview_macro(session, ticket.id, macro.id, actor=actor, portal_name="Kestrel", main_locale="en")


def test_an_unknown_placeholder_is_refused_with_its_place(make):
    with pytest.raises(Invalid) as error:
        make(texts={"en": "Hello\n{{customer.password}}", "fr": "{{ticket.number"})
    told = {(item.field, item.code, dict(item.params)["line"]) for item in error.value.errors}
    assert told == {("text_en", "placeholder_unknown", 2), ("text_fr", "placeholder_unknown", 1)}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, {("name", "required")}),
        ({"texts": {}}, {("text_en", "macro_empty")}),
        ({"texts": {"xx": "Hi"}}, {("text_xx", "unknown_choice")}),
        ({"actions": {"status": "cancelled"}}, {("status", "unknown_choice")}),
        ({"actions": {"custom_status": "nothing"}}, {("status", "unknown_choice")}),
        (
            {"actions": {"priority": "top", "assignee": "x"}},
            {("priority", "unknown_choice"), ("assignee", "unknown_choice")},
        ),
        ({"actions": {"add_tags": [f"t{n}" for n in range(21)]}}, {("add_tags", "too_many")}),
        ({"categories": ["nothing"]}, {("categories", "unknown_category")}),
        (
            {"audience": "customer", "texts": {"en": "Hi"}, "actions": {"priority": "high"}},
            {("status", "macro_no_actions")},
        ),
        ({"audience": "customer", "texts": {"en": "{{agent.name}}"}}, {("text_en", "placeholder_unknown")}),
        ({"audience": "nobody"}, {("audience", "unknown_choice")}),
    ],
)
def test_what_is_wrong_is_said(make, fields, wrong):
    with pytest.raises(Invalid) as error:
        make(**fields)
    assert codes(error) == wrong


def test_nobody_can_be_given_tickets_who_is_no_agent(make, world):
    with pytest.raises(Invalid):
        make(actions={"assignee": str(world.people["bob"].user_id)})


def test_names_are_taken_once_per_owner(make):
    make()
    with pytest.raises(Invalid) as error:
        make(name="first LOOK")
    assert codes(error) == {("name", "name_taken")}
    assert make("sam", shared=False).owner_id is not None


def test_every_saving_is_a_version_and_an_audit_row(session, make, actor_of, now):
    macro = make()
    make(macro_id=macro.id, name="Second look", version=1)
    with pytest.raises(Invalid) as error:
        make(macro_id=macro.id, name="Third look", version=1)
    assert codes(error) == {("name", "changed_meanwhile")}
    restore_macro(session, macro.id, version=1, locales=LOCALES, actor=actor_of("mia"), now=now)
    switch_macro(session, macro.id, active=False, actor=actor_of("mia"), now=now)
    switch_macro(session, macro.id, active=False, actor=actor_of("mia"), now=now)
    session.flush()
    states = list_versions(session, "macro", macro.id)
    assert [(state.version, state.data["name"], state.data["active"]) for state in states] == [
        (4, "First look", False),
        (3, "First look", True),
        (2, "Second look", True),
        (1, "First look", True),
    ]
    entries = session.scalars(select(AuditEntry).where(AuditEntry.record_id == macro.id)).all()
    assert {entry.action for entry in entries} == {"macro.saved"}
    assert len(entries) == 4
    with pytest.raises(NotFound):
        restore_macro(session, macro.id, version=9, locales=LOCALES, actor=actor_of("mia"), now=now)


def test_own_macros_are_their_owner_s_and_shared_ones_the_lead_s(session, make, actor_of, now):
    own, shared = make("sam", name="Mine", shared=False), make()
    assert own in list_macros(session, actor=actor_of("sam"))
    assert own not in list_macros(session, actor=actor_of("jonas"))
    for act in (
        lambda: get_macro(session, own.id, actor=actor_of("jonas")),
        lambda: make("jonas", macro_id=own.id, shared=False),
    ):
        with pytest.raises(NotFound):
            act()
    for act in (
        lambda: make("sam", name="For all"),
        lambda: make("sam", macro_id=shared.id),
        lambda: make("sam", macro_id=shared.id, shared=False),
        lambda: switch_macro(session, shared.id, active=False, actor=actor_of("sam"), now=now),
        lambda: make("dora", name="Own", shared=False),
        lambda: list_macros(session, actor=actor_of("bob")),
    ):
        with pytest.raises(Forbidden):
            act()
    copy = duplicate_macro(session, shared.id, actor=actor_of("sam"), now=now)
    assert (copy.owner_id, copy.name, copy.texts) == (actor_of("sam").user_id, "First look", shared.texts)
    assert duplicate_macro(session, shared.id, actor=actor_of("mia"), now=now).name == "First look (2)"


def test_a_ticket_is_offered_what_fits(session, make, open_ticket, actor_of):
    ticket = open_ticket(category="billing")
    fits = make(name="Invoice copy", categories=["billing"])
    make(name="Reset VPN", categories=["technical"])
    make(name="Off", active=False)
    make(name="For them", audience="customer", texts={"en": "Hi"})
    make("jonas", name="His own", shared=False)
    everywhere = make(name="100 % sure")
    session.flush()
    sam = actor_of("sam")
    mine = (fits, everywhere)
    assert {row.id for row in offer_macros(session, ticket.id, actor=sam)} == {row.id for row in mine}
    assert offer_macros(session, ticket.id, search="copy inv", actor=sam) == [fits]
    assert offer_macros(session, ticket.id, search="%", actor=sam) == [everywhere]
    with pytest.raises(Forbidden):
        offer_macros(session, ticket.id, actor=actor_of("bill"))


def test_the_preview_speaks_the_customer_s_language_and_writes_nothing(session, make, open_ticket, actor_of):
    ticket = open_ticket(subject="{{agent.name}} is slow")
    macro = make(texts={**TEXTS, "fr": "Bonjour {{customer.name}}, {{ticket.subject}}"})
    found = preview(session, ticket, macro, actor_of("sam"))
    assert found.text == f"Hello Bob, {ticket.ticket_number} is with us. Sam Okafor"
    session.get(User, ticket.requester_id).locale = "fr"
    session.flush()
    found = preview(session, ticket, macro, actor_of("sam"))
    assert (found.locale, found.text) == ("fr", "Bonjour Bob Keller, {{agent.name}} is slow")
    assert macro.used == 0


def test_answer_and_changes_are_one(session, make, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    actions = {"status": "resolved", "priority": "high", "assignee": "me", "add_tags": ["vpn", "mtu"]}
    macro = make(actions=actions)
    entry = apply_macro(session, ticket.id, macro.id, reply=Reply("Edited text"), actor=sam, now=now)
    session.expire_all()
    assert entry is not None
    assert entry.message == "Edited text"
    assert (ticket.status.value, ticket.priority, ticket.assigned_to) == ("resolved", TicketPriority.HIGH, sam.user_id)
    assert ticket.tags == ["mtu", "vpn"]
    assert macro.used == 1
    line = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "macro_applied")
    assert session.scalars(line).one().staff_only


def test_the_button_s_status_goes_before_the_macro_s(session, make, open_ticket, actor_of, now):
    sam, macro, plain = actor_of("sam"), make(actions={"status": "resolved"}), make(name="Plain")
    for used, reply, status in (
        (macro, Reply("x", status=Status.IN_PROGRESS, otherwise=Status.WAITING_CUSTOMER), "in_progress"),
        (macro, Reply("x", otherwise=Status.WAITING_CUSTOMER), "resolved"),
        (plain, Reply("x", otherwise=Status.WAITING_CUSTOMER), "waiting_customer"),
    ):
        ticket = open_ticket()
        apply_macro(session, ticket.id, used.id, reply=reply, actor=sam, now=now)
        assert ticket.status.value == status


def test_changes_alone_need_no_text(session, make, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    macro = make(texts={}, actions={"status": "in_progress", "assignee": "none"})
    assert apply_macro(session, ticket.id, macro.id, reply=Reply(" "), actor=sam, now=now) is None
    assert (ticket.status.value, ticket.assigned_to) == ("in_progress", None)
    with pytest.raises(Invalid):
        apply_macro(session, ticket.id, make().id, reply=Reply(""), actor=sam, now=now)


def test_nothing_is_left_of_a_macro_that_cannot_be_used(sessions, world, now):
    mia, sam, bob = (world.people[name].actor for name in ("mia", "sam", "bob"))
    with sessions.begin(world.demo) as session:
        form = MacroForm(f"Whole or not {now}", TEXTS, {"priority": "urgent", "add_tags": ["half"]})
        macro_id = save_macro(session, None, form=form, locales=LOCALES, actor=mia, now=now).id
        ticket_id = create_ticket(session, NewTicket("Done", "Really.", "drill"), actor=bob, now=now).id
        close_ticket(session, ticket_id, actor=bob, now=now)
    with pytest.raises(Conflict), sessions.begin(world.demo) as session:
        apply_macro(session, ticket_id, macro_id, reply=Reply("Too late"), actor=sam, now=now)
    with sessions.begin(world.demo) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        assert (ticket.priority.value, ticket.tags) == ("normal", [])
        assert session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == ticket_id)).all() == []
        switch_macro(session, macro_id, active=False, actor=mia, now=now)
    with pytest.raises(NotFound), sessions.begin(world.demo) as session:
        apply_macro(session, ticket_id, macro_id, reply=Reply("x"), actor=sam, now=now)
