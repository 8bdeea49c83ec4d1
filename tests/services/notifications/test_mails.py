import html
from datetime import timedelta

import pytest

from portal.config import LOCALES
from portal.lib.colour import contrast_with_white, solid_accent
from portal.lib.links import site_address
from portal.models import TicketStatus
from portal.services.notifications.message_ids import thread_of
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.escalation import advance_clock

HOSTILE = '<script>alert("x")</script> & "quotes" {{ 7*7 }} %(name)s'


@pytest.fixture
def story(session, open_ticket, actor_of, now):
    """A ticket to which everything has happened that sends mail."""
    ticket = open_ticket(subject=HOSTILE, description=f"First line\n{HOSTILE}")
    advance_clock(session, ticket.id, cycle=1, now=now + timedelta(seconds=20))
    reply_as_staff(session, ticket.id, message=HOSTILE, actor=actor_of("sam"), now=now + timedelta(seconds=30))
    reply_as_customer(session, ticket.id, message=HOSTILE, actor=actor_of("bob"), now=now + timedelta(seconds=31))
    assign_ticket(session, ticket.id, assignee_id=actor_of("sam").user_id, actor=actor_of("mia"), now=now)
    changes = TicketChanges(status=TicketStatus.RESOLVED)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now + timedelta(seconds=40))
    return ticket


FOR_CUSTOMERS = ("ticket_received", "ticket_answered", "ticket_handed_up", "ticket_status_changed")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_mail_in_every_language(session, told, story, locale):
    for name in ("bob", "sam", "jonas", "mia"):
        told.user(name).locale = locale
    session.flush()
    mails = told.all_mails(story)
    assert {mail.template for mail in mails} == {
        "ticket_received",
        "ticket_opened",
        "ticket_answered",
        "ticket_customer_replied",
        "ticket_status_changed",
        "ticket_assigned",
        "ticket_escalated",
        "ticket_handed_up",
    }
    for mail in mails:
        check(mail, story, locale)


def check(mail, ticket, locale):
    assert mail.locale == locale
    assert mail.subject.startswith(f"[{ticket.ticket_number}] ")
    assert len(mail.subject) <= 250
    assert "\n" not in mail.subject
    direction = "rtl" if locale == "ar" else "ltr"
    assert f'<html lang="{locale}" dir="{direction}">' in mail.html
    assert "<script" not in mail.html
    # What people wrote stands there as they wrote it, and is neither markup nor template.
    assert HOSTILE in html.unescape(mail.html)
    assert HOSTILE in mail.text
    assert "<bound" not in mail.text
    assert "None" not in mail.text.replace(HOSTILE, "")
    audience = "portal" if mail.template in FOR_CUSTOMERS else "admin"
    assert f"http://127.0.0.1:8000/{audience}/tickets/{ticket.id}" in mail.text
    assert mail.html.count('role="presentation"') >= 4
    assert "prefers-color-scheme: dark" in mail.html


def test_an_answer_quotes_it_and_offers_one_button(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="It holds.\nSince noon.", actor=actor_of("sam"), now=now)
    mail = told.mail_to(ticket, "ticket.replied", "bob")
    assert mail.subject == f"[{ticket.ticket_number}] Sam Okafor answered: VPN drops"
    assert "> It holds.\n> Since noon." in mail.text
    assert "It holds.<br>Since noon." in mail.html
    assert mail.html.count("display:inline-block") == 1


def test_the_next_step_and_the_promise_stand_in_the_mail(told, open_ticket):
    mail = told.mail_to(open_ticket(), "ticket.created", "bob")
    assert "Escalates to the team lead if unanswered · Tuesday, 24 November, 10:00:20" in mail.text
    assert "First answer: by Tuesday, 24 November, 10:00:20" in mail.text
    assert "Reminds the team" not in mail.text


def test_staff_see_their_own_next_step(told, open_ticket):
    assert "Reminds the team that the first answer is due" in told.mail_to(open_ticket(), "ticket.created", "sam").text


def test_message_ids_are_fixed_and_make_a_thread(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    first = told.mail_to(ticket, "ticket.created", "bob")
    assert first.message_id == f"<ticket-{ticket.id}@demo.example>"
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    second = told.mail_to(ticket, "ticket.replied", "bob")
    assert second.message_id != first.message_id
    assert thread_of(second.message_id) == thread_of(first.message_id) == first.message_id
    assert thread_of("<somebody@else>") is None


def test_links_lead_to_the_tenant_s_own_host():
    assert site_address("http://127.0.0.1:8000", "nova.localhost") == "http://nova.localhost:8000"
    assert site_address("https://portal.example/", "127.0.0.1") == "https://portal.example"
    assert site_address("https://portal.example", "help.kestrel.example") == "https://help.kestrel.example"


def test_a_tenant_s_colour_cannot_break_out():
    assert solid_accent("red;background:url(//evil)") == solid_accent(None)
    for colour in ("#FFFF00", "#3B82F6", "#7C3AED", "#FFFFFF", "#000000"):
        shade = solid_accent(colour)
        assert contrast_with_white(tuple(int(shade[i : i + 2], 16) for i in (1, 3, 5))) >= 4.5


def test_a_language_the_tenant_does_not_offer_falls_back(session, told, open_ticket):
    told.user("bob").locale = "it"
    session.flush()
    assert told.mail_to(open_ticket(), "ticket.created", "bob").locale == "en"
