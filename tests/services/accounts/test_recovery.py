"""A new password by mail: who gets a link, what it is good for, and what ends with the old password (AUTH-09)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.authz import visitor
from portal.errors import Conflict, Invalid, Unauthenticated
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import AuditEntry, MailMessage, OneTimeLink, Person, TotpFactor, User, UserStatus
from portal.services.accounts.access_requests import read_request, request_reset
from portal.services.accounts.api_tokens import TokenSigner, issue_tokens, load_token_identity
from portal.services.accounts.letters import RESETS_PER_HOUR
from portal.services.accounts.messages import SECRET_MARK
from portal.services.accounts.recovery import find_reset, reset_password
from portal.services.accounts.sessions import DOORS, Origin, find_signed_in
from portal.services.accounts.sign_in import (
    Attempt,
    FactorOwed,
    PasswordOwed,
    SignedInNow,
    continue_sign_in,
    open_challenge,
    prove_password,
)
from tests.conftest import CHEAP
from tests.world import PASSWORD

ORIGIN = Origin("192.0.2.9", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "request-9")
NEW = "a lamp of blue glass"
SIGNER = TokenSigner("a secret for tests")


@pytest.fixture
def ask(session, world, vault, now):
    def write(identifier="bob@acme.example", at=None):
        request_reset(session, identifier, vault=vault, actor=visitor(world.demo, ip="192.0.2.9"), now=at or now)
        session.flush()

    return write


@pytest.fixture
def link(ask, answered, token_of):
    """The token that bob was mailed."""
    ask()
    return token_of(answered()[-1])


@pytest.fixture
def reset(session, site, now):
    def write(token, password=NEW, at=None):
        user = reset_password(session, token, password, passwords=CHEAP, site=site, origin=ORIGIN, now=at or now)
        session.flush()
        return user

    return write


def user_of(session, actor_of, name="bob"):
    return session.get(User, actor_of(name).user_id)


def prove(session, now, password=NEW, who="bob@acme.example"):
    given = Attempt(who, password, "portal", DOORS["portal"], ORIGIN)
    return prove_password(session, given, passwords=CHEAP, now=now)


def enter(session, user, now):
    return continue_sign_in(session, user, door="portal", method="password", origin=ORIGIN, device=None, now=now)


def test_a_link_is_mailed_and_sets_the_password(session, actor_of, ask, answered, token_of, reset, now):
    ask(" BOB@acme.example ")
    (mail,) = answered()
    assert (mail.recipient, mail.template, mail.user_id) == (
        "bob@acme.example",
        "reset_password",
        actor_of("bob").user_id,
    )
    assert f"http://127.0.0.1:8000/portal/reset/{SECRET_MARK}" in mail.text
    assert reset(token_of(mail)).id == actor_of("bob").user_id
    assert prove(session, now) is not None
    assert prove(session, now, PASSWORD) is None


def test_staff_are_led_to_their_own_door(ask, answered):
    ask("sam@demo.example")
    assert "/admin/reset/" in answered()[0].text


def test_a_phone_number_leads_to_the_address(session, actor_of, ask, answered):
    session.get(Person, user_of(session, actor_of).person_id).phone = "+33639980015"
    ask("0033 639 98 00 15")
    assert [mail.recipient for mail in answered()] == ["bob@acme.example"]


@pytest.mark.parametrize("change", [
    {"status": UserStatus.PENDING}, {"status": UserStatus.SUSPENDED}, {"status": UserStatus.LOCKED},
    {"portal_access": False},
])  # fmt: skip
def test_who_may_not_sign_in_gets_no_mail(session, actor_of, ask, answered, change):
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(**change))
    ask()
    assert answered() == []


@pytest.mark.parametrize("who", ["nobody@acme.example", "nia@nova.example", "+33", "x" * 254])
def test_nobody_gets_no_mail_and_no_row_stays(session, ask, answered, who):
    ask(who)
    assert answered() == []
    assert session.scalars(select(OneTimeLink)).all() == []


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "required"), (" \t", "required"), ("a\x00", "characters_forbidden"), ("\ud800", "characters_forbidden")],
)
def test_what_can_be_nobody_is_refused(session, ask, typed, code):
    with pytest.raises(Invalid) as refused:
        ask(typed)
    assert [(error.field, error.code) for error in refused.value.errors] == [("identifier", code)]


def test_asking_costs_the_same_for_everybody_and_looks_nobody_up(session, world, vault, now, statements, ask):
    def cost(who):
        statements.clear()
        ask(who)
        return [" ".join(one.split()) for one in statements if "set_config" not in one]

    ask("first@acme.example")
    known, unknown = cost("bob@acme.example"), cost("nobody@acme.example")
    assert known == unknown
    assert not any("users" in one or "people" in one for one in known)
    # What is past is forgotten; the link; its mail.
    assert len(known) == 3


def test_what_was_typed_is_stored_encrypted(session, ask, vault):
    ask("secret.person@acme.example")
    (row,) = session.scalars(select(OneTimeLink)).all()
    assert "secret.person" not in str(row.payload)
    assert read_request(row, vault) == {"identifier": "secret.person@acme.example"}
    with pytest.raises(UnreadableSecret):
        read_request(row, Vault(["another secret, long enough to be one"]))


def test_answering_again_writes_nothing_more(ask, answered):
    ask()
    assert len(answered()) == len(answered()) == 1


def test_neither_database_nor_mail_row_holds_the_secret(session, link):
    (mail,) = session.scalars(select(MailMessage)).all()
    (row,) = session.scalars(select(OneTimeLink)).all()
    stored = f"{mail.text}{mail.html}{row.payload}{row.token_hash!r}{row.token_hash.hex()}"
    assert len(link) == 43
    assert link not in stored


def test_the_link_lives_half_an_hour_from_the_mail_on(ask, answered, token_of, session, now):
    ask()
    late = now + timedelta(hours=2)  # the worker was away
    token = token_of(answered(late)[0])
    assert find_reset(session, token, now=late + timedelta(minutes=29, seconds=59))
    with pytest.raises(Conflict, match="link_expired"):
        find_reset(session, token, now=late + timedelta(minutes=30))


def test_looking_uses_nothing_up_and_setting_does(session, link, reset, now):
    for _ in range(3):
        find_reset(session, link, now=now)
    reset(link)
    for use in (lambda: find_reset(session, link, now=now), lambda: reset(link)):
        with pytest.raises(Conflict, match="link_expired"):
            use()


def test_a_newer_link_replaces_the_older(session, ask, answered, token_of, now):
    ask()
    first = token_of(answered()[0])
    ask(at=now + timedelta(minutes=1))
    second = token_of(answered(now + timedelta(minutes=1))[-1])
    assert find_reset(session, second, now=now + timedelta(minutes=2))
    with pytest.raises(Conflict):
        find_reset(session, first, now=now + timedelta(minutes=2))


def test_a_mailbox_is_not_flooded(ask, answered, now):
    for minute in range(RESETS_PER_HOUR + 4):
        ask(at=now + timedelta(minutes=minute))
    assert len(answered(now + timedelta(minutes=20))) == RESETS_PER_HOUR
    ask(at=now + timedelta(minutes=81))
    assert len(answered(now + timedelta(minutes=81))) == RESETS_PER_HOUR + 1


@pytest.mark.parametrize("password", ["short", "password", "bob@acme.example", "x" * 129, "a\x00bcdefghij"])
def test_a_bad_password_leaves_the_link_as_it_was(session, link, reset, now, password):
    with pytest.raises(Invalid):
        reset(link, password)
    assert find_reset(session, link, now=now)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é\ud800", "x" * 5000])
def test_a_made_up_link_is_an_old_one(session, now, token):
    with pytest.raises(Conflict, match="link_expired"):
        find_reset(session, token, now=now)


def test_a_link_of_another_purpose_opens_nothing(session, ask, answered, vault, now, actor_of):
    from portal.models import LinkPurpose
    from portal.services.accounts.one_time import issue_link

    for purpose in set(LinkPurpose) - {LinkPurpose.RESET_PASSWORD}:
        made = issue_link(session, purpose, user_id=actor_of("bob").user_id, vault=vault, now=now)
        with pytest.raises(Conflict):
            find_reset(session, vault.link_token(made.id), now=now)


def test_a_link_that_nobody_was_mailed_opens_nothing(session, ask, vault, now):
    ask()
    (row,) = session.scalars(select(OneTimeLink)).all()
    with pytest.raises(Conflict):
        find_reset(session, vault.link_token(row.id), now=now)


def test_suspended_meanwhile(session, actor_of, link, reset):
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(status=UserStatus.SUSPENDED))
    with pytest.raises(Conflict, match="link_expired"):
        reset(link)


def test_everything_of_before_ends(session, world, actor_of, link, reset, now):
    bob = user_of(session, actor_of)
    done = enter(session, prove(session, now, PASSWORD), now)
    assert isinstance(done, SignedInNow)
    pair = issue_tokens(session, bob, factor=False, signer=SIGNER, origin=ORIGIN, now=now)
    challenge = open_challenge(session, bob, door="portal", method="password", now=now)
    session.flush()
    for _ in range(6):
        try:
            with session.begin_nested():
                prove(session, now, "wrong")
        except Unauthenticated as refused:
            locked = refused.code
    assert locked == "sign_in_locked"
    bob.must_reset_password = True
    reset(link)
    assert find_signed_in(session, done.token, "portal", now) is None
    with pytest.raises(Unauthenticated):
        load_token_identity(session, SIGNER.read(pair.access_token, tenant_id=world.demo, now=now), ORIGIN)
    from portal.lib.tokens import token_hash
    from portal.models import SignInChallenge

    assert session.get(SignInChallenge, token_hash(challenge.challenge)).used_at == now
    assert isinstance(enter(session, prove(session, now), now), SignedInNow)


def test_a_second_factor_stays_required(session, actor_of, link, reset, now):
    bob = user_of(session, actor_of)
    session.add(TotpFactor(user_id=bob.id, secret=b"sealed", created_at=now, confirmed_at=now))
    reset(link)
    assert isinstance(enter(session, prove(session, now), now), FactorOwed)


def test_other_peoples_sessions_stay(session, world, actor_of, link, reset, now):
    alice = user_of(session, actor_of, "alice")
    done = enter(session, alice, now)
    reset(link)
    assert find_signed_in(session, done.token, "portal", now) is not None


def test_it_is_audited_and_told_by_mail_and_proves_the_address(session, actor_of, link, reset, now):
    reset(link)
    mail = session.scalars(select(MailMessage).where(MailMessage.template == "password_changed")).one()
    assert mail.recipient == "bob@acme.example"
    assert all(part in mail.text for part in ("Firefox · Linux", "192.0.2.9", "/portal/forgot"))
    assert NEW not in mail.text
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert {"access.requested", "user.reset_link_sent", "user.password_reset"} <= set(actions)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.password_reset")).one()
    assert (entry.actor_id, entry.ip, entry.request_id) == (actor_of("bob").user_id, "192.0.2.9", "request-9")
    assert session.get(Person, user_of(session, actor_of).person_id).email_verified_at == now


def test_mails_come_in_the_readers_language(session, actor_of, ask, answered):
    user_of(session, actor_of).locale = "ar"
    ask()
    (mail,) = answered()
    assert mail.locale == "ar"
    assert 'dir="rtl"' in mail.html


def test_a_password_that_has_to_be_replaced_opens_nothing_and_a_link_is_mailed(
    session, actor_of, answered, token_of, reset, now
):
    user_of(session, actor_of).must_reset_password = True
    session.flush()
    owed = enter(session, prove(session, now, PASSWORD), now)
    assert isinstance(owed, PasswordOwed)
    (mail,) = answered()
    assert (mail.template, len(answered())) == ("reset_owed", 1)
    reset(token_of(mail))
    assert isinstance(enter(session, prove(session, now), now), SignedInNow)
