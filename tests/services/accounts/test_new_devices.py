"""A sign-in from a new device is told by mail, and "this was not me" ends it (AUTH-19)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.authz import visitor
from portal.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from portal.models import AuditEntry, Person, User
from portal.services.accounts.api_tokens import TokenSigner, issue_tokens, load_token_identity
from portal.services.accounts.device_notices import (
    TEXTS_PER_DAY,
    NoticeChoice,
    NoticeWay,
    read_notice_choice,
    save_notice_choice,
)
from portal.services.accounts.devices import REPORTED_PER_HOUR, find_device, is_own_browser
from portal.services.accounts.disowning import disown_device, find_disowned
from portal.services.accounts.messages import SECRET_MARK
from portal.services.accounts.preferences import save_mail_preferences
from portal.services.accounts.sessions import Origin, find_signed_in
from portal.services.accounts.sign_in import continue_sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
HERE = Origin("192.0.2.9", FIREFOX, "request-9")
SIGNER = TokenSigner("a secret for tests")


@pytest.fixture
def enter(session, actor_of, now):
    """Sign somebody in, proved already."""

    def write(name="bob", device=None, origin=HERE, at=None, door="portal"):
        user = session.get(User, actor_of(name).user_id)
        done = continue_sign_in(session, user, door=door, method="passkey", origin=origin, device=device, now=at or now)
        session.flush()
        return done

    return write


@pytest.fixture
def warning(enter, answered, token_of):
    """(the suspicious sign-in, its mail, the mail's token): the second sign-in of bob is on a new device."""
    enter()
    done = enter()
    (mail,) = answered()
    return done, mail, token_of(mail)


def test_the_first_device_ever_is_no_news_and_a_known_one_neither(enter, answered):
    done = enter()
    enter(device=done.device)
    enter(device=f"{done.device}~else")
    assert answered() == []


def test_a_new_device_is_told_with_time_device_and_address(warning):
    _, mail, _ = warning
    assert (mail.template, mail.recipient) == ("new_device", "bob@acme.example")
    for part in ("Firefox · Linux", "192.0.2.9", "24 November, 10:00", f"/portal/not-me/{SECRET_MARK}"):
        assert part in mail.text


def test_staff_are_led_to_their_own_door(enter, answered):
    for _ in range(2):
        enter("sam", door="admin")
    assert "/admin/not-me/" in answered()[0].text


def test_it_is_told_once(warning, answered):
    assert len(answered()) == 1


def test_who_keeps_no_cookies_is_not_buried_in_mails_but_what_is_new_is_told(enter, answered, now):
    for minute in range(10):
        enter(at=now + timedelta(minutes=minute))
    # The first was the first ever.
    assert len(answered()) == REPORTED_PER_HOUR - 1
    enter(origin=Origin("192.0.2.10", FIREFOX), at=now + timedelta(minutes=11))
    enter(origin=Origin("192.0.2.9", "curl/8.5.0"), at=now + timedelta(minutes=12))
    assert len(answered()) == REPORTED_PER_HOUR + 1
    enter(at=now + timedelta(minutes=90))
    assert len(answered()) == REPORTED_PER_HOUR + 2


def test_a_browser_is_somebodys_own(session, enter, world):
    cookie = enter().device
    assert is_own_browser(session, "BOB@acme.example", None, cookie)
    for identifier, shown in (
        ("alice@acme.example", cookie),
        ("nobody@acme.example", cookie),
        ("bob@acme.example", None),
        ("bob@acme.example", "~"),
        ("bob@acme.example", "made-up"),
    ):
        assert not is_own_browser(session, identifier, None, shown)


def test_not_me_ends_what_the_device_opened_and_demands_a_new_password(
    session, world, warning, answered, enter, actor_of, now
):
    done, _, token = warning
    own = enter(device=None, origin=Origin("192.0.2.77", "Own/1.0"))
    bob = session.get(User, actor_of("bob").user_id)
    pair = issue_tokens(session, bob, factor=False, signer=SIGNER, origin=HERE, now=now)
    device = find_disowned(session, token, now=now)
    assert disown_device(session, token, origin=HERE, now=now).id == bob.id
    session.flush()
    assert find_signed_in(session, done.token, "portal", now) is None
    assert find_signed_in(session, own.token, "portal", now) is not None
    with pytest.raises(Unauthenticated):
        load_token_identity(session, SIGNER.read(pair.access_token, tenant_id=world.demo, now=now), HERE)
    assert (bob.must_reset_password, device.disowned_at) == (True, now)
    assert find_device(session, bob.id, done.device) is None
    assert answered()[-1].template in ("reset_owed", "new_device")
    assert [mail.template for mail in answered()].count("reset_owed") == 1
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "device.disowned")).one()
    assert (entry.actor_id, entry.record_id) == (bob.id, bob.id)


def test_looking_uses_nothing_up_and_saying_so_works_once(session, warning, now):
    _, _, token = warning
    for _ in range(3):
        find_disowned(session, token, now=now)
    disown_device(session, token, origin=HERE, now=now)
    for use in (find_disowned, lambda *a, **k: disown_device(*a, origin=HERE, **k)):
        with pytest.raises(Conflict, match="link_expired"):
            use(session, token, now=now)


def test_it_works_for_a_week_and_beside_later_warnings(session, warning, enter, answered, token_of, now):
    _, _, token = warning
    enter(origin=Origin("192.0.2.10", "Other/1.0"))
    later = next(token_of(mail) for mail in answered() if token_of(mail) != token)
    almost = now + timedelta(days=6, hours=23)
    assert find_disowned(session, token, now=almost).id != find_disowned(session, later, now=almost).id
    with pytest.raises(Conflict):
        find_disowned(session, token, now=now + timedelta(days=7))


@pytest.mark.parametrize("token", ["", "x", "A" * 43])
def test_a_made_up_link_is_an_old_one(session, now, token):
    for use in (find_disowned, lambda *a, **k: disown_device(*a, origin=HERE, **k)):
        with pytest.raises(Conflict, match="link_expired"):
            use(session, token, now=now)


# By text message, for those who chose it.


@pytest.fixture
def phone(session, actor_of, now):
    """Give somebody a number, proven unless said otherwise."""

    def give(name="bob", number="+33639980042", proven=True):
        user = session.get(User, actor_of(name).user_id)
        person = session.get(Person, user.person_id)
        person.phone, person.phone_verified_at = number, now if proven else None
        session.flush()
        return person

    return give


@pytest.mark.parametrize(("way", "channels"), [("mail", ["mail"]), ("text", ["sms"]), ("both", ["mail", "sms"])])
def test_the_notice_goes_the_chosen_way(session, actor_of, enter, answered, token_of, phone, now, way, channels):
    phone()
    assert save_notice_choice(session, way, actor=actor_of("bob"), now=now).way == way
    enter()
    done = enter()
    found = sorted(answered(), key=lambda message: message.channel)
    assert [message.channel for message in found] == channels
    assert [message.recipient for message in found] == [
        {"mail": "bob@acme.example", "sms": "+33639980042"}[channel] for channel in channels
    ]
    for message in found:
        assert f"/portal/not-me/{SECRET_MARK}" in message.text
        assert find_disowned(session, token_of(message), now=now).user_id == actor_of("bob").user_id
    assert len(answered()) == len(channels), "asked twice, written once"
    # Both hold one link: whichever is followed ends the other.
    disown_device(session, token_of(found[0]), origin=HERE, now=now)
    session.flush()
    assert find_signed_in(session, done.token, "portal", now) is None
    with pytest.raises(Conflict):
        find_disowned(session, token_of(found[-1]), now=now)


def test_the_text_is_short_in_the_readers_language_and_names_the_device(session, actor_of, enter, answered, phone, now):
    phone()
    session.get(User, actor_of("bob").user_id).locale = "ar"
    save_notice_choice(session, "text", actor=actor_of("bob"), now=now)
    enter()
    enter()
    (message,) = answered()
    assert (message.locale, message.subject, message.html) == ("ar", "", "")
    assert "Firefox · Linux" in message.text
    assert "\n" not in message.text
    assert len(message.text) < 240


@pytest.mark.parametrize("number", [None, "+33639980042"])
def test_texts_need_a_proven_number(session, actor_of, phone, now, number):
    phone(number=number, proven=False)
    for way in ("text", "both"):
        with pytest.raises(Invalid) as refused:
            save_notice_choice(session, way, actor=actor_of("bob"), now=now)
        assert refused.value.errors[0].code == "phone_not_proven"
    for way in ("", "sms", "MAIL", "none"):
        with pytest.raises(Invalid):
            save_notice_choice(session, way, actor=actor_of("bob"), now=now)
    assert read_notice_choice(session, actor=actor_of("bob")) == NoticeChoice(NoticeWay.MAIL, None)


def test_a_number_that_is_gone_or_unproved_since_falls_back_to_mail(session, actor_of, enter, answered, phone, now):
    phone()
    save_notice_choice(session, "text", actor=actor_of("bob"), now=now)
    enter()
    phone(number=None)
    enter(origin=Origin("192.0.2.11", FIREFOX))
    phone(proven=False)
    enter(origin=Origin("192.0.2.12", FIREFOX))
    assert [message.channel for message in answered()] == ["mail", "mail"]


def test_who_varies_the_browser_costs_few_texts(session, actor_of, enter, answered, phone, now):
    phone()
    save_notice_choice(session, "text", actor=actor_of("bob"), now=now)
    for number in range(TEXTS_PER_DAY + 4):
        enter(origin=Origin("192.0.2.9", f"Other/{number}"))
    channels = [message.channel for message in answered()]
    # The first sign-in was the first ever.
    assert (channels.count("sms"), channels.count("mail")) == (TEXTS_PER_DAY, 3)


def test_the_choice_is_audited_once_and_keeps_the_other_settings(session, actor_of, phone, now):
    phone()
    bob = actor_of("bob")
    save_mail_preferences(session, tickets=False, actor=bob, now=now)
    for _ in range(2):
        save_notice_choice(session, "both", actor=bob, now=now)
    save_mail_preferences(session, tickets=True, actor=bob, now=now)
    assert session.get(User, bob.user_id).mail_preferences == {"tickets": True, "new_device": "both"}
    trail = select(AuditEntry).where(
        AuditEntry.action == "user.device_notice_saved", AuditEntry.record_id == bob.user_id
    )
    (entry,) = session.scalars(trail).all()
    assert (entry.before, entry.after) == ({"new_device": "mail"}, {"new_device": "both"})


def test_a_number_belongs_to_its_owner_alone(session, actor_of, phone, now):
    phone("alice")
    assert read_notice_choice(session, actor=actor_of("bob")).phone is None
    with pytest.raises(Invalid):
        save_notice_choice(session, "text", actor=actor_of("bob"), now=now)
    for use in (read_notice_choice, lambda *a, **k: save_notice_choice(*a, "mail", now=now, **k)):
        with pytest.raises(NotFound):
            use(session, actor=actor_of("nia"))
        with pytest.raises(Forbidden):
            use(session, actor=visitor(session.tenant_id))
