"""An administrator signs everybody out: customers, the team or both, but not the session that asks (ASVS 7.4.5)."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.authz import Permission, system_actor
from portal.errors import Forbidden, Invalid, Unauthenticated
from portal.models import AuditEntry, AuthSession, OutboxEvent, TokenFamily, User
from portal.services.accounts.api_tokens import TokenSigner, issue_tokens, load_token_identity
from portal.services.accounts.mass_sign_out import Whose, chosen_whose, end_all_sessions
from portal.services.accounts.second_step import find_challenge
from portal.services.accounts.sessions import Origin, find_signed_in, start_session
from portal.services.accounts.sign_in import open_challenge

ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-1")
SIGNER = TokenSigner("a secret for tests")
DOORS = {"bob": "portal", "alice": "portal", "sam": "admin", "ada": "admin"}


@pytest.fixture
def inside(session, world, now):
    """Tokens of sessions of customers and staff, by name."""

    def enter(name):
        user = session.get(User, world.people[name].user_id)
        door, values = DOORS[name], {"method": "password", "factor": False, "device_id": None}
        token, _ = start_session(session, user, door=door, origin=ORIGIN, now=now, **values)
        session.flush()
        return token

    return {name: enter(name) for name in DOORS}


def living(session, inside, now):
    return {name for name, token in inside.items() if find_signed_in(session, token, DOORS[name], now) is not None}


@pytest.mark.parametrize(
    ("whose", "left"),
    [("customers", {"sam", "ada"}), ("team", {"bob", "alice", "ada"}), ("everybody", {"ada"})],
)
def test_whose_sessions_end(session, world, actor_of, inside, now, whose, left):
    assert living(session, inside, now) == set(DOORS)
    own = select(AuthSession.id).where(AuthSession.user_id == world.people["ada"].user_id)
    keep = session.scalars(own.order_by(AuthSession.created_at.desc())).first()
    ended = end_all_sessions(session, chosen_whose(whose), keep=keep, actor=actor_of("ada"), now=now)
    assert living(session, inside, now) == left
    assert ended >= len(DOORS) - len(left)
    trail = select(AuditEntry).where(AuditEntry.action == "tenant.sessions_ended", AuditEntry.record_id == world.demo)
    entry = session.scalars(trail.order_by(AuditEntry.seq.desc())).first()
    assert entry.after == {"whose": whose, "sessions": ended}
    told = select(OutboxEvent.id).where(OutboxEvent.kind == "tenant.sessions_ended")
    assert session.scalars(told).first() is not None


def test_programs_and_half_sign_ins_end_too(session, world, actor_of, now):
    bob, ada = (session.get(User, world.people[name].user_id) for name in ("bob", "ada"))
    pairs = {user.id: issue_tokens(session, user, factor=False, signer=SIGNER, origin=ORIGIN, now=now)
             for user in (bob, ada)}  # fmt: skip
    half = open_challenge(session, bob, door="portal", method="password", now=now)
    session.flush()
    mine = session.scalars(select(TokenFamily.id).where(TokenFamily.user_id == ada.id)).one()
    end_all_sessions(session, Whose.EVERYBODY, keep=mine, actor=actor_of("ada"), now=now)
    claims = {user: SIGNER.read(pair.access_token, tenant_id=world.demo, now=now) for user, pair in pairs.items()}
    assert load_token_identity(session, claims[ada.id], ORIGIN) is not None
    with pytest.raises(Unauthenticated):
        load_token_identity(session, claims[bob.id], ORIGIN)
    with pytest.raises(Unauthenticated, match="challenge_expired"):
        find_challenge(session, half.challenge, "portal", now=now)


@pytest.mark.parametrize("who", ["mia", "sam", "dora", "alice"])
def test_who_may_not(session, actor_of, inside, now, who):
    with pytest.raises(Forbidden):
        end_all_sessions(session, Whose.EVERYBODY, keep=None, actor=actor_of(who), now=now)
    granted = frozenset(Permission) - {Permission.SIGN_IN_CONFIGURE}
    with pytest.raises(Forbidden):
        actor = replace(actor_of("sam"), granted=granted)
        end_all_sessions(session, Whose.EVERYBODY, keep=None, actor=actor, now=now)
    assert living(session, inside, now) == set(DOORS)


def test_another_tenant_is_left_alone(sessions, session, world, inside, now):
    with sessions.begin(world.nova) as elsewhere:
        user = elsewhere.get(User, world.people["nia"].user_id)
        values = {"method": "password", "factor": False, "device_id": None, "origin": ORIGIN, "now": now}
        token, _ = start_session(elsewhere, user, door="portal", **values)
    end_all_sessions(session, Whose.EVERYBODY, keep=None, actor=system_actor(world.demo), now=now)
    with sessions.begin(world.nova) as elsewhere:
        assert find_signed_in(elsewhere, token, "portal", now) is not None
        end_all_sessions(elsewhere, Whose.EVERYBODY, keep=None, actor=system_actor(world.nova), now=now)
    with sessions.begin(world.nova) as elsewhere:
        assert find_signed_in(elsewhere, token, "portal", now) is None


@pytest.mark.parametrize("text", [None, "", "staff", "CUSTOMERS", "everybody "])
def test_nobody_else_can_be_named(text):
    with pytest.raises(Invalid):
        chosen_whose(text)
