"""Editing an own message: by whom, until when, and what is left of the earlier words."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, OutboxEvent, Tenant
from portal.services.tenants.directory import load_ticket_policy
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.editing import edit_message, edit_refusal, list_earlier_texts, list_editable
from portal.services.tickets.lifecycle import close_ticket


@pytest.fixture
def story(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    entry = reply_as_customer(session, ticket.id, message="The pasword is secret1", actor=actor_of("bob"), now=now)
    return ticket, entry


@pytest.fixture
def edit(session, actor_of, now):
    def run(story, words="It is **solved**.", who="bob", after=timedelta(minutes=1)):
        ticket, entry = story
        return edit_message(session, ticket.id, entry.id, message=words, actor=actor_of(who), now=now + after)

    return run


def allow(session, minutes):
    settings = {"tickets": {"edit_minutes": minutes}}
    session.execute(update(Tenant).where(Tenant.id == session.tenant_id).values(settings=settings))


def test_the_words_are_replaced_marked_and_kept(session, story, edit, actor_of, now):
    ticket, entry = story
    entry = edit(story)
    assert (entry.message, entry.message_html) == ("It is **solved**.", "<p>It is <strong>solved</strong>.</p>\n")
    assert entry.edited_at == now + timedelta(minutes=1)
    assert ticket.last_message == "It is **solved**."
    edit(story, "Third", after=timedelta(minutes=2))
    texts = list_earlier_texts(session, ticket.id, entry.id, actor=actor_of("sam"))
    assert [row.text for row in texts] == ["The pasword is secret1", "It is **solved**."]
    assert texts[0].replaced_at == now + timedelta(minutes=1)
    kinds = [event.kind for event in get_ticket_detail(session, ticket.id, actor=actor_of("bob")).events]
    assert kinds.count("message_edited") == 2


def test_open_pages_hear_of_it_and_the_event_carries_no_words(session, story, edit):
    edit(story)
    query = select(OutboxEvent).where(OutboxEvent.record_id == story[0].id, OutboxEvent.kind == "ticket.message_edited")
    [event] = session.scalars(query).all()
    assert "solved" not in str(event.payload)
    assert "secret1" not in str(event.payload)


def test_the_same_words_change_nothing(session, story, edit):
    assert edit(story, story[1].message).edited_at is None
    query = select(AuditEntry).where(AuditEntry.record_id == story[0].id, AuditEntry.action == "ticket.message_edited")
    assert session.scalars(query).all() == []


@pytest.mark.parametrize("who", ["alice", "mia"])
def test_a_colleague_and_the_team_may_not(session, story, edit, actor_of, who):
    with pytest.raises(Forbidden, match="not_the_author"):
        edit(story, who=who)
    [entry] = get_ticket_detail(session, story[0].id, actor=actor_of("bob")).messages
    assert (entry.message, entry.edited_at) == ("The pasword is secret1", None)


@pytest.mark.parametrize("who", ["charlie", "nia"])
def test_strangers_find_nothing(story, edit, who):
    with pytest.raises(NotFound):
        edit(story, who=who)


def test_until_somebody_of_the_other_side_has_answered(session, story, edit, actor_of, now):
    ticket, _ = story
    later = now + timedelta(days=2)
    add_note(session, ticket.id, message="Hm.", actor=actor_of("sam"), now=later)
    reply_as_customer(session, ticket.id, message="More.", actor=actor_of("alice"), now=later)
    edit(story, after=timedelta(days=3))
    reply_as_staff(session, ticket.id, message="Thanks.", actor=actor_of("sam"), now=later + timedelta(days=2))
    with pytest.raises(Conflict, match="message_answered"):
        edit(story, "Again", after=timedelta(days=5))


def test_only_the_newest_words_stand_in_lists(session, story, edit, actor_of, now):
    ticket, _ = story
    reply_as_customer(session, ticket.id, message="More.", actor=actor_of("bob"), now=now + timedelta(seconds=9))
    edit(story)
    assert ticket.last_message == "More."


def test_a_tenant_can_set_minutes_instead(session, story, edit, actor_of, now):
    allow(session, 15)
    reply_as_staff(session, story[0].id, message="Thanks.", actor=actor_of("sam"), now=now + timedelta(minutes=1))
    edit(story, after=timedelta(minutes=14, seconds=59))
    with pytest.raises(Conflict, match="edit_too_late"):
        edit(story, "Again", after=timedelta(minutes=15))
    allow(session, 0)
    with pytest.raises(Conflict, match="edit_too_late"):
        edit(story, "Again", after=timedelta())


def test_not_in_a_closed_ticket(session, story, edit, actor_of, now):
    close_ticket(session, story[0].id, actor=actor_of("bob"), now=now)
    with pytest.raises(Conflict, match="ticket_closed"):
        edit(story)


def test_words_are_checked(story, edit):
    for words in ("", "  ", "\x00", "x" * 20_001):
        with pytest.raises(Invalid):
            edit(story, words)


def test_staff_edit_their_answers_but_no_notes(session, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    answer = reply_as_staff(session, ticket.id, message="Reboot", actor=sam, now=now)
    note = add_note(session, ticket.id, message="Odd.", actor=sam, now=now + timedelta(seconds=1))
    at = now + timedelta(minutes=1)
    changed = edit_message(session, ticket.id, answer.id, message="Please reboot", actor=sam, now=at)
    assert changed.message == "Please reboot"
    with pytest.raises(NotFound):
        edit_message(session, ticket.id, note.id, message="Very odd.", actor=sam, now=at)


def test_earlier_words_are_for_staff_of_the_tenant(session, story, edit, actor_of):
    edit(story)
    ticket, entry = story
    with pytest.raises(Forbidden):
        list_earlier_texts(session, ticket.id, entry.id, actor=actor_of("bob"))
    with pytest.raises(NotFound):
        list_earlier_texts(session, ticket.id, entry.id, actor=actor_of("charlie"))


def test_what_pages_offer_is_what_the_rule_allows(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    bob, sam = actor_of("bob"), actor_of("sam")
    for number, (who, write) in enumerate(
        (
            (bob, reply_as_customer),
            (sam, reply_as_staff),
            (bob, reply_as_customer),
            (actor_of("alice"), reply_as_customer),
            (sam, add_note),
            (bob, reply_as_customer),
        )
    ):
        write(session, ticket.id, message=f"{number}", actor=who, now=now + timedelta(minutes=number))
    for minutes in (None, 3, 4, 0):
        allow(session, minutes)
        policy, at = load_ticket_policy(session), now + timedelta(minutes=6)
        for reader in (bob, sam):
            messages = get_ticket_detail(session, ticket.id, actor=reader).messages
            allowed = {
                entry.id
                for entry in messages
                if entry.sender_id == reader.user_id
                and not entry.is_internal
                and edit_refusal(ticket, entry, messages, policy, now=at) is None
            }
            assert list_editable(ticket, messages, policy, actor=reader, now=at) == allowed
