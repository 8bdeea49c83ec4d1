"""Own roles: made of what the editor may do, acting at once, gone only when nobody has them."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.authz import GRANTABLE, ROLE_PERMISSIONS, Actor, ActorKind, Permission
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Membership, Person, Role, StaffRole, User, UserKind, UserStatus
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.roles import CHOICES, RoleForm, delete_role, get_role, list_roles, save_role

READER = RoleForm("Reader", "Looks only", ("desk:read", "customers:read"))


@pytest.fixture
def ada(actor_of):
    return actor_of("ada")


@pytest.fixture
def make(session, ada, now):
    def save(form=READER, role_id=None, actor=ada):
        return save_role(session, role_id, form=form, actor=actor, now=now)

    return save


def codes(error):
    return {(item.field, item.code) for item in error.value.errors}


def give(session, role, now):
    """Somebody of the team who has this role and no other."""
    person = Person(id=uuid4(), tenant_id=role.tenant_id, name="Ravi", email=f"{uuid4().hex}@demo.example")
    session.add(person)
    session.flush()
    user = User(
        id=uuid4(), tenant_id=role.tenant_id, person_id=person.id, kind=UserKind.STAFF, status=UserStatus.ACTIVE,
        mail_preferences={},
    )  # fmt: skip
    session.add(user)
    session.flush()
    session.add(Membership(tenant_id=role.tenant_id, user_id=user.id, role=Role.CUSTOM, staff_role_id=role.id))
    session.flush()
    return user


def identity_of(session, user):
    return build_identity(session.execute(select_identity().where(User.id == user.id)).one())


def test_a_role_is_made_changed_and_audited(session, make, ada):
    role = make()
    assert role.permissions == ["customers:read", "desk:read"]
    make(RoleForm("Reader", "", ("desk:read",)), role.id)
    entries = session.scalars(select(AuditEntry).where(AuditEntry.record_id == role.id).order_by(AuditEntry.seq)).all()
    assert [entry.action for entry in entries] == ["role.created", "role.changed"]
    assert entries[0].before == {}
    assert entries[1].before["permissions"] == ["customers:read", "desk:read"]
    assert entries[1].after == {"name": "Reader", "description": "", "permissions": ["desk:read"]}


def test_nothing_changed_is_no_entry(session, make):
    role = make()
    make(READER, role.id)
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.record_id == role.id)).all()) == 1


def test_it_acts_at_the_next_request(session, make, now):
    role = make()
    user = give(session, role, now)
    assert identity_of(session, user).actor.may(Permission.DESK_READ)
    assert not identity_of(session, user).actor.may(Permission.DESK_REPLY)
    make(RoleForm("Reader", "", ("desk:reply",)), role.id)
    session.expire_all()
    actor = identity_of(session, user).actor
    assert (actor.may(Permission.DESK_READ), actor.may(Permission.DESK_REPLY)) == (False, True)
    assert actor.permissions == ROLE_PERMISSIONS[Role.CUSTOM] | {Permission.DESK_REPLY}


def test_every_role_has_what_everybody_needs(session, make):
    role = make(RoleForm("Bare", "", ("notifications:read",)))
    assert role.permissions == [], "it is given anyhow, and not stored"


def test_no_statement_more_than_without_own_roles(session, make, now, statements):
    user = give(session, make(), now)
    statements.clear()
    identity_of(session, user)
    assert len(statements) == 1


@pytest.mark.parametrize("permission", sorted({*Permission} - GRANTABLE))
def test_what_only_customers_do_cannot_be_given(make, permission):
    with pytest.raises(Invalid) as error:
        make(RoleForm("x", "", (permission.value,)))
    assert codes(error) == {("permissions", "unknown_choice")}


def test_whatever_staff_do_can_be_given_by_who_has_it_all(make, ada):
    assert ada.permissions >= CHOICES
    assert make(RoleForm("All", "", CHOICES)).permissions == sorted(CHOICES)


class TestNobodyGivesMoreThanTheyHave:
    @pytest.fixture
    def limited(self, ada):
        """Somebody who may edit roles and read tickets, no more."""
        return Actor(
            ActorKind.STAFF, ada.tenant_id, "Lim", ada.user_id, roles=frozenset({Role.CUSTOM}),
            granted=frozenset({Permission.ROLES_CONFIGURE, Permission.DESK_READ}),
        )  # fmt: skip

    def test_what_they_have(self, make, limited):
        assert make(RoleForm("a", "", ("desk:read", "roles:configure")), actor=limited)

    def test_what_they_have_not(self, make, limited):
        with pytest.raises(Invalid) as error:
            make(RoleForm("a", "", ("desk:read", "staff:manage")), actor=limited)
        assert codes(error) == {("permissions", "more_than_own")}

    def test_adding_to_a_role_of_others(self, make, limited):
        role = make(RoleForm("a", "", ("audit:read",)))
        with pytest.raises(Invalid):
            make(RoleForm("a", "", ("audit:read", "audit:export")), role.id, actor=limited)

    def test_what_others_have_put_in_may_stay_or_go(self, make, limited):
        role = make(RoleForm("a", "", ("audit:read",)))
        assert make(RoleForm("b", "", ("audit:read", "desk:read")), role.id, actor=limited).name == "b"
        assert make(RoleForm("b", "", ()), role.id, actor=limited).permissions == []
        with pytest.raises(Invalid):
            make(RoleForm("b", "", ("audit:read",)), role.id, actor=limited)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (RoleForm(""), ("name", "required")),
        (RoleForm(" \n "), ("name", "required")),
        (RoleForm("x" * 61), ("name", "too_long")),
        (RoleForm("a\x00"), ("name", "characters_forbidden")),
        (RoleForm("reader"), ("name", "name_taken")),
        (RoleForm("Agent"), ("name", "name_taken")),
        (RoleForm("tenant_admin"), ("name", "name_taken")),
        (RoleForm("a", "x" * 256), ("description", "too_long")),
        (RoleForm("a", "", ("desk:fly",)), ("permissions", "unknown_choice")),
        (RoleForm("a", "", ("",)), ("permissions", "unknown_choice")),
    ],
)
def test_what_cannot_be_saved(make, form, expected):
    make()
    with pytest.raises(Invalid) as error:
        make(form)
    assert codes(error) == {expected}


def test_its_own_name_is_not_taken(make):
    role = make()
    assert make(RoleForm("READER", "", ()), role.id).name == "READER"


def test_a_permission_that_went_away_grants_nothing(session, make, now):
    role = make()
    role.permissions = ["desk:read", "desk:fly", "tickets:create"]
    session.flush()
    assert identity_of(session, give(session, role, now)).actor.granted == {Permission.DESK_READ}


def test_delete_what_nobody_has(session, make, ada, now):
    role = make()
    delete_role(session, role.id, actor=ada, now=now)
    assert session.scalar(select(StaffRole).where(StaffRole.id == role.id)) is None
    with pytest.raises(NotFound):
        get_role(session, role.id, actor=ada)


def test_what_somebody_has_stays(session, make, ada, now):
    role = make()
    give(session, role, now)
    assert get_role(session, role.id, actor=ada).people == 1
    with pytest.raises(Conflict, match="role_in_use"):
        delete_role(session, role.id, actor=ada, now=now)


@pytest.mark.parametrize("name", ["sam", "mia", "bill", "dora", "alice"])
def test_who_may_not(session, make, actor_of, now, name):
    role = make()
    for call in (
        lambda: save_role(session, None, form=READER, actor=actor_of(name), now=now),
        lambda: save_role(session, role.id, form=READER, actor=actor_of(name), now=now),
        lambda: delete_role(session, role.id, actor=actor_of(name), now=now),
        lambda: list_roles(session, actor=actor_of(name)),
    ):
        with pytest.raises(Forbidden):
            call()


def test_another_tenant(sessions, world, now):
    noor, ada = world.people["noor"].actor, world.people["ada"].actor
    with sessions.begin(world.nova) as session:
        foreign = save_role(session, None, form=READER, actor=noor, now=now).id
    with sessions.begin(world.demo) as session:
        assert foreign not in {use.role.id for use in list_roles(session, actor=ada)}
        for call in (
            lambda: save_role(session, foreign, form=READER, actor=ada, now=now),
            lambda: delete_role(session, foreign, actor=ada, now=now),
        ):
            with pytest.raises(NotFound):
                call()
    with sessions.begin(world.nova) as session:
        delete_role(session, foreign, actor=noor, now=now)


def test_given_and_deleted_at_the_same_moment(sessions, world, now):
    """Either somebody has a role that exists, or the role is gone and nobody has it."""
    ada, sam = world.people["ada"].actor, world.people["sam"].user_id
    for _ in range(5):
        with sessions.begin(world.demo) as session:
            role_id = save_role(session, None, form=READER, actor=ada, now=now).id
        together, outcomes = threading.Barrier(2), []

        def delete(role_id=role_id, together=together, outcomes=outcomes):
            together.wait(5)
            try:
                with sessions.begin(world.demo) as session:
                    delete_role(session, role_id, actor=ada, now=now)
                outcomes.append("deleted")
            except Conflict:
                outcomes.append("kept")

        def assign(role_id=role_id, together=together, outcomes=outcomes):
            together.wait(5)
            try:
                with sessions.begin(world.demo) as session:
                    session.add(Membership(tenant_id=world.demo, user_id=sam, role=Role.CUSTOM, staff_role_id=role_id))
                outcomes.append("given")
            except Exception:
                outcomes.append("refused")

        threads = [threading.Thread(target=target) for target in (delete, assign)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) in (["deleted", "refused"], ["given", "kept"])
        with sessions.begin(world.demo) as session:
            for row in session.scalars(select(Membership).where(Membership.staff_role_id == role_id)):
                session.delete(row)
            session.flush()
            role = session.get(StaffRole, role_id)
            if role:
                session.delete(role)
