"""Which passwords are taken (AUTH-15)."""

import threading

import pytest

from portal.errors import Invalid
from portal.lib.wording.errors import MESSAGES
from portal.lib.wording.passwords import HINTS, STRENGTHS
from portal.services.accounts.password_rules import check_password, rate_password, split_words

OWN = split_words("Alice Moreau", "alice.moreau@acme.example", "Acme Manufacturing", "Kestrel IT")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "trombone lamp 7",
        "ünïcødé wörter",
        "пароль длинный",
        "名前のない長い文",
        "x" * 4 + "Kp9 vRt2 mQw8 zLb5",
        "Kp9 vRt2 mQw8 zLb5 " * 6,
        "alice finds a trombone",
        "  spaces around it  ",
        "😀🎺🐘🧲🪑🫖🧶🪁",
    ],
)
def test_good_passwords_of_any_kind_are_taken(password):
    check_password(password, OWN)
    assert rate_password(password, OWN).score >= 2


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "required"),
        ("Kp9 vRt", "too_short"),
        ("Kp9 vRt2 mQw8 zLb5" * 7 + "abc", "too_long"),
        ("Kp9 vRt2\x00mQw8", "characters_forbidden"),
        ("Kp9 vRt2\ud800mQw8", "characters_forbidden"),
        ("Kp9 vRt2\x1bmQw8", "characters_forbidden"),
        ("password", "password_common"),
        ("PASSWORD1", "password_common"),
        ("qwertyuiop", "password_common"),
        ("Passw0rd!2026", "password_common"),
        ("Summer2026!", "password_common"),
        ("aaaaaaaaaaaaaaaa", "password_weak"),
        ("a" * 128, "password_weak"),
        ("abcdefghijkl", "password_weak"),
        ("19871987", "password_weak"),
        ("alice.moreau", "password_own_words"),
        ("AliceMoreau1!", "password_own_words"),
        ("acme-2026", "password_own_words"),
        ("Kestrel IT 26", "password_own_words"),
        ("AcmeManufacturing99", "password_own_words"),
    ],
)
def test_others_are_refused_and_say_why(password, code):
    with pytest.raises(Invalid) as refused:
        check_password(password, OWN, field="new")
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("new", code)
    assert rate_password(password, OWN).score < 2
    assert code in MESSAGES


def test_length_is_counted_in_characters():
    check_password("é" + "Kp9 vRt2 mQw8 zLb5"[:7])
    assert rate_password("日本語の長い文章です"[:7]).problem.code == "too_short"
    assert rate_password("😀" * 128).problem.code == "password_weak"
    assert rate_password("😀" * 129).problem.code == "too_long"


def test_own_words_of_one_person_are_nobody_elses():
    """zxcvbn keeps own words in a table that all threads share."""
    results, ready = [], threading.Barrier(8)

    def rate(mine):
        ready.wait(10)
        for _ in range(20):
            results.append((mine, rate_password("qzvkxjwppassword1", ("qzvkxjwp",) if mine else ()).problem))

    threads = [threading.Thread(target=rate, args=(n % 2 == 0,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 160
    assert all((problem is not None) is mine for mine, problem in results)


def test_short_words_and_parts_of_names_are_left_alone():
    assert "it" not in OWN
    assert {"alice moreau", "alicemoreau", "alice", "moreau", "acme", "kestrel", "alice.moreau"} <= set(OWN)
    assert len(split_words(" ".join(f"word{n}" for n in range(500)))) <= 40
    assert split_words(None, "", "  ") == ()


@pytest.mark.parametrize(
    ("password", "hint"),
    [
        ("password", "common"),
        ("Passw0rd!2026", "almost_common"),
        ("aaaaaaaaaaaa", "repeat"),
        ("abcdefghijkl", "sequence"),
        ("12-05-1987", "date"),
        ("short", "more_words"),
    ],
)
def test_hints_have_words(password, hint):
    assert rate_password(password).hint == hint
    assert hint in HINTS


def test_every_score_has_a_name():
    assert len(STRENGTHS) == 5
