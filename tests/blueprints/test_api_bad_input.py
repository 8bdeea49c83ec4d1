"""Bodies that nobody should send: a 4xx with a code, nothing stored, never a 5xx (issue, "Bad input")."""

import json
from typing import Any

import pytest

from tests.blueprints.conftest import DESK, TICKETS, codes, problem

GOOD = {"subject": "VPN drops", "description": "Since Monday.", "category": "drill"}
LONG = "x" * 20_001


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"subject": ""}, {"subject": "required"}),
        ({"subject": " \n\t "}, {"subject": "required"}),
        ({"subject": "x" * 256}, {"subject": "too_long"}),
        ({"description": LONG}, {"description": "too_long"}),
        ({"subject": None}, {"subject": "wrong_type"}),
        ({"subject": 5}, {"subject": "wrong_type"}),
        ({"subject": ["x"]}, {"subject": "wrong_type"}),
        ({"description": {"a": 1}}, {"description": "wrong_type"}),
        ({"category": "nothing"}, {"category": "unknown_category"}),
        ({"category": "Drill"}, {"category": "unknown_category"}),
        ({"priority": "top"}, {"priority": "unknown_choice"}),
        ({"priority": None}, {"priority": "unknown_choice"}),
        ({"status": "closed"}, {"status": "unknown_field"}),
        ({"tenant_id": "x", "requester_id": "y"}, {"tenant_id": "unknown_field", "requester_id": "unknown_field"}),
        ({"attachment_ids": "x"}, {"attachment_ids": "wrong_type"}),
        ({"subject": "a\x00b"}, {"subject": "characters_forbidden"}),
        ({"subject": "a\x1bb"}, {"subject": "characters_forbidden"}),
        ({"description": "\ud800"}, {"description": "characters_forbidden"}),
        ({"\x00": 1}, {"\ufffd": "characters_forbidden"}),
        ({"x" * 300: 1}, {"x" * 100: "unknown_field"}),
    ],
)
def test_bad_field_is_named(api: Any, change: Any, expected: dict[str, str]) -> None:
    before = api("bob").get(TICKETS, query_string={"limit": 1}).get_json()["items"][:1]
    assert codes(api("bob").post(TICKETS, json={**GOOD, **change})) == expected
    assert api("bob").get(TICKETS, query_string={"limit": 1}).get_json()["items"][:1] == before


def test_missing_fields_are_named_all_at_once(api: Any) -> None:
    assert codes(api("bob").post(TICKETS)) == {
        "subject": "required",
        "description": "required",
        "category": "required",
    }


BROKEN = {
    "nothing": (b"", "json_invalid"),
    "half": (b'{"subject": ', "json_invalid"),
    "trailing": (b"{} {}", "json_invalid"),
    "comment": (b"{/* */}", "json_invalid"),
    "single quotes": (b"{'subject': 1}", "json_invalid"),
    "NaN": (b'{"subject": NaN}', "json_invalid"),
    "Infinity": (b'{"subject": -Infinity}', "json_invalid"),
    "beyond a float": (b'{"subject": 1e999}', "json_invalid"),
    "endless digits": (b'{"subject": ' + b"9" * 5000 + b"}", "json_invalid"),
    "repeated name": (b'{"subject": "a", "subject": "b"}', "json_invalid"),
    "not UTF-8": (b'{"subject": "\xff"}', "json_invalid"),
    "UTF-16": ('{"subject": "a"}'.encode("utf-16"), "json_invalid"),
    "byte order mark": (b"\xef\xbb\xbf{}", "json_invalid"),
    "raw control character": (b'{"subject": "a\x01"}', "json_invalid"),
    "deep": (b"[" * 21 + b"]" * 21, "json_too_deep"),
    "very deep": (b"[" * 100_000 + b"]" * 100_000, "json_too_deep"),
    "very deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "json_too_deep"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_json_is_a_bad_request(api: Any, case: str) -> None:
    raw, code = BROKEN[case]
    problem(api("bob").post(TICKETS, data=raw, content_type="application/json"), 400, code)


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"5", b"true"])
def test_body_must_be_an_object(api: Any, raw: bytes) -> None:
    assert codes(api("bob").post(TICKETS, data=raw, content_type="application/json")) == {"body": "wrong_type"}


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
def test_anything_but_json_is_an_unsupported_type(api: Any, ticket: Any, kind: str) -> None:
    raw = json.dumps(GOOD).encode()
    problem(api("bob").post(TICKETS, data=raw, content_type=kind), 415, "unsupported_media_type")
    closing = api("bob").post(f"{TICKETS}/{ticket()['id']}/close", data=b"{}", content_type=kind)
    problem(closing, 415, "unsupported_media_type")


def test_json_with_a_charset_is_json(api: Any) -> None:
    answer = api("bob").post(TICKETS, data=json.dumps(GOOD), content_type="application/json; charset=utf-8")
    assert answer.status_code == 201


@pytest.mark.parametrize("size", [600 * 1024, 10 * 1024 * 1024])
def test_large_bodies_are_refused(api: Any, size: int) -> None:
    raw = b'{"subject": "' + b"x" * size + b'"}'
    problem(api("bob").post(TICKETS, data=raw, content_type="application/json"), 413, "too_large")


def test_longest_texts_fit_even_when_escaped(api: Any) -> None:
    body = {"subject": "😀" * 255, "description": "😀" * 20_000, "category": "drill"}
    answer = api("bob").post(TICKETS, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 201
    assert answer.get_json()["description"] == body["description"]


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        (0, "out_of_range"),
        (6, "out_of_range"),
        (10**30, "out_of_range"),
        (4.5, "not_a_number"),
        ("5", "not_a_number"),
        (True, "not_a_number"),
        (None, "not_a_number"),
        ([5], "not_a_number"),
    ],
)
def test_rating_is_a_whole_number(api: Any, ticket: Any, rating: Any, expected: str) -> None:
    path = f"{TICKETS}/{ticket()['id']}/rate"
    assert codes(api("bob").post(path, json={"rating": rating})) == {"rating": expected}


def test_whole_float_is_a_whole_number(api: Any, ticket: Any) -> None:
    path = f"{TICKETS}/{ticket()['id']}"
    api("bob").post(f"{path}/close")
    assert api("bob").post(f"{path}/rate", json={"rating": 4.0}).get_json()["satisfaction_rating"] == 4


@pytest.mark.parametrize("action", ["reply", "notes", "assign"])
@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": " "}, {"assignee_id": "x"}, {"assignee_id": 5}])
def test_bad_bodies_at_the_desk(api: Any, ticket: Any, action: str, body: Any) -> None:
    answer = api("sam").post(f"{DESK}/{ticket()['id']}/{action}", json=body)
    assert set(codes(answer)) <= {"message", "assignee_id"}


def test_markup_in_texts_stays_text(api: Any, ticket: Any) -> None:
    text = "<script>alert(1)</script> '; DROP TABLE users; -- {{ 7*7 }} %(x)s %s"
    made = ticket(subject=text, description=text)
    assert (made["subject"], made["description"]) == (text, text)


@pytest.mark.parametrize(
    "q", ["%", "'", "a & b | !c", "<->", ":*", "\\", "((((", "é ü ß", "名前", "x" * 200, "…", "a:b"]
)
def test_search_takes_any_text(api: Any, q: str) -> None:
    assert api("bob").get(TICKETS, query_string={"q": q}).status_code == 200
    assert api("sam").get(DESK, query_string={"q": q}).status_code == 200


@pytest.mark.parametrize("value", [1, 0, "true", "yes", None, [], {}])
def test_a_flag_is_true_or_false_alone(api: Any, value: Any) -> None:
    answer = api("alice").patch("/api/v1/portal/company/ticket-sharing", json={"shares_tickets": value})
    assert codes(answer) == {"shares_tickets": "wrong_type"}
