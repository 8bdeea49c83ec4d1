from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, Invalid
from portal.models import (
    LinkPurpose,
    MailChannel,
    MailMessage,
    Membership,
    OneTimeLink,
    OutboxEvent,
    Person,
    Role,
    User,
    UserStatus,
)
from portal.services.accounts.linking import load_contact, open_account, request_code, request_link, verify_code
from portal.services.accounts.messages import SECRET_MARK
from portal.services.accounts.sessions import Origin
from portal.services.tenants.sign_in_policy import SignInPolicy
from tests.conftest import CHEAP
from tests.world import _add_company

ORIGIN = Origin("127.0.0.1", "Test/1.0", "request-1")
PASSWORD = "a long enough sentence"


@pytest.fixture
def open_delivery(delivery):
    policy = SignInPolicy(link_account_open=True, phone_sign_up_open=True)
    return replace(delivery, tenant=replace(delivery.tenant, sign_in=policy))


@pytest.fixture
def initech(session, now):
    """A company with two contacts, none with a login."""
    company_id = _add_company(session, "Initech", "10031")
    for number, name in enumerate(("milo", "olga")):
        session.add(
            Person(
                id=uuid4(),
                tenant_id=session.tenant_id,
                company_id=company_id,
                name=name.title(),
                email=f"{name}@initech.example",
                phone=f"+3363998010{number}",
                created_at=now + timedelta(days=number - 9),
            )
        )
        session.flush()
    return company_id


def messages(session, channel=MailChannel.MAIL):
    query = select(MailMessage).where(MailMessage.template.in_(("link_account", "sign_up_code")))
    return session.scalars(query.where(MailMessage.channel == channel).order_by(MailMessage.created_at)).all()


def token(session, delivery, mail):
    return delivery.vault.link_token(mail.link_id)


def code(delivery, challenge):
    return delivery.vault.link_code(challenge)


def take(session, given, now, password=PASSWORD):
    return open_account(session, given, password, tenant_name="Kestrel IT", passwords=CHEAP, origin=ORIGIN, now=now)


def test_a_customer_number_opens_the_first_account_of_a_company(session, initech, open_delivery, now):
    request_link(session, number=" 10031 ", delivery=open_delivery, now=now)
    mail = messages(session)[0]
    assert mail.recipient == "milo@initech.example"
    assert mail.text.count(SECRET_MARK) == 1
    given = token(session, open_delivery, mail)
    assert load_contact(session, given, now=now).company_name == "Initech"
    user = take(session, given, now)
    assert user.may_sign_in()
    assert CHEAP.matches(PASSWORD, user.password_hash)
    membership = session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    assert (membership.company_id, membership.role) == (initech, Role.CUSTOMER_ADMIN)
    assert session.scalar(select(Person.email_verified_at).where(Person.id == user.person_id)) == now


def test_later_people_of_the_company_come_by_phone_as_customers(session, initech, open_delivery, now):
    request_link(session, number="10031", delivery=open_delivery, now=now)
    take(session, token(session, open_delivery, messages(session)[0]), now)
    request_link(session, number="10031", delivery=open_delivery, now=now + timedelta(hours=1))
    assert len(messages(session)) == 1
    request_link(session, phone="06 39 98 01 01", delivery=open_delivery, now=now + timedelta(hours=1))
    mail = messages(session)[1]
    assert mail.recipient == "olga@initech.example"
    user = take(session, token(session, open_delivery, mail), now + timedelta(hours=1))
    assert session.scalar(select(Membership.role).where(Membership.user_id == user.id)) is Role.CUSTOMER


@pytest.mark.parametrize(
    "asked",
    [
        {"number": "99999"},
        {"number": ""},
        {"number": "ACM"},
        {"phone": "+33639980199"},
        {"phone": "not a number"},
        {"phone": ""},
        {"number": "10031' OR 1=1"},
    ],
)
def test_who_is_unknown_or_has_a_login_gets_nothing_and_leaves_nothing(session, initech, open_delivery, now, asked):
    left = (
        select(func.count()).select_from(MailMessage),
        select(func.count()).select_from(OneTimeLink),
        select(func.count()).select_from(OutboxEvent).where(OutboxEvent.kind == "message.queued"),
    )
    before = [session.scalar(count) for count in left]
    request_link(session, **asked, delivery=open_delivery, now=now)
    assert [session.scalar(count) for count in left] == before


def test_the_same_statements_run_for_known_and_unknown(session, initech, open_delivery, now, statements):
    def run(**asked):
        statements.clear()
        request_link(session, **asked, delivery=open_delivery, now=now)
        return [text.split()[0:3] for text in statements if not text.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]

    assert run(number="10031") == run(number="99999")
    assert run(phone="+33639980101") == run(phone="+33639980199")


def test_links_are_few_a_day(session, initech, open_delivery, now):
    for minute in range(0, 20, 2):
        request_link(session, number="10031", delivery=open_delivery, now=now + timedelta(minutes=minute))
    assert len(messages(session)) == 5
    request_link(session, number="10031", delivery=open_delivery, now=now + timedelta(hours=25))
    request_link(session, number="10031", delivery=open_delivery, now=now + timedelta(hours=25, seconds=30))
    assert len(messages(session)) == 6


def test_a_link_works_once_and_for_half_an_hour(session, initech, open_delivery, now):
    request_link(session, number="10031", delivery=open_delivery, now=now)
    given = token(session, open_delivery, messages(session)[0])
    with pytest.raises(Conflict, match="link_expired"):
        take(session, given, now + timedelta(minutes=30))
    with pytest.raises(Invalid):
        take(session, given, now, password="short")
    take(session, given, now)
    with pytest.raises(Conflict, match="link_expired"):
        take(session, given, now)


def test_a_second_link_of_somebody_who_got_a_login_meanwhile_is_dead(session, initech, open_delivery, now):
    request_link(session, number="10031", delivery=open_delivery, now=now)
    request_link(session, phone="+33639980100", delivery=open_delivery, now=now + timedelta(minutes=2))
    first, second = (token(session, open_delivery, mail) for mail in messages(session))
    take(session, second, now + timedelta(minutes=3))
    with pytest.raises(Conflict, match="link_expired"):
        take(session, first, now + timedelta(minutes=3))
    assert session.scalar(select(func.count()).select_from(User).join(Person).where(Person.name == "Milo")) == 1


def test_by_phone_a_code_comes_before_the_password(session, initech, open_delivery, now):
    challenge = request_code(session, "06 39 98 01 01", delivery=open_delivery, now=now)
    text = messages(session, MailChannel.SMS)[0]
    assert text.recipient == "+33639980101"
    assert SECRET_MARK in text.text
    assert code(open_delivery, challenge) not in text.text
    assert verify_code(session, challenge, "000000", delivery=open_delivery, now=now) is None
    given = verify_code(session, challenge, f" {code(open_delivery, challenge)} ", delivery=open_delivery, now=now)
    assert given is not None
    user = take(session, given, now)
    person = session.scalars(select(Person).where(Person.id == user.person_id)).one()
    assert (person.name, person.phone_verified_at, person.email_verified_at) == ("Olga", now, None)
    with pytest.raises(Conflict, match="link_expired"):
        verify_code(session, challenge, code(open_delivery, challenge), delivery=open_delivery, now=now)


def test_five_wrong_codes_end_a_challenge_known_or_not(session, initech, open_delivery, now):
    for phone in ("+33639980101", "+33639980199", "nonsense"):
        challenge = request_code(session, phone, delivery=open_delivery, now=now)
        right = code(open_delivery, challenge)
        wrong = "111111" if right != "111111" else "222222"
        assert [verify_code(session, challenge, wrong, delivery=open_delivery, now=now) for _ in range(5)] == [None] * 5
        with pytest.raises(Conflict, match="link_expired"):
            verify_code(session, challenge, right, delivery=open_delivery, now=now)
    assert len(messages(session, MailChannel.SMS)) == 1


def test_the_right_code_of_nobody_opens_nothing(session, initech, open_delivery, now):
    challenge = request_code(session, "+33639980199", delivery=open_delivery, now=now)
    assert verify_code(session, challenge, code(open_delivery, challenge), delivery=open_delivery, now=now) is None


def test_codes_last_ten_minutes(session, initech, open_delivery, now):
    challenge = request_code(session, "+33639980101", delivery=open_delivery, now=now)
    late = now + timedelta(minutes=10)
    with pytest.raises(Conflict, match="link_expired"):
        verify_code(session, challenge, code(open_delivery, challenge), delivery=open_delivery, now=late)


def test_where_the_tenant_does_not_offer_it(session, initech, delivery, now):
    closed = replace(delivery, tenant=replace(delivery.tenant, sign_in=SignInPolicy(link_account_open=False)))
    with pytest.raises(Conflict, match="sign_up_closed"):
        request_link(session, number="10031", delivery=closed, now=now)
    with pytest.raises(Conflict, match="sign_up_closed"):
        request_code(session, "+33639980101", delivery=closed, now=now)
    assert messages(session) == []


def test_somebody_who_waits_for_an_invitation_can_open_the_account(session, initech, open_delivery, now):
    person_id = session.scalar(select(Person.id).where(Person.name == "Milo"))
    waiting = User(id=uuid4(), tenant_id=session.tenant_id, person_id=person_id, kind="customer", mail_preferences={})
    session.add(waiting)
    session.flush()
    assert waiting.status is UserStatus.PENDING
    request_link(session, number="10031", delivery=open_delivery, now=now)
    user = take(session, token(session, open_delivery, messages(session)[0]), now)
    assert user.id == waiting.id
    assert user.status is UserStatus.ACTIVE


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.LOCKED, UserStatus.ACTIVE])
def test_nobody_comes_back_this_way(session, initech, open_delivery, now, status):
    person_id = session.scalar(select(Person.id).where(Person.name == "Olga"))
    session.add(
        User(
            id=uuid4(),
            tenant_id=session.tenant_id,
            person_id=person_id,
            kind="customer",
            status=status,
            mail_preferences={},
        )
    )
    session.flush()
    request_link(session, phone="+33639980101", delivery=open_delivery, now=now)
    assert messages(session) == []


def test_a_link_is_not_an_invitation_and_the_other_way_round(session, initech, open_delivery, now):
    request_link(session, number="10031", delivery=open_delivery, now=now)
    given = token(session, open_delivery, messages(session)[0])
    purposes = set(session.scalars(select(OneTimeLink.purpose)))
    assert purposes == {LinkPurpose.LINK_ACCOUNT}
    from portal.models import UserKind
    from portal.services.accounts.joining import load_offer

    with pytest.raises(Conflict, match="link_expired"):
        load_offer(session, given, UserKind.CUSTOMER, now=now)
