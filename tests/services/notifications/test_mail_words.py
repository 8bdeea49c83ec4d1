"""Mails in the tenant's own words: which places they have, who may write them, what the reader gets."""

import pytest
from sqlalchemy import select

from portal.config import LOCALES
from portal.errors import Forbidden, Invalid, NotFound
from portal.lib.placeholders import FOR_MAILS, unknown_places
from portal.models import AuditEntry
from portal.services.notifications.mail_words import (
    KINDS,
    Words,
    find_words,
    list_word_versions,
    restore_words,
    save_words,
)
from portal.services.notifications.own_words import standard_words
from portal.services.tickets.conversation import reply_as_staff

BODY = "{{actor.name}} wrote about <b>{{ticket.subject}}</b>.\nStatus: {{ticket.status}}"


@pytest.fixture
def save(session, actor_of, now):
    def make(who="mia", kind="ticket_answered", **texts):
        texts = texts or {"en": Words("{{ticket.number}}: news", BODY)}
        return save_words(session, kind, texts=texts, locales=LOCALES, actor=actor_of(who), now=now)

    return make


def answered(session, ticket, actor_of, told, now):
    reply_as_staff(session, ticket.id, message="Fixed.", actor=actor_of("sam"), now=now)
    return told.mail_to(ticket, "ticket.replied", "bob")


def test_the_mail_says_what_the_tenant_wrote(save, session, open_ticket, actor_of, told, now):
    save()
    ticket = open_ticket(subject="A *bold* {{ticket.number}} & more")
    mail = answered(session, ticket, actor_of, told, now)
    assert mail.subject == f"{ticket.ticket_number}: news"
    # What is filled in is looked through no more, and nothing in it is HTML or Markdown.
    assert "Sam Okafor wrote about <b>A *bold* {{ticket.number}} & more</b>." in mail.text
    assert "\nStatus: " in mail.text
    assert "&lt;b&gt;A *bold* {{ticket.number}} &amp; more&lt;/b&gt;.<br>Status: " in mail.html
    assert "Hello Bob," in mail.text
    assert "Fixed." in mail.text


def test_a_language_without_own_words_has_the_standard_ones(save, session, open_ticket, actor_of, told, now):
    save(fr=Words("Des nouvelles", ""))
    mail = answered(session, open_ticket(), actor_of, told, now)
    assert "Sam Okafor answered: VPN drops" in mail.subject


def test_an_empty_part_has_the_standard_words(save, session, open_ticket, actor_of, told, now):
    save(en=Words("", "Only the text is ours."))
    ticket = open_ticket()
    mail = answered(session, ticket, actor_of, told, now)
    assert mail.subject == f"[{ticket.ticket_number}] Sam Okafor answered: VPN drops"
    assert "Only the text is ours." in mail.text


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (Words("{{agent.name}}", ""), ("subject_en", "placeholder_unknown")),
        (Words("", "{{ticket.number"), ("body_en", "placeholder_unknown")),
        (Words("x" * 201, ""), ("subject_en", "too_long")),
        (Words("", "a\x00b"), ("body_en", "characters_forbidden")),
    ],
)
def test_what_cannot_be_said_is_refused(save, words, refused):
    with pytest.raises(Invalid) as error:
        save(en=words)
    assert {(item.field, item.code) for item in error.value.errors} == {refused}


def test_only_who_sets_the_desk_up_writes_them(save):
    with pytest.raises(Forbidden):
        save(who="sam")
    with pytest.raises(NotFound):
        save(kind="invitation")


def test_versions_and_the_way_back(save, session, actor_of, now):
    mia = actor_of("mia")
    row = save()
    save(en=Words("", ""))
    assert find_words(session, "ticket_answered", actor=mia).texts == {}
    restore_words(session, "ticket_answered", 1, locales=LOCALES, actor=mia, now=now)
    assert row.texts == {"en": {"subject": "{{ticket.number}}: news", "body": BODY}}
    kept = list_word_versions(session, "ticket_answered", actor=mia)
    assert [(one.version, one.saved_by_name) for one in kept] == [(n, "Mia Lindqvist") for n in (3, 2, 1)]
    session.flush()
    told = session.scalars(select(AuditEntry).where(AuditEntry.record_id == row.id)).all()
    assert {entry.action for entry in told} == {"mail_words.saved"}
    with pytest.raises(NotFound):
        restore_words(session, "ticket_answered", 9, locales=LOCALES, actor=mia, now=now)


@pytest.mark.parametrize("kind", KINDS)
def test_standard_words_can_be_taken_as_they_are(kind):
    for locale in LOCALES:
        words = standard_words(kind, locale)
        assert words.subject
        assert words.body
        assert not list(unknown_places(f"{words.subject}\n{words.body}", FOR_MAILS))
