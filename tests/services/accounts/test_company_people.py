import threading

import pytest
from sqlalchemy import select, update

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, AuthSession, Invitation, Membership, OneTimeLink, Person, Role, User, UserStatus
from portal.services.accounts.company_people import (
    ContactForm,
    add_contact,
    change_role,
    deactivate_person,
    reactivate_person,
    remove_contact,
    update_person,
)
from portal.services.accounts.company_queries import get_own_company, list_company_people
from portal.services.accounts.invitations import NewInvitation, invite_customer
from portal.services.accounts.one_time import LinkPurpose, issue_link
from portal.services.accounts.sessions import Origin, start_session

ORIGIN = Origin("127.0.0.1", "Test/1.0", "request-1")
OUTSIDERS = [("bob", Forbidden), ("charlie", NotFound), ("nia", NotFound), ("sam", NotFound), ("ada", NotFound)]


@pytest.fixture
def person_of(session, actor_of):
    def find(name):
        return session.scalar(
            select(Person.id).join(User, User.person_id == Person.id).where(User.id == actor_of(name).user_id)
        )

    return find


@pytest.fixture
def acme(world):
    return world.companies["acme"]


def join_other(session, world, name, role=Role.CUSTOMER):
    """Make a login a member of Globex as well."""
    user_id = world.people[name].user_id
    row = Membership(tenant_id=world.demo, user_id=user_id, company_id=world.companies["globex"], role=role)
    session.add(row)
    session.flush()


def as_admin(session, world, name):
    session.execute(
        update(Membership).where(Membership.user_id == world.people[name].user_id).values(role=Role.CUSTOMER_ADMIN)
    )


def test_the_list_shows_members_and_contacts_of_the_own_company_alone(session, actor_of, acme, now):
    add_contact(
        session, acme, ContactForm("Zoe Desk", "zoe@acme.example"), region="FR", actor=actor_of("alice"), now=now
    )
    rows = list_company_people(session, acme, actor=actor_of("bob"))
    assert [(row.name, row.role) for row in rows] == [
        ("Alice Moreau", Role.CUSTOMER_ADMIN),
        ("Bob Keller", Role.CUSTOMER),
        ("Zoe Desk", None),
    ]
    for who in ("charlie", "nia"):
        with pytest.raises(NotFound):
            list_company_people(session, acme, actor=actor_of(who))
    with pytest.raises(NotFound):
        get_own_company(session, None, actor=actor_of("sam"))


@pytest.mark.parametrize(("who", "error"), OUTSIDERS)
def test_who_may_not_manage(session, actor_of, person_of, acme, now, who, error):
    bob, actor = person_of("bob"), actor_of(who)
    form = ContactForm("X", "x@acme.example")
    for act in (
        lambda: add_contact(session, acme, form, region=None, actor=actor, now=now),
        lambda: update_person(session, acme, bob, form, region=None, actor=actor, now=now),
        lambda: change_role(session, acme, bob, Role.CUSTOMER_ADMIN, actor=actor, now=now),
        lambda: deactivate_person(session, acme, bob, actor=actor, now=now),
        lambda: reactivate_person(session, acme, bob, actor=actor, now=now),
        lambda: remove_contact(session, acme, bob, actor=actor, now=now),
    ):
        with pytest.raises(error):
            act()


def test_people_of_another_company_are_not_found(session, actor_of, person_of, acme, now):
    charlie, alice = person_of("charlie"), actor_of("alice")
    for act in (
        lambda: change_role(session, acme, charlie, Role.CUSTOMER, actor=alice, now=now),
        lambda: deactivate_person(session, acme, charlie, actor=alice, now=now),
        lambda: update_person(
            session, acme, charlie, ContactForm("X", "x@y.example"), region=None, actor=alice, now=now
        ),
        lambda: remove_contact(session, acme, charlie, actor=alice, now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_contact_is_added_changed_and_struck_off(session, actor_of, acme, now):
    alice = actor_of("alice")
    form = ContactForm("Zoe Desk", "ZOE@acme.example ", "06 39 98 00 77", "Front desk")
    zoe = add_contact(session, acme, form, region="FR", actor=alice, now=now)
    person = session.get(Person, zoe)
    assert (person.email, person.phone, person.company_id) == ("zoe@acme.example", "+33639980077", acme)
    update_person(session, acme, zoe, ContactForm("Zoe D.", "zd@acme.example"), region="FR", actor=alice, now=now)
    session.refresh(person)
    assert (person.name, person.email, person.phone, person.title) == ("Zoe D.", "zd@acme.example", None, None)
    remove_contact(session, acme, zoe, actor=alice, now=now)
    session.expunge_all()
    assert session.get(Person, zoe) is None
    actions = set(session.scalars(select(AuditEntry.action).where(AuditEntry.record_id == zoe)))
    assert actions == {"person.saved", "person.removed"}


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": " "}, "name", "required"),
        ({"email": "bob"}, "email", "email_invalid"),
        ({"email": "bob@acme.example"}, "email", "address_refused"),
        ({"phone": "call me"}, "phone", "phone_invalid"),
        ({"phone": "1\x00"}, "phone", "phone_invalid"),
        ({"title": "x" * 81}, "title", "too_long"),
    ],
)
def test_what_a_contact_cannot_be(session, actor_of, acme, now, fields, field, code):
    form = ContactForm(**{"name": "Zoe", "email": "zoe@acme.example"} | fields)
    with pytest.raises(Invalid) as refused:
        add_contact(session, acme, form, region="FR", actor=actor_of("alice"), now=now)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


@pytest.mark.parametrize(("field", "value"), [("email", "mine@evil.example"), ("phone", "+33639980099")])
def test_nobody_moves_the_address_of_somebody_s_login(session, actor_of, person_of, acme, now, field, value):
    form = ContactForm(**{"name": "Bob Keller", "email": "bob@acme.example"} | {field: value})
    with pytest.raises(Invalid) as refused:
        update_person(session, acme, person_of("bob"), form, region="FR", actor=actor_of("alice"), now=now)
    assert (refused.value.errors[0].field, refused.value.errors[0].code) == (field, "login_owns_address")
    form = ContactForm("Robert Keller", "bob@acme.example", None, "IT")
    found = update_person(session, acme, person_of("bob"), form, region="FR", actor=actor_of("alice"), now=now)
    assert (found.name, found.title) == ("Robert Keller", "IT")


def test_deactivating_ends_everything_at_once_and_giving_back_brings_no_session(
    session, actor_of, person_of, acme, delivery, world, now
):
    bob, alice = actor_of("bob"), actor_of("alice")
    user = session.get(User, bob.user_id)
    start_session(session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now)
    link = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=bob.user_id, vault=delivery.vault, now=now)
    invited = invite_customer(
        session,
        world.companies["globex"],
        NewInvitation("Bob", "bob@acme.example"),
        actor=actor_of("charlie"),
        delivery=delivery,
        now=now,
    )
    found = deactivate_person(session, acme, person_of("bob"), actor=alice, now=now)
    assert (found.portal_access, found.is_active) == (False, False)
    session.expire_all()
    assert not session.get(User, bob.user_id).may_sign_in()
    assert session.scalars(select(AuthSession.revoked_at).where(AuthSession.user_id == bob.user_id)).all() == [now]
    assert session.get(OneTimeLink, link.id).revoked_at == now
    assert session.get(Invitation, invited.id).revoked_at == now
    assert reactivate_person(session, acme, person_of("bob"), actor=alice, now=now).is_active
    session.expire_all()
    assert session.scalars(select(AuthSession.revoked_at).where(AuthSession.user_id == bob.user_id)).all() == [now]
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.record_id == bob.user_id).order_by(AuditEntry.seq)
    ).all()
    assert actions[-2:] == ["user.deactivated", "user.reactivated"]


def test_a_suspension_by_staff_is_not_the_company_s_to_lift(session, actor_of, person_of, acme, now):
    bob = actor_of("bob")
    session.execute(update(User).where(User.id == bob.user_id).values(status=UserStatus.SUSPENDED))
    found = reactivate_person(session, acme, person_of("bob"), actor=actor_of("alice"), now=now)
    assert (found.status, found.is_active) == (UserStatus.SUSPENDED, False)


def test_an_administrator_is_left(session, actor_of, person_of, acme, world, now):
    alice = actor_of("alice")
    with pytest.raises(Conflict, match="last_administrator"):
        change_role(session, acme, person_of("alice"), Role.CUSTOMER, actor=alice, now=now)
    with pytest.raises(Forbidden, match="not_yourself"):
        deactivate_person(session, acme, person_of("alice"), actor=alice, now=now)
    change_role(session, acme, person_of("bob"), Role.CUSTOMER_ADMIN, actor=alice, now=now)
    assert change_role(session, acme, person_of("alice"), Role.CUSTOMER, actor=alice, now=now).role is Role.CUSTOMER


def test_an_administrator_who_cannot_come_in_does_not_count(session, actor_of, person_of, acme, world, now):
    as_admin(session, world, "bob")
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(portal_access=False))
    with pytest.raises(Conflict, match="last_administrator"):
        change_role(session, acme, person_of("alice"), Role.CUSTOMER, actor=actor_of("alice"), now=now)


def test_what_a_former_administrator_invited_is_withdrawn(session, actor_of, person_of, acme, delivery, world, now):
    alice = actor_of("alice")
    change_role(session, acme, person_of("bob"), Role.CUSTOMER_ADMIN, actor=alice, now=now)
    form = NewInvitation("Private", "private@elsewhere.example", Role.CUSTOMER_ADMIN)
    invited = invite_customer(session, acme, form, actor=alice, delivery=delivery, now=now)
    change_role(session, acme, person_of("alice"), Role.CUSTOMER, actor=alice, now=now)
    session.refresh(invited)
    assert invited.revoked_at == now


@pytest.mark.parametrize("role", [Role.AGENT, Role.TENANT_ADMIN, Role.CUSTOM])
def test_staff_roles_are_not_a_company_s_to_give(session, actor_of, person_of, acme, now, role):
    with pytest.raises(Invalid):
        change_role(session, acme, person_of("bob"), role, actor=actor_of("alice"), now=now)


def test_a_login_of_two_companies_is_only_taken_out_of_one(session, actor_of, person_of, acme, world, now):
    join_other(session, world, "bob")
    alice, bob = actor_of("alice"), actor_of("bob")
    with pytest.raises(Invalid):
        form = ContactForm("Other Name", "bob@acme.example")
        update_person(session, acme, person_of("bob"), form, region=None, actor=alice, now=now)
    with pytest.raises(Forbidden):
        reactivate_person(session, acme, person_of("bob"), actor=alice, now=now)
    assert deactivate_person(session, acme, person_of("bob"), actor=alice, now=now) is None
    session.expire_all()
    assert session.get(User, bob.user_id).may_sign_in()
    companies = session.scalars(select(Membership.company_id).where(Membership.user_id == bob.user_id)).all()
    assert companies == [world.companies["globex"]]
    assert "Bob Keller" not in [row.name for row in list_company_people(session, acme, actor=alice)]


def test_members_are_deactivated_not_struck_off(session, actor_of, person_of, acme, now):
    with pytest.raises(Conflict, match="contact_has_login"):
        remove_contact(session, acme, person_of("bob"), actor=actor_of("alice"), now=now)


def test_whoever_waits_for_an_invitation_can_be_struck_off(session, actor_of, acme, delivery, now):
    alice = actor_of("alice")
    form = NewInvitation("Typo", "typo@acme.example")
    invited = invite_customer(session, acme, form, actor=alice, delivery=delivery, now=now)
    typo = session.scalar(select(Person.id).where(Person.email == "typo@acme.example"))
    remove_contact(session, acme, typo, actor=alice, now=now)
    session.refresh(invited)
    assert invited.revoked_at == now
    assert "Typo" not in [row.name for row in list_company_people(session, acme, actor=alice)]


def test_two_administrators_cannot_shut_each_other_out(sessions, world, now):
    """Both at once, on connections of their own: one of them has to stay."""
    acme = world.companies["acme"]
    alice, bob = world.people["alice"].user_id, world.people["bob"].user_id
    with sessions.begin(world.demo) as session:
        as_admin(session, world, "bob")
        ids = dict(session.execute(select(User.id, User.person_id).where(User.id.in_([alice, bob]))).all())
    from portal.services.accounts.identity import build_identity, select_identity

    def actor(user_id):
        with sessions.begin(world.demo) as session:
            return build_identity(session.execute(select_identity().where(User.id == user_id)).one()).actor

    actors, outcomes, ready = {alice: actor(alice), bob: actor(bob)}, [], threading.Barrier(2)

    def shut(me, other):
        ready.wait(5)
        try:
            with sessions.begin(world.demo) as session:
                deactivate_person(session, acme, ids[other], actor=actors[me], now=now)
                outcomes.append("done")
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=shut, args=pair) for pair in ((alice, bob), (bob, alice))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == ["done", "last_administrator"]
    finally:
        with sessions.begin(world.demo) as session:
            session.execute(update(User).where(User.id.in_([alice, bob])).values(portal_access=True))
            session.execute(update(Membership).where(Membership.user_id == bob).values(role=Role.CUSTOMER))
