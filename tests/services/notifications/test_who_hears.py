from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select

from portal.models import MailMessage, Membership, Notification, OutboxEvent, Role, TicketStatus, UserStatus
from portal.services.notifications.fan_out import fan_out
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.custom_statuses import StatusForm, save_custom_status
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, rate_ticket, reopen_ticket
from portal.services.tickets.mentions import follow_ticket
from tests.services.notifications.conftest import BASE_URL

TEAM_BELLS = {"sam": "ticket_opened", "jonas": "ticket_opened", "mia": "ticket_opened"}


def seconds(number):
    return timedelta(seconds=number)


def test_a_new_ticket_is_confirmed_and_rings_with_the_team(told, open_ticket):
    bells, mails = told.of(open_ticket(), "ticket.created")
    # Who wrote it gets the confirmation, and no bell about their own doing.
    assert bells == TEAM_BELLS
    assert mails == {"bob": "ticket_received", "sam": "ticket_opened", "jonas": "ticket_opened"}


def test_a_public_answer_reaches_the_requester_only(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    assert told.of(ticket, "ticket.replied") == ({"bob": "ticket_answered"}, {"bob": "ticket_answered"})


def test_an_answer_that_moves_the_status_is_one_mail(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    status = TicketStatus.WAITING_CUSTOMER
    reply_as_staff(session, ticket.id, message="Which office?", actor=actor_of("sam"), now=now, status=status)
    assert told.of(ticket, "ticket.status_changed") == ({}, {})
    mail = told.mail_to(ticket, "ticket.replied", "bob")
    assert "Waiting on you" in mail.text


def test_a_status_of_its_own_is_told(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    resolved = TicketChanges(status=TicketStatus.RESOLVED)
    update_ticket(session, ticket.id, changes=resolved, actor=actor_of("sam"), now=now + seconds(5))
    expected = {"bob": "ticket_status_changed"}
    assert told.of(ticket, "ticket.status_changed") == (expected, expected)


def test_what_the_customer_does_is_not_told_to_the_customer(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now + seconds(1))
    bells, mails = told.of(ticket, "ticket.status_changed")
    assert bells == dict.fromkeys(("sam", "jonas", "mia"), "ticket_status_changed")
    assert mails == {}
    reopen_ticket(session, ticket.id, actor=actor_of("alice"), now=now + seconds(2))
    bells, mails = told.of(ticket, "ticket.status_changed")
    assert mails == {"bob": "ticket_status_changed"}
    assert "alice" not in bells


def test_a_customer_s_answer_reaches_the_assignee(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    assign_ticket(session, ticket.id, assignee_id=actor_of("jonas").user_id, actor=actor_of("mia"), now=now)
    reply_as_customer(session, ticket.id, message="More", actor=actor_of("bob"), now=now + seconds(1))
    expected = {"jonas": "ticket_customer_replied"}
    assert told.of(ticket, "ticket.replied") == (expected, expected)


def test_a_customer_s_answer_without_assignee_reaches_the_team(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_customer(session, ticket.id, message="More", actor=actor_of("bob"), now=now + seconds(1))
    bells, mails = told.of(ticket, "ticket.replied")
    assert set(bells) == {"sam", "jonas", "mia"}
    assert set(mails) == {"sam", "jonas"}


def test_a_new_assignee_hears_unless_they_took_it(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    assign_ticket(session, ticket.id, assignee_id=actor_of("sam").user_id, actor=actor_of("mia"), now=now)
    assert told.of(ticket, "ticket.assigned") == ({"sam": "ticket_assigned"}, {"sam": "ticket_assigned"})
    assign_ticket(session, ticket.id, assignee_id=actor_of("jonas").user_id, actor=actor_of("jonas"), now=now)
    assert told.of(ticket, "ticket.assigned") == ({}, {})


def test_an_escalation_is_told_once_to_each(session, told, open_ticket, now):
    ticket = open_ticket()
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(20))
    bells, mails = told.of(ticket, "ticket.escalated")
    assert bells == mails == {"mia": "ticket_escalated", "bob": "ticket_handed_up"}
    # The same transaction gave her the ticket; that is not told a second time.
    assert told.of(ticket, "ticket.assigned") == ({}, {})


def test_a_warning_rings_with_staff_and_sends_no_mail(session, told, open_ticket, now):
    ticket = open_ticket()
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(16))
    bells, mails = told.of(ticket, "ticket.sla_warned")
    assert bells == dict.fromkeys(("sam", "jonas", "mia"), "ticket_due_soon")
    assert mails == {}


def test_an_internal_note_reaches_nobody(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    add_note(session, ticket.id, message="Careful, CANARY.", actor=actor_of("sam"), now=now + seconds(1))
    assert told.of(ticket, "ticket.note_added") == ({}, {})
    reply_as_staff(session, ticket.id, message="Hello", actor=actor_of("sam"), now=now + seconds(2))
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(91))
    for kind in ("ticket.created", "ticket.replied", "ticket.escalated"):
        told.of(ticket, kind)
    for mail in session.scalars(select(MailMessage)):
        assert "CANARY" not in mail.text + mail.html + mail.subject
    for notice in session.scalars(select(Notification)):
        assert "CANARY" not in str(notice.params)


def test_a_rating_is_told_to_nobody(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    update_ticket(
        session, ticket.id, changes=TicketChanges(status=TicketStatus.RESOLVED), actor=actor_of("sam"), now=now
    )
    rate_ticket(session, ticket.id, rating=5, actor=actor_of("bob"), now=now)
    assert told.of(ticket, "ticket.rated") == ({}, {})


def test_other_companies_and_tenants_hear_nothing(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    update_ticket(
        session,
        ticket.id,
        changes=TicketChanges(status=TicketStatus.RESOLVED),
        actor=actor_of("sam"),
        now=now + seconds(3),
    )
    for kind in ("ticket.created", "ticket.replied", "ticket.status_changed"):
        bells, mails = told.of(ticket, kind)
        assert not {"charlie", "nia", "noor", "alice"} & (set(bells) | set(mails))


def test_an_event_of_another_tenant_does_not_exist_here(sessions, session, world, told, open_ticket):
    event = told.last(open_ticket().id, "ticket.created")
    with sessions.begin(world.nova) as foreign:
        assert fan_out(foreign, event.id, base_url=BASE_URL, now=told.now) == []
        mails = select(func.count()).select_from(MailMessage).where(MailMessage.event_id == event.id)
        assert foreign.scalar(mails) == 0


def test_somebody_who_left_the_company_hears_nothing(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    session.execute(delete(Membership).where(Membership.user_id == actor_of("bob").user_id))
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    assert told.of(ticket, "ticket.replied") == ({}, {})


@pytest.mark.parametrize("change", [{"status": UserStatus.SUSPENDED}, {"portal_access": False}])
def test_who_may_not_sign_in_hears_nothing(session, told, open_ticket, actor_of, now, change):
    ticket = open_ticket()
    for name in ("bob", "sam"):
        for field, value in change.items():
            setattr(told.user(name), field, value)
    session.flush()
    bells, mails = told.of(ticket, "ticket.created")
    assert not {"bob", "sam"} & (set(bells) | set(mails))


def test_mails_can_be_switched_off_and_the_bell_stays(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    told.user("bob").mail_preferences = {"tickets": False}
    session.flush()
    assert "bob" not in told.of(ticket, "ticket.created")[1]
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    assert told.of(ticket, "ticket.replied") == ({"bob": "ticket_answered"}, {})


def test_an_assignee_who_left_the_team_does_not_swallow_the_news(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    assign_ticket(session, ticket.id, assignee_id=actor_of("jonas").user_id, actor=actor_of("mia"), now=now)
    told.user("jonas").status = UserStatus.SUSPENDED
    session.flush()
    reply_as_customer(session, ticket.id, message="More", actor=actor_of("bob"), now=now + seconds(1))
    assert set(told.of(ticket, "ticket.replied")[0]) == {"sam", "mia"}


def test_repeating_writes_nothing_twice(session, told, open_ticket):
    ticket = open_ticket()
    event = told.last(ticket.id, "ticket.created")
    first = fan_out(session, event.id, base_url=BASE_URL, now=told.now)
    again = fan_out(session, event.id, base_url=BASE_URL, now=told.now + seconds(60))
    assert sorted(first) == sorted(again)
    assert len(first) == 3
    assert session.scalar(select(func.count()).where(Notification.event_id == event.id)) == 3
    rings = select(func.count()).where(OutboxEvent.record_id == event.id, OutboxEvent.kind == "notification.created")
    assert session.scalar(rings) == 1


def test_a_person_in_two_roles_is_told_once(session, told, open_ticket, actor_of):
    sam = actor_of("sam")
    session.add(Membership(tenant_id=session.tenant_id, user_id=sam.user_id, role=Role.MANAGER))
    session.flush()
    ticket = open_ticket()
    event = told.last(ticket.id, "ticket.created")
    told.of(ticket, "ticket.created")
    own = select(func.count()).where(Notification.event_id == event.id, Notification.user_id == sam.user_id)
    assert session.scalar(own) == 1


def test_an_unknown_event_is_no_work(session):
    assert fan_out(session, uuid4(), base_url=BASE_URL, now=None) == []


def test_a_mention_reaches_those_it_names_and_no_customer(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    note = "@Mia Lindqvist @Bill Hartmann @Bob Keller the customer's firewall is old"
    add_note(session, ticket.id, message=note, actor=actor_of("sam"), now=now)
    expected = dict.fromkeys(("mia", "bill"), "ticket_mentioned")
    assert told.of(ticket, "ticket.mentioned") == (expected, expected)
    mail = told.mail_to(ticket, "ticket.mentioned", "mia")
    assert "Sam Okafor mentioned you" in mail.subject
    assert "firewall" not in mail.text + mail.html


def test_a_follower_of_the_team_hears_the_customer_s_answer(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    assign_ticket(session, ticket.id, assignee_id=actor_of("jonas").user_id, actor=actor_of("mia"), now=now)
    follow_ticket(session, ticket.id, follow=True, actor=actor_of("bill"), now=now)
    reply_as_customer(session, ticket.id, message="More", actor=actor_of("bob"), now=now + seconds(1))
    expected = dict.fromkeys(("jonas", "bill"), "ticket_customer_replied")
    assert told.of(ticket, "ticket.replied") == (expected, expected)


def test_an_own_status_is_told_in_the_customer_s_words(session, told, open_ticket, actor_of, now):
    form = StatusForm("in_progress", {"en": "At the vendor"}, {"en": "Parts are coming"})
    mia = actor_of("mia")
    row = save_custom_status(session, None, form=form, locales=("en",), main_locale="en", actor=mia, now=now)
    ticket = open_ticket()
    changes = TicketChanges(custom_status=row.key)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
    told.of(ticket, "ticket.status_changed")
    mail = told.mail_to(ticket, "ticket.status_changed", "bob")
    assert "Parts are coming" in mail.text
    assert "At the vendor" not in mail.subject + mail.text + mail.html
