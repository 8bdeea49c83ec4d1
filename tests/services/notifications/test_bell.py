import pytest
from sqlalchemy import delete

from portal.config import LOCALES
from portal.errors import NotFound
from portal.lib.i18n import translations_for
from portal.lib.wording.notifications import TEXTS, notification_text
from portal.models import Membership
from portal.services.notifications.bell import count_unread, list_notifications, mark_all_read, mark_read
from portal.services.tickets.conversation import reply_as_staff


@pytest.fixture
def answered(session, told, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now)
    told.of(ticket, "ticket.created")
    told.of(ticket, "ticket.replied")
    return ticket


def test_own_notices_with_what_they_are_about(session, answered, actor_of):
    rows = [row for row in list_notifications(session, actor=actor_of("bob")) if row.notice.record_id == answered.id]
    assert [(row.notice.kind, row.number, row.subject) for row in rows] == [
        ("ticket_answered", answered.ticket_number, "VPN drops")
    ]
    assert notification_text(rows[0].notice.kind, rows[0].notice.params, str) == "Sam Okafor answered"


def test_reading_one_and_all(session, answered, actor_of, now):
    bob = actor_of("bob")
    unread = count_unread(session, actor=bob)
    notice = list_notifications(session, actor=bob)[0].notice
    assert mark_read(session, notice.id, actor=bob, now=now).read_at == now
    assert mark_read(session, notice.id, actor=bob, now=now).read_at == now
    assert count_unread(session, actor=bob) == unread - 1
    assert mark_all_read(session, actor=bob, now=now) == unread - 1
    assert count_unread(session, actor=bob) == 0
    assert mark_all_read(session, actor=bob, now=now) == 0


@pytest.mark.parametrize("name", ["alice", "charlie", "sam"])
def test_nobody_reads_another_s_notice(session, answered, actor_of, now, name):
    notice = list_notifications(session, actor=actor_of("bob"))[0].notice
    with pytest.raises(NotFound):
        mark_read(session, notice.id, actor=actor_of(name), now=now)


def test_a_ticket_that_is_not_theirs_any_more_is_left_out(session, answered, actor_of):
    bob = actor_of("bob")
    assert "ticket" in {row.notice.record_type for row in list_notifications(session, actor=bob)}
    session.execute(delete(Membership).where(Membership.user_id == bob.user_id))
    moved = type(bob)(kind=bob.kind, tenant_id=bob.tenant_id, name=bob.name, user_id=bob.user_id, roles=bob.roles)
    # Other tests may have left him notices of other things.
    assert "ticket" not in {row.notice.record_type for row in list_notifications(session, actor=moved)}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_notice_has_words(locale):
    params = {"actor": "Sam", "status": "resolved", "role": "manager", "metric": "resolution"}
    for kind in TEXTS:
        text = notification_text(kind, params, translations_for(locale).gettext)
        assert text
        assert "%(" not in text
