"""What somebody is signed in with, and was (H9.8, AUTH-19)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Invalid, NotFound
from portal.events import audit
from portal.lib.tokens import token_hash
from portal.models import AuditEntry, AuthSession, TokenFamily, User
from portal.services.accounts.login_history import SignInKind, list_sign_ins
from portal.services.accounts.own_sessions import SessionKind, end_other_sessions, end_session, list_sessions
from portal.services.accounts.sessions import IDLE, find_signed_in, start_session
from tests.services.accounts.account_world import ORIGIN


def enter(session, actor, now):
    """A browser's session: its id and its token."""
    user = session.get_one(User, actor.user_id)
    token, _ = start_session(
        session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now
    )
    session.flush()
    return session.scalars(select(AuthSession.id).where(AuthSession.token_hash == token_hash(token))).one(), token


def program(session, actor, now):
    family = TokenFamily(
        user_id=actor.user_id, ip="198.51.100.1", user_agent="curl/8", created_at=now, last_used_at=now
    )
    session.add(family)
    session.flush()
    return family.id


def shown(session, actor, now, current=None):
    return [row.id for row in list_sessions(session, actor=actor, now=now, current=current)]


def test_browsers_and_programs_this_one_first(session, now, actor_of):
    charlie = actor_of("charlie")
    this, _ = enter(session, charlie, now)
    newer, _ = enter(session, charlie, now + timedelta(minutes=5))
    reports = program(session, charlie, now + timedelta(minutes=2))
    enter(session, actor_of("alice"), now)
    rows = list_sessions(session, actor=charlie, now=now + timedelta(minutes=6), current=this)
    assert [row.id for row in rows] == [this, newer, reports]
    assert [row.current for row in rows] == [True, False, False]
    assert [row.kind for row in rows] == [SessionKind.BROWSER, SessionKind.BROWSER, SessionKind.PROGRAM]
    assert (rows[0].ip, rows[0].user_agent, rows[0].method) == (ORIGIN.ip, ORIGIN.user_agent, "password")


def test_what_is_over_is_not_listed(session, now, actor_of):
    charlie = actor_of("charlie")
    enter(session, charlie, now)
    program(session, charlie, now)
    assert len(shown(session, charlie, now + IDLE - timedelta(seconds=1))) == 2
    assert len(shown(session, charlie, now + IDLE)) == 1
    assert shown(session, charlie, now + timedelta(days=30)) == []
    tenants_rule = list_sessions(
        session, actor=charlie, now=now + timedelta(hours=1), current=None, idle=timedelta(hours=2)
    )
    assert len(tenants_rule) == 2


def test_an_ended_session_opens_nothing(session, now, actor_of):
    charlie = actor_of("charlie")
    ended, token = enter(session, charlie, now)
    kept, _ = enter(session, charlie, now)
    assert find_signed_in(session, token, "portal", now) is not None
    end_session(session, ended, actor=charlie, now=now)
    assert find_signed_in(session, token, "portal", now) is None
    assert shown(session, charlie, now) == [kept]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.session_ended")).one()
    assert entry.after == {"session": str(ended), "kind": "browser"}


def test_ending_what_is_not_one_s_own_or_over_is_not_found(session, now, actor_of, world):
    theirs, token = enter(session, actor_of("alice"), now)
    their_program = program(session, actor_of("alice"), now)
    own, _ = enter(session, actor_of("charlie"), now)
    end_session(session, own, actor=actor_of("charlie"), now=now)
    for session_id in (theirs, their_program, own, world.demo):
        with pytest.raises(NotFound):
            end_session(session, session_id, actor=actor_of("charlie"), now=now)
    assert find_signed_in(session, token, "portal", now) is not None


@pytest.mark.parametrize("keeper", ["browser", "program"])
def test_everything_but_this_one(session, now, actor_of, keeper):
    charlie = actor_of("charlie")
    browser, reports = enter(session, charlie, now)[0], program(session, charlie, now)
    enter(session, charlie, now)
    program(session, charlie, now)
    theirs, _ = enter(session, actor_of("alice"), now)
    keep = browser if keeper == "browser" else reports
    assert end_other_sessions(session, keep=keep, actor=charlie, now=now) == 3
    session.expire_all()
    assert shown(session, charlie, now) == [keep]
    assert shown(session, actor_of("alice"), now) == [theirs]


def refused(session, world, actor, now):
    audit(session, "user.sign_in_refused", "user", actor.user_id, actor=actor, now=now, after={"door": "portal"})


def test_the_history_has_sign_ins_of_every_kind(session, now, actor_of, world):
    charlie = actor_of("charlie")
    browser, _ = enter(session, charlie, now)
    reports = program(session, charlie, now + timedelta(minutes=1))
    refused(session, world, charlie, now + timedelta(minutes=2))
    refused(session, world, actor_of("alice"), now)
    enter(session, actor_of("alice"), now)
    end_session(session, browser, actor=charlie, now=now + timedelta(minutes=3))
    lines = list_sign_ins(session, actor=charlie, now=now + timedelta(minutes=4)).items
    assert [line.kind for line in lines] == [SignInKind.REFUSED, SignInKind.PROGRAM, SignInKind.BROWSER]
    assert [line.id for line in lines][1:] == [reports, browser]
    assert lines[2].ended_at == now + timedelta(minutes=3)
    assert (lines[1].ended_at, lines[1].user_agent, lines[2].ip) == (None, "curl/8", ORIGIN.ip)


def test_it_reaches_ninety_days_back(session, now, actor_of):
    charlie = actor_of("charlie")
    enter(session, charlie, now)
    assert len(list_sign_ins(session, actor=charlie, now=now + timedelta(days=89)).items) == 1
    assert list_sign_ins(session, actor=charlie, now=now + timedelta(days=90)).items == []


def test_pages_join_without_a_gap_forth_and_back(session, now, actor_of, world):
    charlie = actor_of("charlie")
    for at in range(7):
        enter(session, charlie, now + timedelta(minutes=at // 2))
        program(session, charlie, now + timedelta(minutes=at // 2))
        refused(session, world, charlie, now + timedelta(minutes=at // 2))
    later = now + timedelta(hours=1)
    whole = [line.id for line in list_sign_ins(session, actor=charlie, now=later, limit=100).items]
    assert len(set(whole)) == 21
    seen, cursor, back = [], None, None
    while True:
        page = list_sign_ins(session, actor=charlie, now=later, limit=4, cursor=cursor)
        seen += [line.id for line in page.items]
        back = page.previous_cursor
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == whole
    before = list_sign_ins(session, actor=charlie, now=later, limit=4, cursor=back)
    assert [line.id for line in before.items] == whole[16:20]


@pytest.mark.parametrize("cursor", ["x", "WzEsIngiLDBd", "WzEsIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCIsMF0"])
def test_a_made_up_cursor_is_refused(session, now, actor_of, cursor):
    with pytest.raises(Invalid):
        list_sign_ins(session, actor=actor_of("charlie"), now=now, cursor=cursor)


def test_a_page_takes_one_statement_however_long_it_is(session, now, actor_of, statements):
    charlie = actor_of("charlie")
    for _ in range(5):
        enter(session, charlie, now)
    del statements[:]
    list_sign_ins(session, actor=charlie, now=now)
    assert len(statements) == 1
