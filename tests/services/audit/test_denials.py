from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.authz import Permission
from portal.lib.wording.audit import PERMISSIONS, access_notes
from portal.models import AuditEntry
from portal.services.accounts.refused_sign_ins import record_refused_sign_in
from portal.services.accounts.sessions import Origin
from portal.services.audit.denials import Denial, record_denial
from portal.services.tickets.opening import NewTicket, create_ticket

DENIAL = Denial(door="admin", endpoint="desk.reply", code="not_allowed", permission="desk:reply")
ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-7")


def entries(session, action):
    return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.fixture
def opened(session, now, actor_of):
    request = NewTicket(subject="VPN drops", description="Since Monday.", category="general")
    return create_ticket(session, request, actor=actor_of("bob"), now=now)


def test_a_denial_says_who_was_refused_what_where(session, now, actor_of, opened):
    denial = replace(DENIAL, record_type="ticket", record_id=opened.id)
    dora = replace(actor_of("dora"), ip="192.0.2.7", request_id="request-7")
    record_denial(session, denial, actor=dora, now=now)
    (entry,) = entries(session, "access.denied")
    assert (entry.actor_id, entry.actor_name, entry.actor_kind) == (dora.user_id, dora.name, "staff")
    assert (entry.record_type, entry.record_id) == ("ticket", opened.id)
    assert (entry.ip, entry.request_id, entry.at) == ("192.0.2.7", "request-7", now)
    assert entry.after == {
        "door": "admin",
        "endpoint": "desk.reply",
        "code": "not_allowed",
        "permission": "desk:reply",
    }


@pytest.mark.parametrize(("record_type", "record_id"), [("ticket", uuid4()), ("spaceship", uuid4()), (None, None)])
def test_a_record_that_nobody_knows_is_not_named(session, now, actor_of, record_type, record_id):
    record_denial(
        session, replace(DENIAL, record_type=record_type, record_id=record_id), actor=actor_of("sam"), now=now
    )
    (entry,) = entries(session, "access.denied")
    assert (entry.record_type, entry.record_id) == ("access", None)


def test_a_record_of_another_tenant_is_not_named(session, sessions, now, actor_of, world):
    nia = actor_of("nia")
    with sessions.begin(world.nova) as theirs:
        request = NewTicket(subject="Elsewhere", description="x", category="general")
        foreign = create_ticket(theirs, request, actor=nia, now=now).id
    record_denial(session, replace(DENIAL, record_type="ticket", record_id=foreign), actor=actor_of("sam"), now=now)
    (entry,) = entries(session, "access.denied")
    assert entry.record_id is None


@pytest.mark.parametrize(
    ("identifier", "who"),
    [
        ("bob@acme.example", "bob"),
        ("  BOB@acme.example", "bob"),
        ("sam@demo.example", "sam"),
        ("nobody@acme.example", None),
        ("nia@nova.example", None),
        ("my secret password", None),
        ("bob@acme.example\x00", None),
        ("\ud800", None),
        ("x" * 100_000, None),
    ],
)
def test_of_a_refused_sign_in_only_the_login_is_kept(session, now, actor_of, identifier, who):
    record_refused_sign_in(session, identifier=identifier, door="portal", origin=ORIGIN, now=now)
    (entry,) = entries(session, "user.sign_in_refused")
    assert (entry.record_type, entry.record_id) == ("user", actor_of(who).user_id if who else None)
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("visitor", None, "")
    assert (entry.ip, entry.request_id) == ("192.0.2.7", "request-7")
    assert (entry.before, entry.after) == ({}, {"door": "portal"})


def test_the_row_that_reaches_the_limit_says_so(session, now, actor_of):
    record_denial(session, replace(DENIAL, last=True), actor=actor_of("sam"), now=now)
    record_refused_sign_in(session, identifier="x", door="api", origin=ORIGIN, now=now, last=True)
    for action in ("access.denied", "user.sign_in_refused"):
        (entry,) = entries(session, action)
        assert entry.after["last"] is True
        assert "Too many in a minute" in access_notes(entry.after, str)[-1]


def test_every_permission_has_a_name():
    assert set(PERMISSIONS) == {permission.value for permission in Permission}
