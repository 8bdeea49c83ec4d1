"""Open registration: no account before the address is proven, and nothing told to strangers (AUTH-13)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.authz import Permission, visitor
from portal.errors import Conflict, Invalid
from portal.models import (
    AuditEntry,
    Company,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Person,
    Role,
    UserStatus,
)
from portal.services.accounts.access_requests import write_request
from portal.services.accounts.recovery import find_reset
from portal.services.accounts.registration import (
    NewAccount,
    Registration,
    complete_registration,
    find_registration,
    request_registration,
)
from portal.services.accounts.sessions import Origin, load_identity
from portal.services.tenants.sign_in_policy import SignInPolicy
from tests.conftest import CHEAP

ORIGIN = Origin("192.0.2.9", "Test/1.0", "request-9")
WANTED = Registration("Rosa Lind", "Rosa@Newco.example", "Newco", "fr")
ACCOUNT = NewAccount("Rosa Lind", "Newco", "Buyer", "a lamp of blue glass", "fr")


@pytest.fixture
def open_tenant(tenant):
    return replace(tenant, sign_in=SignInPolicy(registration_open=True))


@pytest.fixture
def ask(session, world, vault, now, open_tenant):
    def write(at=None, **fields):
        request_registration(
            session,
            replace(WANTED, **fields),
            tenant=open_tenant,
            vault=vault,
            actor=visitor(world.demo),
            now=at or now,
        )
        session.flush()

    return write


@pytest.fixture
def complete(session, vault, open_tenant, now):
    def write(token, at=None, tenant=None, **fields):
        user = complete_registration(
            session,
            token,
            replace(ACCOUNT, **fields),
            tenant=tenant or open_tenant,
            vault=vault,
            passwords=CHEAP,
            origin=ORIGIN,
            now=at or now,
        )
        session.flush()
        return user

    return write


@pytest.fixture
def link(ask, answered, token_of):
    ask()
    return token_of(answered()[-1])


def people(session):
    return session.scalar(select(func.count()).select_from(Person))


def test_nothing_exists_before_the_address_is_proven(session, ask, answered):
    before = people(session), session.scalar(select(func.count()).select_from(Company))
    ask()
    (mail,) = answered()
    assert (mail.template, mail.recipient, mail.locale) == ("verify_email", "rosa@newco.example", "fr")
    assert (people(session), session.scalar(select(func.count()).select_from(Company))) == before


def test_the_link_makes_person_company_and_login(session, link, complete, now):
    user = complete(link)
    identity = load_identity(session, user, ORIGIN)
    assert (identity.person_name, identity.email, identity.company_name) == ("Rosa Lind", "rosa@newco.example", "Newco")
    assert identity.actor.roles == {Role.CUSTOMER_ADMIN}
    assert identity.actor.may(Permission.COMPANY_MANAGE)
    assert (user.status, user.locale, user.may_sign_in()) == (UserStatus.ACTIVE, "fr", True)
    person = session.get(Person, user.person_id)
    assert (person.email_verified_at, person.title) == (now, "Buyer")
    assert CHEAP.matches(ACCOUNT.password, user.password_hash)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.registered")).one()
    assert (entry.actor_id, entry.record_id, entry.ip) == (user.id, user.id, "192.0.2.9")


def test_the_stranger_who_typed_an_address_leaves_nothing_in_the_mail(ask, answered):
    ask(name="Click evil.example now", company="Buy evil.example")
    (mail,) = answered()
    assert "evil" not in mail.subject + mail.text + mail.html


def test_what_was_typed_is_a_suggestion_for_the_owner_of_the_address(session, link, complete, open_tenant, vault, now):
    asked = find_registration(session, link, tenant=open_tenant, vault=vault, now=now)
    assert (asked.name, asked.email, asked.company, asked.locale) == ("Rosa Lind", "rosa@newco.example", "Newco", "fr")
    user = complete(link, name="Rosa M. Lind", company="Newco Ltd")
    assert load_identity(session, user, ORIGIN).company_name == "Newco Ltd"


def test_it_is_stored_encrypted_and_forgotten_afterwards(session, ask, answered, token_of, complete, now):
    ask()
    (row,) = session.scalars(select(OneTimeLink)).all()
    assert "osa" not in str(row.payload)
    complete(token_of(answered()[0]))
    assert session.get(OneTimeLink, row.id).payload == {}


def test_what_nobody_proved_in_time_is_forgotten(session, ask, answered, now):
    ask()
    answered()
    (first,) = session.scalars(select(OneTimeLink)).all()
    later = now + timedelta(hours=25)
    ask(at=later, email="other@newco.example")
    answered(later)
    session.refresh(first)
    assert first.payload == {}


@pytest.mark.parametrize(
    ("who", "template"), [("bob@acme.example", "already_registered"), ("Contact@Acme.example", "already_known")]
)
def test_a_known_address_gets_a_mail_that_says_so(session, world, ask, answered, who, template):
    session.add(Person(name="A contact", email="contact@acme.example", company_id=world.companies["acme"]))
    before = people(session)
    ask(email=who)
    (mail,) = answered()
    assert (mail.template, mail.recipient, mail.link_id) == (template, who.lower(), None)
    assert session.scalars(select(OneTimeLink)).all() == []
    assert people(session) == before + 1 - 1


def test_asking_costs_the_same_for_everybody_and_looks_nobody_up(ask, statements):
    def cost(who):
        statements.clear()
        ask(email=who)
        return [" ".join(one.split()) for one in statements if "set_config" not in one]

    ask(email="first@newco.example")
    known, unknown = cost("bob@acme.example"), cost("nobody@acme.example")
    assert known == unknown
    assert not any("people" in one or "users" in one for one in known)


def test_answering_again_writes_nothing_more(ask, answered):
    ask()
    ask(email="bob@acme.example")
    assert len(answered()) == len(answered()) == 2


def test_the_link_works_once_and_for_a_day(session, link, complete, open_tenant, vault, now):
    with pytest.raises(Conflict, match="link_expired"):
        complete(link, at=now + timedelta(hours=24))
    complete(link, at=now + timedelta(hours=23))
    with pytest.raises(Conflict, match="link_expired"):
        complete(link, at=now + timedelta(hours=23))


@pytest.mark.parametrize("made", ["", "x", "A" * 43, "\ud800"])
def test_a_made_up_link_is_an_old_one(complete, made):
    with pytest.raises(Conflict, match="link_expired"):
        complete(made)


def test_a_link_for_a_password_makes_no_account_and_the_other_way_round(session, world, link, vault, now, complete):
    with pytest.raises(Conflict):
        find_reset(session, link, now=now)
    write_request(
        session, LinkPurpose.RESET_PASSWORD, {"identifier": "x"}, vault=vault, actor=visitor(world.demo), now=now
    )
    session.flush()
    other = session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.RESET_PASSWORD)).one()
    with pytest.raises(Conflict):
        complete(vault.link_token(other.id))


def test_two_links_for_one_address_make_one_account(session, ask, answered, token_of, complete):
    ask()
    ask(name="Somebody else")
    first, second = (token_of(mail) for mail in answered())
    complete(first)
    with pytest.raises(Conflict, match="already_registered"):
        complete(second)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": " ", "email": "", "company": ""}, {"name": "required", "email": "required", "company": "required"}),
        ({"email": "not an address"}, {"email": "email_invalid"}),
        ({"email": "a@b.example\nBcc: c@d.example"}, {"email": "email_invalid"}),
        ({"name": "x" * 101, "company": "x" * 161}, {"name": "too_long", "company": "too_long"}),
        ({"name": "a\x00", "company": "\ud800"}, {"name": "characters_forbidden", "company": "characters_forbidden"}),
    ],
)
def test_bad_input_says_which_field(session, ask, fields, errors):
    with pytest.raises(Invalid) as refused:
        ask(**fields)
    assert {error.field: error.code for error in refused.value.errors} == errors
    assert session.scalars(select(OneTimeLink)).all() == []


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {"name": "", "company": "", "password": ""},
            {"name": "required", "company": "required", "password": "required"},
        ),
        ({"password": "rosa@newco.example"}, {"password": "password_own_words"}),
        ({"password": "Newco-2026"}, {"password": "password_own_words"}),
        ({"title": "x" * 81}, {"title": "too_long"}),
    ],
)
def test_a_bad_account_leaves_the_link_as_it_was(link, complete, fields, errors):
    with pytest.raises(Invalid) as refused:
        complete(link, **fields)
    assert {error.field: error.code for error in refused.value.errors} == errors
    assert complete(link)


def test_a_closed_tenant_takes_nobody(session, world, tenant, vault, now, link, complete):
    with pytest.raises(Conflict, match="registration_closed"):
        request_registration(session, WANTED, tenant=tenant, vault=vault, actor=visitor(world.demo), now=now)
    with pytest.raises(Conflict, match="registration_closed"):
        complete(link, tenant=tenant)


def test_customer_numbers_go_on_after_the_highest(session, world, ask, answered, token_of, complete):
    def number(email):
        ask(email=email)
        user = complete(token_of(answered()[-1]))
        return session.scalar(
            select(Company.customer_number)
            .join(Membership, Membership.company_id == Company.id)
            .where(Membership.user_id == user.id)
        )

    assert number("a@newco.example") == "10001"
    session.execute(update(Company).where(Company.id == world.companies["globex"]).values(customer_number="20022"))
    assert [number("b@newco.example"), number("c@newco.example")] == ["20023", "20024"]
