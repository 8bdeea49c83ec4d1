"""Who hears of a cancelled ticket and of an escalation that was asked for, and in which words."""

from datetime import timedelta

from portal.services.tickets.desk import assign_ticket
from portal.services.tickets.escalation_request import request_escalation
from portal.services.tickets.lifecycle import cancel_ticket


def test_an_escalation_reaches_the_rung_and_the_team(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    ticket.escalation_level = 1  # The next rung gives the ticket to nobody.
    request_escalation(session, ticket.id, reason="Nobody calls back.", actor=actor_of("bob"), now=now)
    bells, mails = told.of(ticket, "ticket.escalated")
    assert bells == dict.fromkeys(("ada", "mia", "sam", "jonas"), "ticket_escalated")
    assert set(mails) == {"ada", "sam", "jonas"}
    mail = told.mail_to(ticket, "ticket.escalated", "ada")
    assert "Bob Keller asks you to step in" in mail.subject
    assert "Nobody calls back." in mail.text
    assert "Nobody calls back." in mail.html


def test_an_escalation_of_an_assigned_ticket_reaches_its_agent_alone(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    assign_ticket(session, ticket.id, assignee_id=actor_of("sam").user_id, actor=actor_of("mia"), now=now)
    at = now + timedelta(minutes=1)
    request_escalation(session, ticket.id, reason="Urgent.", actor=actor_of("alice"), now=at)
    bells, _ = told.of(ticket, "ticket.escalated")
    assert bells == {"mia": "ticket_escalated", "sam": "ticket_escalated", "bob": "ticket_handed_up"}
    assert "Alice Moreau asked for it" in told.mail_to(ticket, "ticket.escalated", "bob").text


def test_a_cancelled_ticket_is_told_by_bell_and_mail_with_its_reason(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    at = now + timedelta(minutes=1)
    cancel_ticket(session, ticket.id, reason="We found the cable.", actor=actor_of("bob"), now=at)
    bells, mails = told.of(ticket, "ticket.status_changed")
    assert bells == dict.fromkeys(("mia", "sam", "jonas"), "ticket_withdrawn")
    assert mails == dict.fromkeys(("sam", "jonas"), "ticket_withdrawn")
    assert "We found the cable." in told.mail_to(ticket, "ticket.status_changed", "sam").text
