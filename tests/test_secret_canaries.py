"""Whatever people type or are handed leaves no trace in logs, rows, stored mails or error pages (SEC-07, SEC-09).

A session of sign-ins, resets, tokens and factors with secrets that are told from everything else, then a search of
all that was written. The mails that left may hold their links; the rows they were made of may not.
"""

import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from portal.lib.clock import utcnow
from portal.lib.logs import configure_logs
from portal.lib.vault import Vault
from portal.models.session import TenantSessions, normalise_url
from portal.services.accounts.totp import begin_enrolment
from tests.browsing import csrf_token
from tests.conftest import CHEAP, settings_for
from tests.posting import Worker, path_in, texts
from tests.world import PASSWORD, World, build_world

HOST = "http://127.0.0.1"
# Words that stand nowhere else, each typed as what it is called.
TYPED = {
    "wrong password": "zebra-Xylophone-41-wrong",
    "password typed as the name": "zebra-Xylophone-42-name",
    "new password": "zebra-Xylophone-43-brandnew",
    "password to a token": "zebra-Xylophone-44-token",
    "made-up bearer": "zebra-Xylophone-45-bearer",
    "made-up refresh token": "zebra-Xylophone-46-refresh",
    "made-up link": "zebra-Xylophone-47-link",
    "password of a crash": "zebra-Xylophone-48-crash",
    "token in a query": "zebra-Xylophone-49-query",
}


@dataclass
class Place:
    """An installation of its own, its log, and every secret that came up in it."""

    app: Any
    world: World
    superuser: Engine
    worker: Worker
    log: io.StringIO
    pages: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Every row of every table as text; bytes as hexadecimal."""
        with self.superuser.connect() as connection:
            tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
            rows = (connection.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")) for table in tables)
            return "\n".join(row for of_table in rows for row in of_table)


@pytest.fixture(scope="module")
def place(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from portal.app import create_app

    database.create_database("secrets", template="template")
    settings = settings_for(database, "secrets", tmp_path_factory.mktemp("secrets"))
    world = build_world(create_engine(settings.owner_database_url, poolclass=NullPool), CHEAP, now=utcnow())
    root = logging.getLogger()
    before = list(root.handlers), root.level
    log = io.StringIO()
    configure_logs(log, level=logging.DEBUG)
    app = create_app(settings)
    worker = Worker(TenantSessions(app.extensions["portal_engine"]), Vault(settings.vault_secrets), world.demo)
    superuser = create_engine(normalise_url(database.superuser_url("secrets")), poolclass=NullPool)
    made = Place(app, world, superuser, worker, log, secrets=dict(TYPED))
    live(made)
    yield made
    structlog.reset_defaults()
    root.handlers[:], level = before
    root.setLevel(level)


def live(place: Place) -> None:
    """The session: at both doors, by mail, by programs; right, wrong and broken."""
    sign_in_wrongly(place)
    use_the_portal(place)
    forget_the_password(place)
    use_the_api(place)
    enrol(place)
    crash(place)


def form(client: Any, path: str, **fields: str) -> Any:
    page = client.get("/portal/login", base_url=HOST, follow_redirects=True)
    return client.post(path, base_url=HOST, data={"csrf_token": csrf_token(page), **fields})


def sign_in_wrongly(place: Place) -> None:
    client = place.app.test_client()
    for identifier, password in (
        ("bob@acme.example", TYPED["wrong password"]),
        (TYPED["password typed as the name"], PASSWORD),
        ("sam@demo.example", TYPED["wrong password"]),
    ):
        answer = form(client, "/portal/login", identifier=identifier, password=password)
        assert answer.status_code == 401
        # What was typed as the name is shown again to who typed it.
        place.pages.append(answer.get_data(as_text=True).replace(identifier, ""))
    for path in ("/portal/reset/", "/portal/not-me/"):
        place.pages.append(client.get(path + TYPED["made-up link"], base_url=HOST).get_data(as_text=True).replace(
            path + TYPED["made-up link"], ""))  # fmt: skip
    client.get(f"/portal/login?token={TYPED['token in a query']}", base_url=HOST)


def use_the_portal(place: Place) -> None:
    client = place.app.test_client()
    assert form(client, "/portal/login", identifier="bob@acme.example", password=PASSWORD).status_code == 303
    place.secrets |= cookies(place, client, "bob")
    client.get("/portal/", base_url=HOST)
    assert form(client, "/portal/logout").status_code == 303


def cookies(place: Place, client: Any, name: str) -> dict[str, str]:
    """The secrets in a browser's cookies: session, device, the signed cookie as a whole."""
    found = client.get_cookie("portico", domain="127.0.0.1")
    device = client.get_cookie("portico_device", domain="127.0.0.1")
    assert found is not None
    assert device is not None
    signed = place.app.session_interface.get_signing_serializer(place.app)
    held = signed.loads(found.value)
    return {
        f"session of {name}": held["portal_token"],
        f"cookie of {name}": found.value,
        f"device of {name}": device.value,
    }


def forget_the_password(place: Place) -> None:
    client = place.app.test_client()
    form(client, "/portal/forgot", identifier="alice@acme.example")
    mail = place.worker.work().last("alice@acme.example")
    path = path_in(mail)
    place.secrets["reset link"] = path.rpartition("/")[2]
    assert place.secrets["reset link"] in texts(mail), "the mail that leaves holds the link"
    assert client.get(path, base_url=HOST).status_code == 200
    assert form(client, path, password=TYPED["new password"]).status_code == 303
    assert form(client, path, password=TYPED["new password"]).status_code == 410
    signed_in = form(client, "/portal/login", identifier="alice@acme.example", password=TYPED["new password"])
    assert signed_in.status_code == 303
    place.secrets |= cookies(place, client, "alice")
    place.worker.work()


def use_the_api(place: Place) -> None:
    client = place.app.test_client()

    def call(path: str, body: dict[str, str], token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.post(f"/api/v1/auth/{path}", base_url=HOST, json=body, headers=headers)

    sam = {"identifier": "sam@demo.example", "password": PASSWORD}
    first = call("token", sam).get_json()
    second = call("refresh", {"refresh_token": first["refresh_token"]}).get_json()
    place.secrets |= {"first refresh token": first["refresh_token"], "second refresh token": second["refresh_token"],
                      "first access token": first["access_token"], "second access token": second["access_token"]}  # fmt: skip
    for answer in (
        call("refresh", {"refresh_token": first["refresh_token"]}),
        call("token", sam | {"password": TYPED["password to a token"]}),
        call("refresh", {"refresh_token": TYPED["made-up refresh token"]}),
        call("revoke", {}, TYPED["made-up bearer"]),
        client.get("/api/v1/auth/me", base_url=HOST, headers={"Authorization": f"Bearer {TYPED['made-up bearer']}"}),
        call("token", sam | {TYPED["password to a token"]: "x"}),
    ):
        body = answer.get_data(as_text=True)
        # The name of an unknown field is told back to who sent it.
        place.pages.append(body if answer.status_code != 422 else "")


def enrol(place: Place) -> None:
    with place.worker.sessions.begin(place.world.demo) as session:
        enrolment = begin_enrolment(
            session,
            place.world.people["mia"].user_id,
            account="mia",
            issuer="Kestrel",
            vault=place.worker.vault,
            now=utcnow(),
        )
    place.secrets["key of an authenticator"] = enrolment.secret


def crash(place: Place) -> None:
    """What nobody expected, with a secret in the error and another one in what was sent."""
    client = place.app.test_client()
    with pytest.MonkeyPatch.context() as patch:

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError(f"cannot use password={TYPED['password of a crash']}")

        patch.setattr("portal.blueprints.accounts.doors.prove_password", fail)
        sent = {"identifier": "bob@acme.example", "password": TYPED["password of a crash"]}
        answer = form(client, "/portal/login", **sent)
    assert answer.status_code == 500
    place.pages.append(answer.get_data(as_text=True))


def spellings(secret: str) -> Iterator[str]:
    """How a secret could stand in a dump."""
    raw = secret.encode()
    yield from (secret, json.dumps(secret)[1:-1], raw.hex(), base64.b64encode(raw).decode().rstrip("="))


def found_in(haystack: str, place: Place) -> list[str]:
    return [name for name, secret in place.secrets.items() if any(form in haystack for form in spellings(secret))]


def test_the_session_had_its_secrets(place: Place) -> None:
    assert len(place.secrets) >= len(TYPED) + 10
    assert all(len(secret) > 15 for secret in place.secrets.values())


def test_no_secret_is_in_any_row(place: Place) -> None:
    dump = place.dump()
    assert "bob@acme.example" in dump, "the dump is one"
    assert found_in(dump, place) == []


def test_no_secret_is_in_the_log(place: Place) -> None:
    lines = place.log.getvalue()
    assert "request_failed" in lines, "the log is one"
    assert "RuntimeError" in lines
    assert found_in(lines, place) == []
    assert all(json.loads(line)["event"] for line in lines.splitlines())


def test_no_secret_is_on_a_page_that_refuses(place: Place) -> None:
    assert len(place.pages) > 8
    assert found_in("\n".join(place.pages), place) == []


def test_stored_mails_hold_a_mark_instead_of_the_link(place: Place) -> None:
    with place.superuser.connect() as connection:
        mails = connection.execute(text("SELECT template, text, html FROM mail_messages")).all()
    reset = [mail for mail in mails if mail.template == "reset_password"]
    assert reset
    assert all("/portal/reset/[one-time-secret]" in mail.text for mail in reset)
    assert found_in("\n".join(f"{mail.text}{mail.html}" for mail in mails), place) == []


@pytest.mark.parametrize("form_of", [str, lambda secret: secret.encode().hex()], ids=["plain", "bytes"])
def test_the_search_would_notice(place: Place, form_of: Callable[[str], str]) -> None:
    assert found_in(f"x {form_of(TYPED['new password'])} y", place) == ["new password"]
