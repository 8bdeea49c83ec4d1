"""Lines of the log: known fields, and nothing that opens a door, whoever wrote them."""

import io
import json
import logging

import pytest
import structlog

from portal.lib.logs import GONE, build_formatter, configure_logs, redact
from portal.lib.tokens import new_token

TOKEN = "k3JQ9-x_Zr7WqTn2LhVbYcDf5GmPsA8uEoKiXw1RtNg"
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("password=hunter2 next", "hunter2"),
        ("{'password': 'correct horse battery', 'a': 1}", "correct horse"),
        ('{"new_password":"pässwörter & more"}', "pässwörter"),
        ("refresh_token: abc.def", "abc.def"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("bearer xyz", "xyz"),
        ("Cookie: portico=eyJhIjoxfQ.x.y; theme=dark", "eyJhIjoxfQ"),
        (f"GET /portal/reset/{TOKEN} failed", TOKEN),
        (f"/portal/reset/{TOKEN}", TOKEN),
        (f"token {JWT} expired", "c2lnbmF0dXJl"),
        ("GET /admin/audit/?actor=Ana+Moreau", "Ana"),
        ("otpauth://totp/Portico:ana?secret=JBSWY3DP", "JBSWY3DP"),
        ("hash $argon2id$v=19$m=8,t=1,p=1$abc$def is old", "abc$def"),
        ("postgresql://portal_app:geheim@db:5432/portal", "geheim"),
        ("smtp://user:p%40ss@mail.example:587", "p%40ss"),
        ("code=123456 wrong", "123456"),
        ("{'code': 'ABCD-1234'}", "ABCD-1234"),
        ("card 4242 4242 4242 4242 declined", "4242 4242"),
        ("card 4242424242424242", "4242424242424242"),
        ("duplicate key\nDETAIL:  Key (email)=(ana@acme.example) already exists.", "ana@acme"),
        ("x [type=string, input_value='my secret text', input_type=str]", "my secret"),
        ("api_key='pk_live_1'", "pk_live_1"),
        ("cvc: 737", "737"),
    ],
)
def test_what_looks_like_a_secret_is_gone(line, secret):
    found = redact(line)
    assert secret not in found
    assert GONE in found


@pytest.mark.parametrize(
    "line",
    [
        "worker is up",
        "waiting for the database: OperationalError",
        "event 0b1c6a8e-6a54-4f53-8a3c-0d4a1f3c2b11 (ticket.created) cannot be passed on",
        "request 3f2a9d7c5b6e4a1f8d0c9b7a6e5f4d3c took 12 ms",
        "portal.services.notifications.fan_out raised ValueError",
        "the audit chain of tenant 0b1c6a8e-6a54-4f53-8a3c-0d4a1f3c2b11 does not go on from position 1234567890",
        "exit code 1",
        "2026-11-24T09:00:00.123456+00:00",
        "/admin/tickets/0b1c6a8e-6a54-4f53-8a3c-0d4a1f3c2b11",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "order 1234567890123456 is no card's",
        '  File "/srv/portal/services/accounts/one_time.py", line 76, in issue_link',
    ],
)
def test_what_is_none_stays(line):
    assert redact(line) == line


def test_no_token_of_ours_gets_through():
    """A thousand of them, at the ends of addresses and alone."""
    for _ in range(500):
        token = new_token()
        assert redact(token) == GONE
        assert token not in redact(f"GET /portal/join/{token} HTTP/1.1")


@pytest.fixture
def written():
    """Lines as this process would write them, and the loggers as they were afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_of_ours(written):
    structlog.get_logger("x").warning("changes_crossed", constraint="23505", request_id="r-1", path="/portal/x?y=z")
    (line,) = written()
    assert line["event"] == "changes_crossed"
    assert (line["level"], line["constraint"], line["request_id"]) == ("warning", "23505", "r-1")
    assert line["path"] == f"/portal/x?{GONE}"
    assert line["timestamp"].endswith("Z")


def test_a_field_that_nobody_thought_about_says_nothing(written):
    structlog.get_logger("x").warning("odd", body="the whole letter", message_text="private")
    assert "letter" not in json.dumps(written())
    assert written()[0]["body"] == GONE


def test_a_line_of_a_library(written):
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/portal/reset/{TOKEN}?next=/x")
    (line,) = written()
    assert TOKEN not in line["event"]
    assert line["event"].startswith("Error handling request /portal/reset/")


def test_a_traceback(written):
    def fail():
        raise RuntimeError(f"password=hunter2 and {TOKEN}")

    try:
        fail()
    except RuntimeError:
        structlog.get_logger("x").exception("request_failed", path="/x")
        logging.getLogger("y").exception("worker ends")
    for line in written():
        assert "RuntimeError" in line["exception"]
        assert "in fail" in line["exception"]
        assert "hunter2" not in line["exception"]
        assert TOKEN not in line["exception"]


def test_debug_lines_are_not_written(written):
    structlog.get_logger("x").debug("fine")
    logging.getLogger("y").debug("fine")
    assert written() == []


def test_gunicorn_writes_so_too():
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "at %s", (f"/x/{TOKEN}",), None)
    assert TOKEN not in build_formatter().format(record)
