"""Adding and removing factors: recovery codes, mails, audit, the end of every other sign-in, and what is refused."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden
from portal.models import AuditEntry, AuthSession, MailMessage, SignInChallenge, TokenFamily, TotpFactor, User
from portal.services.accounts.api_tokens import TokenSigner, issue_tokens
from portal.services.accounts.factor_changes import (
    begin_totp,
    confirm_totp,
    renew_recovery_codes,
    switch_off_totp,
)
from portal.services.accounts.factor_policy import factor_due, must_enrol_now, set_factor_due
from portal.services.accounts.factors import read_factors
from portal.services.accounts.sessions import start_session
from portal.services.accounts.sign_in import open_challenge
from portal.services.tenants.sign_in_policy import SecondFactor, SignInPolicy
from tests.authenticators import code_of
from tests.services.accounts.conftest import ORIGIN, VAULT


def mails(session, user_id):
    found = session.execute(
        select(MailMessage.template, MailMessage.text).where(MailMessage.user_id == user_id).order_by(MailMessage.id)
    )
    return dict(found.all())


def actions(session, user_id):
    query = select(AuditEntry.action).where(AuditEntry.record_id == user_id)
    return set(session.scalars(query))


def living(session, user_id):
    query = select(AuthSession.id).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    return set(session.scalars(query))


def another_session(session, user, now):
    start_session(session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now)
    signer = TokenSigner("a secret of the tests")
    issue_tokens(session, user, factor=False, signer=signer, origin=ORIGIN, now=now)
    session.flush()


def test_switching_on_gives_ten_codes_mails_and_audits(session, enrolled):
    mine, _, codes = enrolled()
    assert len(codes) == 10
    sent = mails(session, mine.user_id)
    assert set(sent) == {"totp_added"}
    assert "An authenticator was added to your login" in sent["totp_added"]
    assert "http://demo.localhost:8000/portal/account/security" in sent["totp_added"]
    assert "192.0.2.7" in sent["totp_added"]
    assert not any(code in sent["totp_added"] for code in codes)
    assert "user.factor_added" in actions(session, mine.user_id)


def test_the_mail_of_staff_leads_to_the_back_office(session, enrolled):
    mine, _, _ = enrolled("sam")
    assert "http://demo.localhost:8000/admin/security" in mails(session, mine.user_id)["totp_added"]


def test_a_wrong_first_code_changes_nothing(session, now, own):
    mine = own()
    begin_totp(session, mine, vault=VAULT, now=now)
    assert confirm_totp(session, mine, "000000", vault=VAULT, now=now) is None
    assert not read_factors(session, mine.user_id).any
    assert mails(session, mine.user_id) == {}


@pytest.mark.parametrize("change", ["add", "remove"])
def test_every_other_sign_in_ends_with_a_change(session, now, own, enrolled, change):
    mine, secret = (own(), "") if change == "add" else enrolled()[:2]
    user = session.scalars(select(User).where(User.id == mine.user_id)).one()
    another_session(session, user, now)
    open_challenge(session, user, door="portal", method="password", now=now)
    session.flush()
    assert len(living(session, user.id)) == 2
    if change == "add":
        secret = begin_totp(session, mine, vault=VAULT, now=now).secret
        assert confirm_totp(session, mine, code_of(secret, now), vault=VAULT, now=now)
    else:
        switch_off_totp(session, mine, now=now)
    assert living(session, user.id) == {mine.session_id}
    for model, ended in ((TokenFamily, "revoked_at"), (SignInChallenge, "used_at")):
        open_ones = select(model).where(model.user_id == user.id, getattr(model, ended).is_(None))
        assert session.scalars(open_ones).all() == []


def test_switching_off_forgets_the_codes_and_tells(session, now, enrolled):
    mine, _, _ = enrolled()
    switch_off_totp(session, mine, now=now)
    held = read_factors(session, mine.user_id)
    assert (held.any, held.recovery_codes) == (False, 0)
    assert "totp_removed" in mails(session, mine.user_id)
    assert "user.factor_removed" in actions(session, mine.user_id)
    with pytest.raises(Conflict) as refused:
        switch_off_totp(session, mine, now=now)
    assert refused.value.code == "factor_not_on"


def test_a_tenant_that_requires_a_factor_refuses_to_switch_the_last_one_off(session, now, enrolled):
    mine, _, _ = enrolled(required=True)
    with pytest.raises(Forbidden) as refused:
        switch_off_totp(session, mine, now=now)
    assert refused.value.code == "second_factor_mandatory"
    assert read_factors(session, mine.user_id).totp


def test_new_recovery_codes_need_a_factor_and_are_mailed_about(session, now, own, enrolled):
    with pytest.raises(Conflict) as refused:
        renew_recovery_codes(session, own("alice"), now=now)
    assert refused.value.code == "factor_not_on"
    mine, _, old = enrolled()
    new = renew_recovery_codes(session, mine, now=now)
    assert len(new) == 10
    assert not set(new) & set(old)
    text = mails(session, mine.user_id)["recovery_codes_renewed"]
    assert not any(code in text for code in new)


EVERYBODY = {"sign_in": {"second_factor": "everybody", "grace_days": 7}}


@pytest.fixture
def tenant_settings(session, world):
    """Store settings of the tenant, as this transaction sees them."""
    from portal.models import Tenant

    def store(settings):
        tenant = session.get(Tenant, world.demo, execution_options={"all_tenants": True})
        tenant.settings = settings
        session.flush()

    return store


@pytest.fixture
def bob(session, world):
    return session.scalars(select(User).where(User.id == world.people["bob"].user_id)).one()


def test_the_days_without_begin_at_the_first_sign_in_and_do_not_move(session, now, bob, tenant_settings):
    tenant_settings(EVERYBODY)
    set_factor_due(session, bob, now=now)
    assert bob.second_factor_due_at == now + timedelta(days=7)
    set_factor_due(session, bob, now=now + timedelta(days=3))
    assert bob.second_factor_due_at == now + timedelta(days=7)


def test_who_has_a_factor_or_need_not_owes_none(session, now, bob, enrolled, tenant_settings):
    tenant_settings(EVERYBODY)
    set_factor_due(session, bob, now=now)
    enrolled("bob")
    session.refresh(bob)
    assert bob.second_factor_due_at is None
    set_factor_due(session, bob, now=now)
    assert bob.second_factor_due_at is None
    tenant_settings({"sign_in": {"second_factor": "staff"}})
    session.delete(session.scalars(select(TotpFactor)).one())
    session.flush()
    set_factor_due(session, bob, now=now)
    assert bob.second_factor_due_at is None


def test_a_tenant_that_stops_requiring_lifts_it(session, now, bob, tenant_settings):
    tenant_settings(EVERYBODY)
    set_factor_due(session, bob, now=now)
    policy, later = SignInPolicy(second_factor=SecondFactor.EVERYBODY), now + timedelta(days=8)
    assert must_enrol_now(policy, bob, later)
    assert not must_enrol_now(policy, bob, now)
    assert not must_enrol_now(SignInPolicy(), bob, later)
    assert factor_due(SignInPolicy(second_factor=SecondFactor.STAFF), bob) is None
    tenant_settings({})
    set_factor_due(session, bob, now=later)
    assert bob.second_factor_due_at is None
