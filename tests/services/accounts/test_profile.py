"""One's own profile: what may be written, what is told to auditors, how complete it is (H9.1, ACC-04)."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.errors import Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Person, User
from portal.services.accounts.addresses import AddressText, add_address
from portal.services.accounts.avatars import get_avatar, remove_avatar, save_avatar
from portal.services.accounts.completeness import Piece, measure_completeness
from portal.services.accounts.own import load_own
from portal.services.accounts.profile import ProfileChange, get_profile, own_person_id, save_profile
from tests.pictures import opened, picture

LOCALES = ("en", "de", "ar")


def save(session, actor, now, **fields):
    wanted = replace(ProfileChange.of(get_profile(session, actor=actor)), **fields)
    return save_profile(session, wanted, locales=LOCALES, actor=actor, now=now)


def audits(session, action):
    return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)))


def test_everything_of_it_can_be_changed(session, now, actor_of):
    bob = actor_of("bob")
    save(session, bob, now, name="  Robert   Keller ", title="Lead", date_of_birth=date(1990, 2, 28), locale="de",
         timezone="Asia/Riyadh", theme="dark")  # fmt: skip
    session.expire_all()
    own = load_own(session, bob)
    assert (own.person.name, own.person.title, own.person.date_of_birth) == ("Robert Keller", "Lead", date(1990, 2, 28))
    assert (own.user.locale, own.user.timezone, own.user.theme) == ("de", "Asia/Riyadh", "dark")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "  "}, {"name": "required"}),
        ({"name": "x" * 101}, {"name": "too_long"}),
        ({"name": "a\x00b"}, {"name": "characters_forbidden"}),
        ({"title": "x" * 81}, {"title": "too_long"}),
        ({"date_of_birth": date(1899, 12, 31)}, {"date_of_birth": "birth_invalid"}),
        ({"date_of_birth": date(2026, 11, 24)}, {"date_of_birth": "birth_invalid"}),
        ({"locale": "xx"}, {"locale": "unknown_choice"}),
        ({"timezone": "Mars/Base"}, {"timezone": "timezone_unknown"}),
        ({"theme": "neon"}, {"theme": "unknown_choice"}),
        ({"name": "", "theme": "neon"}, {"name": "required", "theme": "unknown_choice"}),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(session, now, actor_of, fields, wrong):
    with pytest.raises(Invalid) as refused:
        save(session, actor_of("bob"), now, **fields)
    assert {error.field: error.code for error in refused.value.errors} == wrong


def test_an_auditor_sees_that_it_changed_but_not_the_birthday(session, now, actor_of):
    save(session, actor_of("bob"), now, name="Robert", date_of_birth=date(1990, 2, 28), theme="dark")
    entry = audits(session, "user.profile_saved")[-1]
    assert entry.after == {"theme": "dark", "changed": ["name", "date_of_birth", "theme"]}
    assert entry.before == {"theme": "system"}
    save(session, actor_of("bob"), now)
    assert len(audits(session, "user.profile_saved")) == 1


def test_nobody_s_profile_but_one_s_own(session, now, actor_of, world):
    save(session, actor_of("bob"), now, name="Robert")
    names = set(session.scalars(select(Person.name)))
    assert {"Robert", "Alice Moreau", "Sam Okafor"} <= names
    assert "Bob Keller" not in names
    with pytest.raises(NotFound):
        get_profile(session, actor=system_actor(world.demo))
    with pytest.raises(NotFound):
        get_profile(session, actor=actor_of("nia"))
    with pytest.raises(Forbidden):
        get_profile(session, actor=replace(actor_of("bob"), roles=frozenset()))


def test_completeness_names_what_is_missing_in_order():
    assert measure_completeness(frozenset()).percent == 0
    assert measure_completeness(frozenset(Piece)).percent == 100
    half = measure_completeness(frozenset({Piece.NAME, Piece.TITLE, Piece.PICTURE}))
    assert (half.percent, half.missing) == (50, (Piece.EMAIL_VERIFIED, Piece.PHONE_VERIFIED, Piece.ADDRESS))


def test_completeness_grows_with_the_profile(session, now, actor_of):
    bob = actor_of("bob")
    assert get_profile(session, actor=bob).completeness.percent == 16
    save(session, bob, now, title="Lead")
    save_avatar(session, picture(), actor=bob, now=now)
    add_address(session, AddressText("Rue 1", "Lyon", "69001", "FR"), actor=bob, now=now)
    person = load_own(session, bob).person
    person.email_verified_at = person.phone_verified_at = now
    # A verification without a number is none.
    assert get_profile(session, actor=bob).completeness.missing == (Piece.PHONE_VERIFIED,)
    person.phone = "+33639980015"
    session.flush()
    assert get_profile(session, actor=bob).completeness.percent == 100


def test_the_page_s_facts_take_one_statement(session, actor_of, statements):
    get_profile(session, actor=actor_of("bob"))
    session.expire_all()
    del statements[:]
    assert get_profile(session, actor=actor_of("bob")).person.name
    assert len(statements) == 1


def test_a_picture_is_drawn_anew_replaced_and_removed(session, now, actor_of):
    bob = actor_of("bob")
    save_avatar(session, picture(colour=(255, 0, 0)), actor=bob, now=now)
    first = get_profile(session, actor=bob).picture
    save_avatar(session, picture(colour=(0, 0, 255)), actor=bob, now=now)
    shown = get_avatar(session, own_person_id(session, bob), actor=bob)
    assert opened(shown.content).size == (256, 256)
    assert get_profile(session, actor=bob).picture == shown.sha256 != first
    remove_avatar(session, actor=bob, now=now)
    remove_avatar(session, actor=bob, now=now)
    assert get_profile(session, actor=bob).picture is None
    assert [len(audits(session, f"user.picture_{done}")) for done in ("saved", "removed")] == [2, 1]


@pytest.mark.parametrize("content", [b"", b"no picture", b"x" * (5 * 1024 * 1024 + 1)])
def test_what_is_no_picture_leaves_the_old_one(session, now, actor_of, content):
    bob = actor_of("bob")
    save_avatar(session, picture(), actor=bob, now=now)
    before = get_profile(session, actor=bob).picture
    with pytest.raises(Invalid) as refused:
        save_avatar(session, content, actor=bob, now=now)
    assert refused.value.errors[0].field == "picture"
    assert get_profile(session, actor=bob).picture == before


@pytest.mark.parametrize(
    ("whose", "who", "seen"),
    [
        ("bob", "bob", True),
        ("bob", "alice", True),
        ("bob", "charlie", False),
        ("bob", "sam", True),
        ("bob", "bill", True),
        ("sam", "bob", True),
        ("sam", "charlie", True),
        ("sam", "mia", True),
    ],
)
def test_who_sees_whose_picture(session, now, actor_of, whose, who, seen):
    owner = actor_of(whose)
    save_avatar(session, picture(), actor=owner, now=now)
    person_id = own_person_id(session, owner)
    if seen:
        assert get_avatar(session, person_id, actor=actor_of(who)).content
    else:
        with pytest.raises(NotFound):
            get_avatar(session, person_id, actor=actor_of(who))


@pytest.mark.parametrize("who", ["nia", "noor"])
def test_a_picture_does_not_leave_its_tenant(session, now, actor_of, sessions, world, who):
    save_avatar(session, picture(), actor=actor_of("sam"), now=now)
    person_id = own_person_id(session, actor_of("sam"))
    with sessions.begin(world.nova) as elsewhere, pytest.raises(NotFound):
        get_avatar(elsewhere, person_id, actor=actor_of(who))


def test_a_picture_that_is_not_there_is_not_found(session, actor_of, world):
    with pytest.raises(NotFound):
        get_avatar(session, own_person_id(session, actor_of("bob")), actor=actor_of("bob"))
    with pytest.raises(NotFound):
        get_avatar(session, world.demo, actor=actor_of("sam"))


def test_logins_of_several_companies_see_both(session, now, actor_of, world):
    save_avatar(session, picture(), actor=actor_of("charlie"), now=now)
    both = replace(actor_of("bob"), company_ids=(world.companies["acme"], world.companies["globex"]))
    assert get_avatar(session, own_person_id(session, actor_of("charlie")), actor=both).content
    assert session.scalar(select(User.id).where(User.id == both.user_id))
