from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.lib.vault import Vault
from portal.models import (
    AuditEntry,
    Invitation,
    LinkPurpose,
    MailMessage,
    Membership,
    OneTimeLink,
    OutboxEvent,
    Person,
    Role,
    StaffRole,
    User,
    UserKind,
    UserStatus,
)
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.invitation_queries import list_company_invitations, list_team_invitations
from portal.services.accounts.invitations import (
    NewInvitation,
    end_invitations,
    invite_customer,
    invite_to_team,
    renew_invitation,
    revoke_invitation,
)
from portal.services.accounts.joining import NewAccess, accept_offer, join, load_offer
from portal.services.accounts.messages import SECRET_MARK
from portal.services.accounts.sessions import Origin
from tests.conftest import CHEAP
from tests.services.accounts.invited import token_of

ORIGIN = Origin("127.0.0.1", "Test/1.0", "request-1")
PASSWORD = "a long enough sentence"
PAUSE = timedelta(minutes=2)


@pytest.fixture
def invite(session, delivery, actor_of, world, now):
    def make(email="new@acme.example", *, who="alice", company="acme", at=None, **fields):
        form = NewInvitation(name=fields.pop("name", "New Person"), email=email, **fields)
        company_id = world.companies[company] if isinstance(company, str) else company
        return invite_customer(session, company_id, form, actor=actor_of(who), delivery=delivery, now=at or now)

    return make


def take(session, token, now, *, name="New Person", password=PASSWORD, kind=UserKind.CUSTOMER):
    form = NewAccess(name, password)
    return join(session, token, form, kind, tenant_name="Kestrel IT", passwords=CHEAP, origin=ORIGIN, now=now)


def test_an_invitation_becomes_a_member_with_a_proved_address(session, invite, delivery, world, now):
    invitation = invite(role=Role.CUSTOMER_ADMIN)
    token = token_of(session, delivery, invitation.id)
    assert session.scalars(select(Membership).where(Membership.user_id == invitation.user_id)).all() == []
    offer = load_offer(session, token, UserKind.CUSTOMER, now=now)
    assert (offer.company_name, offer.inviter, offer.new_login) == ("Acme", "Alice Moreau", True)
    user = take(session, token, now, name="Nina Newcomer")
    assert (user.status, user.may_sign_in()) == (UserStatus.ACTIVE, True)
    assert CHEAP.matches(PASSWORD, user.password_hash)
    person = session.scalars(select(Person).where(Person.id == user.person_id)).one()
    assert (person.name, person.email, person.email_verified_at) == ("Nina Newcomer", "new@acme.example", now)
    membership = session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    assert (membership.company_id, membership.role) == (world.companies["acme"], Role.CUSTOMER_ADMIN)


def test_the_mail_has_link_and_code_and_the_database_has_neither(session, invite, delivery, now):
    invitation = invite(locale="de")
    mail = session.scalars(select(MailMessage).where(MailMessage.user_id == invitation.user_id)).one()
    token = token_of(session, delivery, invitation.id)
    assert mail.locale == "de"
    assert mail.recipient == "new@acme.example"
    assert f"/portal/join/{SECRET_MARK}" in mail.text
    assert mail.text.count(SECRET_MARK) == 2
    assert token not in mail.text + mail.html
    assert "Alice Moreau" in mail.text


def test_it_is_audited_and_told(session, invite):
    invitation = invite()
    event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "customer.invited")).one()
    assert event.record_id == invitation.id
    assert "new@" not in str(event.payload)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.invited")).one()
    assert (entry.actor_name, entry.after["role"]) == ("Alice Moreau", "customer")


def test_a_link_works_once(session, invite, delivery, now):
    token = token_of(session, delivery, invite().id)
    take(session, token, now)
    with pytest.raises(Conflict, match="link_expired"):
        take(session, token, now)
    with pytest.raises(Conflict, match="link_expired"):
        load_offer(session, token, UserKind.CUSTOMER, now=now)


def test_a_refused_password_does_not_use_the_link_up(session, invite, delivery, now):
    token = token_of(session, delivery, invite().id)
    with pytest.raises(Invalid):
        take(session, token, now, password="short")
    with pytest.raises(Invalid):
        take(session, token, now, name=" ")
    assert take(session, token, now)


def test_it_lapses_after_seven_days_and_can_be_sent_again(session, invite, delivery, actor_of, now):
    invitation = invite()
    token = token_of(session, delivery, invitation.id)
    late = now + timedelta(days=7)
    with pytest.raises(Conflict, match="link_expired"):
        take(session, token, late)
    renew_invitation(session, invitation.id, actor=actor_of("alice"), delivery=delivery, now=late)
    again = token_of(session, delivery, invitation.id)
    assert again != token
    assert take(session, again, late).status is UserStatus.ACTIVE


def test_renewing_ends_the_link_before(session, invite, delivery, actor_of, now):
    invitation = invite()
    old = token_of(session, delivery, invitation.id)
    renew_invitation(session, invitation.id, actor=actor_of("alice"), delivery=delivery, now=now + PAUSE)
    with pytest.raises(Conflict, match="link_expired"):
        take(session, old, now + PAUSE)


def test_renewing_has_limits(session, invite, delivery, actor_of, now):
    invitation = invite()
    renew = lambda at: renew_invitation(session, invitation.id, actor=actor_of("alice"), delivery=delivery, now=at)  # noqa: E731
    with pytest.raises(Conflict, match="invited_too_often"):
        renew(now + timedelta(seconds=30))
    for turn in range(1, 5):
        renew(now + turn * PAUSE)
    with pytest.raises(Conflict, match="invited_too_often"):
        renew(now + 5 * PAUSE)
    assert renew(now + timedelta(hours=25))


def test_a_withdrawn_one_is_dead_and_stays_so(session, invite, delivery, actor_of, now):
    invitation = invite()
    token = token_of(session, delivery, invitation.id)
    revoke_invitation(session, invitation.id, actor=actor_of("alice"), now=now)
    with pytest.raises(Conflict, match="link_expired"):
        take(session, token, now)
    for act in (
        lambda: revoke_invitation(session, invitation.id, actor=actor_of("alice"), now=now),
        lambda: renew_invitation(session, invitation.id, actor=actor_of("alice"), delivery=delivery, now=now + PAUSE),
    ):
        with pytest.raises(Conflict, match="invitation_over"):
            act()
    assert invite().id != invitation.id


def test_one_that_is_open_is_in_the_way_one_that_lapsed_is_not(session, invite, now):
    first = invite()
    with pytest.raises(Conflict, match="already_invited"):
        invite()
    second = invite(at=now + timedelta(days=8))
    session.refresh(first)
    assert second.user_id == first.user_id
    assert first.revoked_at is not None


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"email": "no address"}, "email", "email_invalid"),
        ({"email": "a@b"}, "email", "email_invalid"),
        ({"email": "a@b.example\r\nBcc: x@y.example"}, "email", "email_invalid"),
        ({"email": "a@b.example\x00"}, "email", "characters_forbidden"),
        ({"email": f"{'a' * 300}@b.example"}, "email", "too_long"),
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 101}, "name", "too_long"),
        ({"role": Role.AGENT}, "role", "unknown_role"),
        ({"role": Role.CUSTOM, "staff_role_id": uuid4()}, "role", "unknown_role"),
        ({"locale": "xx"}, "locale", "unknown_language"),
        ({"email": "sam@demo.example"}, "email", "invitation_refused"),
    ],
)
def test_what_cannot_be_sent(session, invite, fields, field, code):
    with pytest.raises(Invalid) as refused:
        invite(**fields)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]
    assert session.scalars(select(Invitation)).all() == []


@pytest.mark.parametrize(
    ("who", "company", "error"),
    [
        ("bob", "acme", Forbidden),
        ("alice", "globex", NotFound),
        ("charlie", "acme", NotFound),
        ("nia", "ofuq", NotFound),
        ("mia", "ofuq", NotFound),
        ("sam", "acme", Forbidden),
        ("bill", "acme", Forbidden),
    ],
)
def test_who_may_not_invite_where(session, invite, who, company, error):
    with pytest.raises(error):
        invite(who=who, company=company)
    assert session.scalars(select(Invitation)).all() == []


def test_staff_invite_into_any_company_and_tell_members_apart(session, invite):
    assert invite("one@globex.example", who="mia", company="globex").company_id
    with pytest.raises(Conflict, match="already_member"):
        invite("charlie@globex.example", who="mia", company="globex")


@pytest.mark.parametrize("act", ["renew", "revoke"])
@pytest.mark.parametrize(("who", "error"), [("bob", Forbidden), ("charlie", NotFound), ("sam", Forbidden)])
def test_who_may_not_touch_an_invitation(session, invite, delivery, actor_of, now, act, who, error):
    invitation = invite()
    with pytest.raises(error):
        if act == "renew":
            renew_invitation(session, invitation.id, actor=actor_of(who), delivery=delivery, now=now + PAUSE)
        else:
            revoke_invitation(session, invitation.id, actor=actor_of(who), now=now)
    session.refresh(invitation)
    assert invitation.revoked_at is None


def test_a_login_of_another_company_joins_only_while_signed_in(session, invite, delivery, actor_of, world, now):
    invitation = invite("charlie@globex.example", name="Somebody")
    token = token_of(session, delivery, invitation.id)
    assert not load_offer(session, token, UserKind.CUSTOMER, now=now).new_login
    before = session.scalar(select(User.password_hash).where(User.id == actor_of("charlie").user_id))
    with pytest.raises(Conflict, match="sign_in_to_accept"):
        take(session, token, now, name="Taken Over")
    with pytest.raises(Forbidden, match="other_login"):
        accept_offer(session, token, UserKind.CUSTOMER, actor=actor_of("bob"), now=now)
    accept_offer(session, token, UserKind.CUSTOMER, actor=actor_of("charlie"), now=now)
    rows = session.scalars(select(Membership).where(Membership.user_id == actor_of("charlie").user_id)).all()
    assert {row.company_id: row.role for row in rows} == {
        world.companies["acme"]: Role.CUSTOMER,
        world.companies["globex"]: Role.CUSTOMER_ADMIN,
    }
    session.expire_all()
    assert session.scalar(select(User.password_hash).where(User.id == actor_of("charlie").user_id)) == before
    name = session.scalar(select(Person.name).where(Person.email == "charlie@globex.example"))
    assert name == "Charlie Laurent"


def test_what_an_inviter_reads_is_what_the_inviter_wrote(session, invite, actor_of, world, now):
    invite("charlie@globex.example", name="Whoever")
    page = list_company_invitations(session, [world.companies["acme"]], actor=actor_of("alice"), now=now)
    assert [row.name for row in page.items] == ["Whoever"]


def test_two_invitations_to_one_address_do_not_disturb_each_other(session, invite, delivery, world, now):
    first, second = invite(), invite(who="charlie", company="globex")
    assert first.user_id == second.user_id
    take(session, token_of(session, delivery, first.id), now)
    companies = set(session.scalars(select(Membership.company_id).where(Membership.user_id == first.user_id)))
    assert companies == {world.companies["acme"]}
    offer = load_offer(session, token_of(session, delivery, second.id), UserKind.CUSTOMER, now=now)
    assert not offer.new_login


def test_what_somebody_sent_ends_with_their_access(session, invite, delivery, actor_of, now):
    token = token_of(session, delivery, invite("private@elsewhere.example").id)
    assert end_invitations(session, actor_of("alice").user_id, now=now) == 1
    with pytest.raises(Conflict, match="link_expired"):
        take(session, token, now)


def test_the_list_says_where_each_stands(session, invite, delivery, actor_of, world, now):
    accepted, revoked = invite("a@acme.example"), invite("b@acme.example")
    invite("c@acme.example", at=now - timedelta(days=8))
    invite("d@acme.example")
    take(session, token_of(session, delivery, accepted.id), now)
    revoke_invitation(session, revoked.id, actor=actor_of("alice"), now=now)
    page = list_company_invitations(session, [world.companies["acme"]], actor=actor_of("alice"), now=now)
    states = {row.email[0]: row.state.value for row in page.items}
    assert states == {"a": "accepted", "b": "revoked", "c": "expired", "d": "sent"}
    for who, error in (("bob", Forbidden), ("charlie", NotFound)):
        with pytest.raises(error):
            list_company_invitations(session, [world.companies["acme"]], actor=actor_of(who), now=now)


def team(session, delivery, actor, now, email="tess@demo.example", role=Role.AGENT, **fields):
    form = NewInvitation(name="Tess Team", email=email, role=role, **fields)
    return invite_to_team(session, form, actor=actor, delivery=delivery, now=now)


def test_an_invitation_to_the_team(session, delivery, actor_of, now):
    invitation = team(session, delivery, actor_of("ada"), now, role=Role.MANAGER)
    token = token_of(session, delivery, invitation.id)
    with pytest.raises(Conflict, match="link_expired"):
        load_offer(session, token, UserKind.CUSTOMER, now=now)
    user = take(session, token, now, kind=UserKind.STAFF)
    assert user.kind is UserKind.STAFF
    membership = session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    assert (membership.company_id, membership.role) == (None, Role.MANAGER)
    mail = session.scalars(select(MailMessage).where(MailMessage.user_id == user.id)).one()
    assert "/admin/join/" in mail.text


def test_a_role_of_the_tenant_s_own_comes_along(session, delivery, actor_of, world, now):
    own = StaffRole(id=uuid4(), tenant_id=world.demo, name="Front desk", permissions=["desk:read", "unknown:thing"])
    session.add(own)
    session.flush()
    invitation = team(session, delivery, actor_of("ada"), now, role=Role.CUSTOM, staff_role_id=own.id)
    user = take(session, token_of(session, delivery, invitation.id), now, kind=UserKind.STAFF)
    assert session.scalar(select(Membership.staff_role_id).where(Membership.user_id == user.id)) == own.id
    row = list_team_invitations(session, actor=actor_of("ada"), now=now).items[0]
    assert row.role_name == "Front desk"


@pytest.mark.parametrize("who", ["mia", "sam", "alice"])
def test_who_may_not_invite_to_the_team(session, delivery, actor_of, now, who):
    with pytest.raises(Forbidden):
        team(session, delivery, actor_of(who), now)


def test_nobody_invites_to_more_than_they_have(session, delivery, actor_of, now):
    from portal.authz import Permission

    limited = replace(actor_of("sam"), granted=frozenset({Permission.STAFF_MANAGE}))
    assert team(session, delivery, limited, now)
    for role in (Role.MANAGER, Role.TENANT_ADMIN):
        with pytest.raises(Forbidden, match="more_than_own"):
            team(session, delivery, limited, now, email=f"{role.value}@demo.example", role=role)


@pytest.mark.parametrize("email", ["bob@acme.example", "sam@demo.example"])
def test_whoever_is_known_is_not_invited_to_the_team(session, delivery, actor_of, now, email):
    with pytest.raises(Invalid) as refused:
        team(session, delivery, actor_of("ada"), now, email=email)
    assert refused.value.errors[0].code == "address_taken"


def test_another_tenant_s_link_is_nothing_here(sessions, session, world, delivery, now):
    nova = replace(delivery, tenant=replace(delivery.tenant, id=world.nova))
    with sessions.begin(world.nova) as elsewhere:
        form = NewInvitation("X", f"{uuid4().hex}@nova.example")
        actor = world.people["nia"].actor
        invitation = invite_customer(elsewhere, world.companies["ofuq"], form, actor=actor, delivery=nova, now=now)
        token = token_of(elsewhere, nova, invitation.id)
    with pytest.raises(Conflict, match="link_expired"):
        load_offer(session, token, UserKind.CUSTOMER, now=now)


def test_a_token_of_another_purpose_is_refused(session, delivery, actor_of, now):
    from portal.services.accounts.one_time import issue_link

    user_id = actor_of("bob").user_id
    link = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=user_id, vault=delivery.vault, now=now)
    with pytest.raises(Conflict, match="link_expired"):
        load_offer(session, delivery.vault.link_token(link.id), UserKind.CUSTOMER, now=now)
    assert isinstance(delivery, Delivery)
    assert isinstance(delivery.vault, Vault)
    assert session.scalars(select(OneTimeLink)).one().used_at is None


def test_a_link_that_is_forgotten_leaves_its_mail(session, invite, now):
    old = invite("old@acme.example", at=now - timedelta(days=9))
    link = session.scalars(select(OneTimeLink.id).where(OneTimeLink.user_id == old.user_id)).one()
    invite("new@acme.example")
    session.expire_all()
    assert session.get(OneTimeLink, link) is None
    mail = session.scalars(select(MailMessage).where(MailMessage.user_id == old.user_id)).one()
    assert mail.link_id is None
