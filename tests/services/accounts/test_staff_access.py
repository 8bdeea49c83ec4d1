"""What staff do to companies, people and logins, and what they may not."""

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import (
    AuditEntry,
    AuthSession,
    Company,
    LinkPurpose,
    MailMessage,
    Membership,
    OneTimeLink,
    Person,
    Role,
    SignInLock,
    StaffRole,
    User,
    UserStatus,
)
from portal.services.accounts import lockout
from portal.services.accounts.access_control import (
    end_login_sessions,
    set_company_role,
    set_status,
    unlock_login,
)
from portal.services.accounts.access_history import load_history
from portal.services.accounts.invitations import NewInvitation, invite_customer
from portal.services.accounts.one_time import issue_link
from portal.services.accounts.records import CompanyForm, PersonForm, save_company, save_person
from portal.services.accounts.sessions import Origin, start_session
from portal.services.accounts.team import list_team, set_team_roles

ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-1")


@pytest.fixture
def person_of(session, world):
    def find(name):
        user_id = world.people[name].user_id
        return session.scalar(select(User.person_id).where(User.id == user_id))

    return find


@pytest.fixture
def limited(actor_of):
    """An agent who may manage the team, and bill."""
    return replace(actor_of("sam"), granted=ROLE_PERMISSIONS[Role.BILLING] | {Permission.STAFF_MANAGE})


def enter(session, world, name, now):
    user = session.get(User, world.people[name].user_id)
    start_session(session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now)
    return user


# Records.


def test_a_company_is_created_and_changed(session, actor_of, delivery, now):
    form = CompanyForm("Initech", " 10031 ", "01 5550310", "Vienna", "at")
    company = save_company(session, None, form, delivery=delivery, actor=actor_of("mia"), now=now)
    assert (company.customer_number, company.country) == ("10031", "AT")
    changed = CompanyForm("Initech GmbH", "10031", None, "Vienna", "AT")
    save_company(session, company.id, changed, delivery=delivery, actor=actor_of("mia"), now=now)
    session.expire_all()
    assert session.get(Company, company.id).name == "Initech GmbH"
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.record_id == company.id).order_by(AuditEntry.seq)
    ).all()
    assert entries[1].before["name"] == "Initech"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"customer_number": "ACM"}, "customer_number", "number_taken"),
        ({"customer_number": "x" * 21}, "customer_number", "too_long"),
        ({"country": "France"}, "country", "unknown_country"),
        ({"phone": "call"}, "phone", "phone_invalid"),
    ],
)
def test_what_a_company_cannot_be(session, actor_of, delivery, now, fields, field, code):
    form = CompanyForm(**{"name": "Initech", "customer_number": "10031"} | fields)
    with pytest.raises(Invalid) as refused:
        save_company(session, None, form, delivery=delivery, actor=actor_of("mia"), now=now)
    assert (refused.value.errors[0].field, refused.value.errors[0].code) == (field, code)


@pytest.mark.parametrize("who", ["sam", "bill", "dora", "alice", "bob"])
def test_who_may_not_keep_records(session, actor_of, delivery, world, person_of, now, who):
    actor = actor_of(who)
    with pytest.raises(Forbidden):
        save_company(session, None, CompanyForm("X", "1"), delivery=delivery, actor=actor, now=now)
    with pytest.raises(Forbidden):
        save_person(session, person_of("bob"), PersonForm("X", "x@y.example"), delivery=delivery, actor=actor, now=now)


def test_records_of_another_tenant_are_not_found(session, actor_of, delivery, world, now):
    ofuq = world.companies["ofuq"]
    with pytest.raises(NotFound):
        save_company(session, ofuq, CompanyForm("X", "1"), delivery=delivery, actor=actor_of("ada"), now=now)
    with pytest.raises(Invalid):
        form = PersonForm("X", "x@y.example", company_id=ofuq)
        save_person(session, None, form, delivery=delivery, actor=actor_of("ada"), now=now)


def test_a_moved_address_ends_sessions_and_links_and_the_old_one_is_told(
    session, actor_of, delivery, world, person_of, now
):
    bob = enter(session, world, "bob", now)
    session.execute(update(Person).where(Person.id == bob.person_id).values(email_verified_at=now))
    link = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=bob.id, vault=delivery.vault, now=now)
    form = PersonForm("Bob Keller", "bob.keller@acme.example")
    editor = replace(actor_of("sam"), granted=frozenset({Permission.CUSTOMERS_EDIT}))
    with pytest.raises(Forbidden):
        save_person(session, bob.person_id, form, delivery=delivery, actor=editor, now=now)
    save_person(session, bob.person_id, form, delivery=delivery, actor=actor_of("mia"), now=now)
    session.expire_all()
    assert session.get(Person, bob.person_id).email_verified_at is None
    assert session.get(OneTimeLink, link.id).revoked_at == now
    assert session.scalars(select(AuthSession.revoked_at).where(AuthSession.user_id == bob.id)).all() == [now]
    mail = session.scalars(select(MailMessage).where(MailMessage.template == "contact_corrected")).one()
    assert mail.recipient == "bob@acme.example"


def test_the_team_s_records_are_not_customers(session, actor_of, delivery, person_of, now):
    form = PersonForm("Sam", "sam@demo.example")
    with pytest.raises(Forbidden):
        save_person(session, person_of("sam"), form, delivery=delivery, actor=actor_of("mia"), now=now)


# Access.


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.LOCKED])
def test_suspending_ends_everything_and_letting_in_again_undoes_both_ways(
    session, actor_of, world, person_of, delivery, now, status
):
    enter(session, world, "alice", now)
    mia, alice = actor_of("mia"), person_of("alice")
    form = NewInvitation("Private", "private@elsewhere.example", Role.CUSTOMER_ADMIN)
    sent = invite_customer(session, world.companies["acme"], form, actor=actor_of("alice"), delivery=delivery, now=now)
    set_status(session, alice, status, actor=mia, now=now)
    session.expire_all()
    user = session.get(User, world.people["alice"].user_id)
    assert user.status is status
    assert session.scalars(select(AuthSession.revoked_at).where(AuthSession.user_id == user.id)).all() == [now]
    assert sent.revoked_at == now
    session.execute(update(User).where(User.id == user.id).values(portal_access=False))
    session.expire_all()
    set_status(session, alice, UserStatus.ACTIVE, actor=mia, now=now)
    assert session.get(User, user.id).may_sign_in()


def test_a_login_that_was_never_opened_has_no_other_state(session, actor_of, world, delivery, now):
    form = NewInvitation("Nina", "nina@acme.example")
    invite_customer(session, world.companies["acme"], form, actor=actor_of("alice"), delivery=delivery, now=now)
    nina = session.scalar(select(Person.id).where(Person.email == "nina@acme.example"))
    for status in (UserStatus.ACTIVE, UserStatus.SUSPENDED):
        with pytest.raises(Conflict, match="status_not_possible"):
            set_status(session, nina, status, actor=actor_of("mia"), now=now)


@pytest.mark.parametrize("who", ["sam", "bill", "dora", "alice", "charlie"])
def test_who_may_not_touch_a_customer_s_login(session, actor_of, person_of, world, now, who):
    actor, bob = actor_of(who), person_of("bob")
    for act in (
        lambda: set_status(session, bob, UserStatus.SUSPENDED, actor=actor, now=now),
        lambda: unlock_login(session, bob, actor=actor, now=now),
        lambda: end_login_sessions(session, bob, actor=actor, now=now),
        lambda: set_company_role(session, bob, world.companies["acme"], Role.CUSTOMER_ADMIN, actor=actor, now=now),
        lambda: load_history(session, bob, actor=actor, now=now),
    ):
        with pytest.raises(Forbidden):
            act()


def test_people_of_another_tenant_are_not_found(session, actor_of, world, now):
    with pytest.raises(NotFound):
        set_status(session, uuid4(), UserStatus.SUSPENDED, actor=actor_of("ada"), now=now)


def test_locks_are_lifted_and_shown(session, actor_of, world, person_of, now):
    bob = session.get(User, world.people["bob"].user_id)
    subject = lockout.subject_of("bob@acme.example", bob)
    for _ in range(lockout.FAILURES):
        lockout.count_failure(session, subject, ORIGIN, user=bob, device=None, now=now)
    history = load_history(session, person_of("bob"), actor=actor_of("mia"), now=now)
    assert [lock.origin for lock in history.locks] == ["ip:192.0.2.7"]
    assert unlock_login(session, person_of("bob"), actor=actor_of("mia"), now=now) == 1
    assert session.scalars(select(SignInLock)).all() == []


def test_the_history_has_sessions_and_the_trail(session, actor_of, world, person_of, now):
    enter(session, world, "bob", now)
    history = load_history(session, person_of("bob"), actor=actor_of("mia"), now=now)
    assert [held.ip for held in history.sessions] == ["192.0.2.7"]
    assert history.entries[0].action == "user.signed_in"
    assert end_login_sessions(session, person_of("bob"), actor=actor_of("mia"), now=now) == 1
    history = load_history(session, person_of("bob"), actor=actor_of("mia"), now=now + timedelta(minutes=1))
    assert history.sessions == []


def test_the_role_in_a_company_is_set_and_taken(session, actor_of, world, person_of, now):
    acme, bob = world.companies["acme"], person_of("bob")
    held = select(Membership.role).where(Membership.user_id == world.people["bob"].user_id)
    set_company_role(session, bob, acme, Role.CUSTOMER_ADMIN, actor=actor_of("mia"), now=now)
    assert session.scalars(held).all() == [Role.CUSTOMER_ADMIN]
    with pytest.raises(Invalid):
        set_company_role(session, bob, acme, Role.AGENT, actor=actor_of("mia"), now=now)
    with pytest.raises(NotFound):
        set_company_role(session, bob, world.companies["globex"], Role.CUSTOMER, actor=actor_of("mia"), now=now)
    set_company_role(session, bob, acme, None, actor=actor_of("mia"), now=now)
    assert session.scalars(held).all() == []


# The team.


def test_roles_of_the_team_are_set_as_ticked(session, actor_of, world, person_of, now):
    own = StaffRole(id=uuid4(), tenant_id=world.demo, name="Front desk", permissions=["mail:read"])
    session.add(own)
    session.flush()
    ada, jonas = actor_of("ada"), person_of("jonas")
    member = set_team_roles(session, jonas, roles=[Role.BILLING], own_role_ids=[own.id], actor=ada, now=now)
    assert (member.roles, member.own_roles) == ((Role.BILLING,), ((own.id, "Front desk"),))
    member = set_team_roles(session, jonas, roles=[Role.AGENT], actor=ada, now=now)
    assert (member.roles, member.own_roles) == ((Role.AGENT,), ())
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "user.role_changed").order_by(AuditEntry.seq.desc())
    ).first()
    assert (entry.before["own_roles"], entry.after["roles"]) == (["Front desk"], ["agent"])


@pytest.mark.parametrize("roles", [[], [Role.CUSTOMER], [Role.CUSTOMER_ADMIN, Role.AGENT], [Role.CUSTOM]])
def test_roles_the_team_cannot_have(session, actor_of, person_of, now, roles):
    with pytest.raises(Invalid):
        set_team_roles(session, person_of("jonas"), roles=roles, actor=actor_of("ada"), now=now)


def test_nobody_gives_or_takes_more_than_they_have(session, limited, person_of, world, now):
    for roles in ([Role.MANAGER], [Role.TENANT_ADMIN], [Role.AGENT, Role.DESIGNER]):
        with pytest.raises(Forbidden, match="more_than_own"):
            set_team_roles(session, person_of("jonas"), roles=roles, actor=limited, now=now)
    own = StaffRole(id=uuid4(), tenant_id=world.demo, name="Auditor", permissions=["audit:read"])
    session.add(own)
    session.flush()
    with pytest.raises(Forbidden, match="more_than_own"):
        set_team_roles(session, person_of("jonas"), roles=[], own_role_ids=[own.id], actor=limited, now=now)
    for name in ("mia", "ada"):
        for act in (
            lambda who: set_team_roles(session, person_of(who), roles=[Role.AGENT], actor=limited, now=now),
            lambda who: set_status(session, person_of(who), UserStatus.SUSPENDED, actor=limited, now=now),
            lambda who: end_login_sessions(session, person_of(who), actor=limited, now=now),
        ):
            with pytest.raises(Forbidden, match="more_than_own"):
                act(name)
    assert set_team_roles(session, person_of("jonas"), roles=[Role.BILLING], actor=limited, now=now).roles == (
        Role.BILLING,
    )


def test_nobody_changes_themselves(session, actor_of, person_of, now):
    ada = actor_of("ada")
    with pytest.raises(Forbidden, match="not_yourself"):
        set_team_roles(session, person_of("ada"), roles=[Role.AGENT], actor=ada, now=now)
    with pytest.raises(Forbidden, match="not_yourself"):
        set_status(session, person_of("ada"), UserStatus.SUSPENDED, actor=ada, now=now)


@pytest.mark.parametrize("who", ["mia", "sam", "alice"])
def test_who_may_not_manage_the_team(session, actor_of, person_of, now, who):
    for act in (
        lambda: list_team(session, actor=actor_of(who)),
        lambda: set_team_roles(session, person_of("jonas"), roles=[Role.AGENT], actor=actor_of(who), now=now),
        lambda: set_status(session, person_of("jonas"), UserStatus.SUSPENDED, actor=actor_of(who), now=now),
    ):
        with pytest.raises(Forbidden):
            act()


def test_customers_are_no_members_of_the_team(session, actor_of, person_of, now):
    with pytest.raises(NotFound):
        set_team_roles(session, person_of("bob"), roles=[Role.AGENT], actor=actor_of("ada"), now=now)


def test_a_role_of_another_tenant_is_none(sessions, session, actor_of, person_of, world, now):
    own = uuid4()
    with sessions.begin(world.nova) as elsewhere:
        elsewhere.add(StaffRole(id=own, tenant_id=world.nova, name=f"Elsewhere {own}", permissions=[]))
    with pytest.raises(Invalid):
        set_team_roles(session, person_of("jonas"), roles=[], own_role_ids=[own], actor=actor_of("ada"), now=now)


@pytest.mark.parametrize("way", ["roles", "status"])
def test_two_administrators_of_the_tenant_cannot_shut_each_other_out(sessions, world, now, way):
    ada, mia = world.people["ada"], world.people["mia"]
    with sessions.begin(world.demo) as session:
        ids = dict(
            session.execute(select(User.id, User.person_id).where(User.id.in_([ada.user_id, mia.user_id]))).all()
        )
        session.execute(update(Membership).where(Membership.user_id == mia.user_id).values(role=Role.TENANT_ADMIN))
    actors = {ada.user_id: ada.actor, mia.user_id: replace(ada.actor, user_id=mia.user_id, name="Mia Lindqvist")}
    outcomes, ready = [], threading.Barrier(2)

    def shut(me, other):
        ready.wait(5)
        try:
            with sessions.begin(world.demo) as session:
                if way == "roles":
                    set_team_roles(session, ids[other], roles=[Role.AGENT], actor=actors[me], now=now)
                else:
                    set_status(session, ids[other], UserStatus.SUSPENDED, actor=actors[me], now=now)
                outcomes.append("done")
        except Conflict as error:
            outcomes.append(error.code)

    pairs = ((ada.user_id, mia.user_id), (mia.user_id, ada.user_id))
    threads = [threading.Thread(target=shut, args=pair) for pair in pairs]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == ["done", "last_administrator"]
    finally:
        with sessions.begin(world.demo) as session:
            session.execute(update(User).where(User.id.in_(ids)).values(status=UserStatus.ACTIVE))
            for person, role in ((ada, Role.TENANT_ADMIN), (mia, Role.MANAGER)):
                session.execute(update(Membership).where(Membership.user_id == person.user_id).values(role=role))
