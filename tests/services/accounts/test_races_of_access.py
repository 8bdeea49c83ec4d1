"""What works once, thirty at a time on connections of their own: one wins."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from portal.errors import DomainError
from portal.models import MailMessage, Membership, Person, User, UserKind
from portal.services.accounts.invitations import NewInvitation, invite_customer, renew_invitation
from portal.services.accounts.joining import accept_offer
from portal.services.accounts.linking import request_code, verify_code
from portal.services.tenants.sign_in_policy import SignInPolicy
from tests.world import _add_company

CROWD = 30


@pytest.fixture
def crowd(engine, sessions, world):
    """Run something thirty times at once, each in a transaction of its own; gives what each came to."""

    def run(work):
        ready, outcomes = threading.Barrier(CROWD), []

        def one():
            ready.wait(20)
            try:
                with sessions.begin(world.demo) as session:
                    outcome = work(session)
            except DomainError as error:
                outcome = error.code
            outcomes.append(outcome)

        threads = [threading.Thread(target=one) for _ in range(CROWD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(outcomes) == CROWD
        return outcomes

    return run


@pytest.fixture(autouse=True)
def _leave_nothing_behind(root, world):
    """These tests commit for real, on a database that others expect as it was made."""
    yield
    rows = (
        "mail_messages",
        "one_time_links",
        "invitations",
        "outbox_events WHERE kind IN ('message.queued', 'customer.invited')",
        "users WHERE status = 'pending'",
        "people p WHERE NOT EXISTS (SELECT FROM users u WHERE u.person_id = p.id)",
        "companies WHERE name = 'Initech'",
    )
    with root.begin() as connection:
        for row in rows:
            joined = "AND" if "WHERE" in row else "WHERE"
            connection.execute(text(f"DELETE FROM {row} {joined} tenant_id = :demo"), {"demo": world.demo})


@pytest.fixture
def today():
    return datetime.now(UTC)


def test_a_login_accepts_once(sessions, world, delivery, letters, crowd, today):
    charlie, acme = world.people["charlie"].actor, world.companies["acme"]
    with sessions.begin(world.demo) as session:
        form = NewInvitation("Charlie", "charlie@globex.example")
        made = invite_customer(session, acme, form, actor=world.people["alice"].actor, delivery=delivery, now=today)
    token = letters.token(made.id)
    try:
        outcomes = crowd(
            lambda session: str(accept_offer(session, token, UserKind.CUSTOMER, actor=charlie, now=today).id)
        )
        assert outcomes.count(str(made.id)) == 1
        assert outcomes.count("link_expired") == CROWD - 1
    finally:
        with sessions.begin(world.demo) as session:
            mine = (Membership.user_id == charlie.user_id, Membership.company_id == acme)
            for row in session.scalars(select(Membership).where(*mine)):
                session.delete(row)


def test_a_renewal_sends_one_mail(sessions, world, delivery, letters, crowd, today):
    alice = world.people["alice"].actor
    made = letters.invite("alice", today - timedelta(hours=1))
    user_id = letters.row(made).user_id
    outcomes = crowd(lambda session: str(renew_invitation(session, made, actor=alice, delivery=delivery, now=today).id))
    assert outcomes.count(str(made)) == 1
    with sessions.begin(world.demo) as session:
        mails = session.scalar(select(func.count()).select_from(MailMessage).where(MailMessage.user_id == user_id))
    assert mails == 2


def test_a_code_opens_one_form(sessions, world, delivery, crowd, today):
    policy = SignInPolicy(phone_sign_up_open=True)
    open_delivery = replace(delivery, tenant=replace(delivery.tenant, sign_in=policy))
    phone = f"+336{uuid4().int % 10**8:08d}"
    with sessions.begin(world.demo) as session:
        company = _add_company(session, "Initech", uuid4().hex[:8])
        row = Person(
            id=uuid4(), tenant_id=world.demo, company_id=company, name="P", email=f"{phone[1:]}@x.example", phone=phone
        )
        session.add(row)
    with sessions.begin(world.demo) as session:
        challenge = request_code(session, phone, delivery=open_delivery, now=today)
    code = delivery.vault.link_code(challenge)
    outcomes = crowd(lambda session: verify_code(session, challenge, code, delivery=open_delivery, now=today))
    assert outcomes.count("link_expired") == CROWD - 1


def test_an_address_is_invited_once(sessions, world, delivery, letters, crowd, today):
    """Thirty administrators press the button: one invitation, one login, one mail."""
    from sqlalchemy.exc import IntegrityError

    email, alice = letters.address(), world.people["alice"].actor

    def invite(session):
        try:
            form = NewInvitation("Once", email)
            return str(
                invite_customer(session, world.companies["acme"], form, actor=alice, delivery=delivery, now=today).id
            )
        except IntegrityError:
            session.rollback()
            return "changed_meanwhile"

    outcomes = crowd(invite)
    assert sum(len(outcome) == 36 for outcome in outcomes) == 1
    assert set(outcomes) - {"changed_meanwhile", "already_invited"} == {one for one in outcomes if len(one) == 36}
    with sessions.begin(world.demo) as session:
        logins = session.scalar(select(func.count()).select_from(User).join(Person).where(Person.email == email))
        mails = session.scalar(select(func.count()).select_from(MailMessage).where(MailMessage.recipient == email))
    assert (logins, mails) == (1, 1)
