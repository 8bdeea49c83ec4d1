"""What an operator does at the command line: keys rotated, features switched."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from portal.lib.vault import Vault
from portal.models import AuditEntry, MailMessage, Person, TotpFactor, User, UserStatus
from portal.models.session import TenantSessions, build_engine
from portal.services.tenants.features import FEATURES
from tests.browsing import csrf_token
from tests.conftest import CHEAP, settings_for
from tests.world import World, build_world

OLD, NEW = "the old key of this installation, long", "the new key of this installation, long"


class Place:
    """An installation of its own, and commands with whatever keys it is configured with."""

    def __init__(self, settings: Any, world: World) -> None:
        self.settings, self.world = settings, world
        self.engine = build_engine(settings.database_url, pool_size=2)
        self.sessions = TenantSessions(self.engine)

    def run(self, *words: str, keys: tuple[str, ...] = (OLD,)) -> Any:
        from portal.app import create_app

        app = create_app(replace(self.settings, encryption_keys=keys))
        result = app.test_cli_runner().invoke(args=["portal", *words])
        app.extensions["portal_engine"].dispose()
        return result

    def audited(self, action: str) -> list[AuditEntry]:
        with self.sessions.begin(self.world.demo) as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.fixture
def place(database: Any, new_database: Any, tmp_path: Path) -> Iterator[Place]:
    name = new_database(f"operator_{uuid4().hex[:8]}")
    settings = settings_for(database, name, tmp_path)
    world = build_world(create_engine(settings.owner_database_url, poolclass=NullPool), CHEAP, now=datetime.now(UTC))
    made = Place(settings, world)
    yield made
    made.engine.dispose()
    database.drop_database(name)


def store(place: Place) -> None:
    with place.sessions.begin(place.world.demo) as session:
        session.add(
            TotpFactor(
                tenant_id=place.world.demo,
                user_id=place.world.people["sam"].user_id,
                secret=Vault([OLD]).encrypt(b"JBSWY3DPEHPK3PXP"),
                created_at=datetime.now(UTC),
            )
        )


def test_keys_are_rotated_and_the_old_one_goes(place: Place) -> None:
    store(place)
    too_early = place.run("keys", "rotate", keys=(NEW,))
    assert too_early.exit_code == 1
    assert "demo totp_factors.secret: 0 renewed, 0 current, 1 unreadable" in too_early.output
    rotated = place.run("keys", "rotate", keys=(NEW, OLD))
    assert rotated.exit_code == 0, rotated.output
    assert "demo totp_factors.secret: 1 renewed, 0 current, 0 unreadable" in rotated.output
    assert "JBSWY3DPEHPK3PXP" not in rotated.output
    alone = place.run("keys", "rotate", keys=(NEW,))
    assert alone.exit_code == 0
    assert "demo totp_factors.secret: 0 renewed, 1 current, 0 unreadable" in alone.output
    with place.sessions.begin(place.world.demo) as session:
        assert Vault([NEW]).decrypt(session.scalars(select(TotpFactor.secret)).one()) == b"JBSWY3DPEHPK3PXP"
    assert len(place.audited("keys.rotated")) == 1


def test_features_are_listed_and_switched(place: Place) -> None:
    assert "demo tickets: on" in place.run("flags", "list").output
    assert place.run("flags", "set", "tickets", "off", "--tenant", "demo").output == "demo tickets: off\n"
    assert "off already" in place.run("flags", "set", "tickets", "off", "--tenant", "demo").output
    listed = place.run("flags", "list").output.splitlines()
    assert [line for line in listed if "tickets" in line] == ["demo tickets: off", "nova tickets: on"]
    of_nova = place.run("flags", "list", "--tenant", "nova").output.splitlines()
    assert of_nova == [f"nova {name}: on" for name in sorted(FEATURES)]
    (entry,) = place.audited("tenant.feature_switched")
    assert (entry.actor_kind, entry.after) == ("system", {"tickets": False})


@pytest.mark.parametrize(
    "words",
    [
        ("flags", "set", "flying", "on", "--tenant", "demo"),
        ("flags", "set", "tickets", "perhaps", "--tenant", "demo"),
        ("flags", "set", "tickets", "on"),
        ("flags", "set", "tickets", "on", "--tenant", "nobody"),
        ("flags", "list", "--tenant", "nobody"),
    ],
)
def test_what_an_operator_mistypes(place: Place, words: tuple[str, ...]) -> None:
    assert place.run(*words).exit_code != 0
    assert place.audited("tenant.feature_switched") == []


def create_admin(place: Place, **options: str) -> Any:
    given = {"tenant": "demo", "email": "grace@demo.example", "name": "Grace Hale"} | options
    return place.run("admin", "create", *(word for name, value in given.items() for word in (f"--{name}", value)))


def test_an_administrator_is_invited_and_chooses_the_password(place: Place) -> None:
    from portal.app import create_app

    result = create_admin(place)
    assert result.exit_code == 0, result.output
    address = result.output.splitlines()[-1]
    assert address.startswith("http://127.0.0.1:8000/admin/join/")
    with place.sessions.begin(place.world.demo) as session:
        login = session.scalars(select(User).join(Person).where(Person.email == "grace@demo.example")).one()
        assert (login.status, login.password_hash) == (UserStatus.PENDING, None)
        mail = session.scalars(select(MailMessage).where(MailMessage.recipient == "grace@demo.example")).one()
        assert address.rpartition("/")[2] not in mail.text
    app = create_app(replace(place.settings, encryption_keys=(OLD,)))
    client, path = app.test_client(), address.removeprefix("http://127.0.0.1:8000")
    page = client.get(path, base_url="http://127.0.0.1")
    assert page.status_code == 200
    sent = {"csrf_token": csrf_token(page), "password": "a long walk by the lake 7", "name": "Grace Hale"}
    assert client.post(path, base_url="http://127.0.0.1", data=sent).status_code == 303
    assert client.get(path, base_url="http://127.0.0.1").status_code in (404, 410), "it worked once"
    assert client.get("/admin/settings/roles/", base_url="http://127.0.0.1").status_code == 200
    app.extensions["portal_engine"].dispose()


def test_the_link_is_printed_once(place: Place) -> None:
    assert create_admin(place).exit_code == 0
    again = create_admin(place)
    assert again.exit_code == 1
    assert "/admin/join/" not in again.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tenant": "nobody"}, "There is no tenant"),
        ({"email": "no address"}, "--email"),
        ({"email": "sam@demo.example"}, "--email"),
        ({"email": "alice@acme.example"}, "--email"),
        ({"name": " "}, "--name"),
    ],
)
def test_who_cannot_be_invited(place: Place, options: dict[str, str], words: str) -> None:
    result = create_admin(place, **options)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output
