"""What is refused leaves one row in the audit trail, however it was asked for; what is no denial leaves none."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.blueprints.denials import DENIALS
from portal.errors import Forbidden
from portal.models import AuditEntry, Role, TicketMessage
from portal.services.audit.queries import AuditFilter, list_entries
from tests.blueprints.conftest import DESK, TICKETS
from tests.browsing import Browser, csrf_token, program, sign_in
from tests.world import PASSWORD

REFUSALS = ("access.denied", "user.sign_in_refused")


@pytest.fixture
def trail(sessions, world):
    """The rows about refusals of a request (by its answer), or all of a tenant's since the test began."""

    def read(answer: Any = None, tenant: UUID | None = None) -> list[AuditEntry]:
        query = select(AuditEntry).where(AuditEntry.action.in_(REFUSALS)).order_by(AuditEntry.seq)
        if answer is not None:
            query = query.where(AuditEntry.request_id == answer.headers["X-Request-Id"])
        with sessions.begin(tenant or world.demo) as session:
            return list(session.scalars(query.where(AuditEntry.seq > begun)))

    with sessions.begin(world.demo) as session:
        begun = session.scalar(select(func.coalesce(func.max(AuditEntry.seq), 0)))
    return read


@pytest.fixture
def weak(monkeypatch):
    """Take a permission from customers."""

    def take(permission: Permission) -> None:
        left = ROLE_PERMISSIONS[Role.CUSTOMER] - {permission}
        monkeypatch.setitem(ROLE_PERMISSIONS, Role.CUSTOMER, left)

    return take


def facts(entry):
    return entry.actor_name, entry.record_type, entry.record_id, entry.after


def told(door, endpoint, permission):
    return {"door": door, "endpoint": endpoint, "code": "not_allowed", "permission": permission}


def test_a_page(app, world, trail, weak, ticket):
    weak(Permission.TICKETS_READ)
    made = UUID(ticket("alice")["id"])
    answer = sign_in(app, world, "bob").get(f"/portal/tickets/{made}")
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert facts(entry) == ("Bob Keller", "ticket", made, told("portal", "tickets.detail", "tickets:read"))
    assert (entry.actor_kind, entry.actor_id, entry.ip) == ("customer", world.people["bob"].user_id, "127.0.0.1")


def test_a_form(app, world, trail, weak):
    weak(Permission.TICKETS_CREATE)
    answer = sign_in(app, world, "bob").post("/portal/tickets/new", {"subject": "x", "description": "y"})
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert facts(entry) == ("Bob Keller", "access", None, told("portal", "tickets.new", "tickets:create"))


def test_the_api(trail, api, ticket):
    made = ticket()
    answer = api("bob").post(f"{DESK}/{made['id']}/notes", json={"message": "x"})
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert facts(entry)[:3] == ("Bob Keller", "ticket", UUID(made["id"]))
    assert entry.after["door"] == "api"
    assert entry.after["permission"] == "desk:note"


def test_the_back_office(app, world, trail, ticket):
    made = ticket()
    dora = sign_in(app, world, "dora")
    answer = dora.post(f"/admin/tickets/{made['id']}/reply", {"message": "x"})
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert facts(entry) == ("Dora Vance", "ticket", UUID(made["id"]), told("admin", "desk.reply", "desk:reply"))
    assert entry.actor_kind == "staff"


def test_a_service_that_refuses_halfway(app, world, trail, ticket, sessions, monkeypatch):
    """What the request had written is gone, the row about its refusal is not."""
    made = UUID(ticket("bob")["id"])

    def write_and_refuse(session, ticket_id, *, actor, now, **_):
        message = TicketMessage(
            id=uuid4(),
            ticket_id=ticket_id,
            sender_type="customer",
            sender_id=actor.user_id,
            sender_name="x",
            message="halfway",
            message_html="halfway",
            is_internal=False,
            created_at=now,
        )
        session.add(message)
        session.flush()
        raise Forbidden("no_company")

    monkeypatch.setattr("portal.services.tickets.conversation.reply_as_customer", write_and_refuse)
    answer = sign_in(app, world, "bob").post(f"/portal/tickets/{made}/reply", {"message": "x"})
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert entry.after == {"door": "portal", "endpoint": "tickets.reply", "code": "no_company"}
    with sessions.begin(world.demo) as session:
        assert session.scalar(select(TicketMessage.id).where(TicketMessage.message == "halfway")) is None


@dataclass(frozen=True)
class Way:
    """A way to sign in."""

    door: str

    def enter(self, app, identifier, password="wrong"):
        if self.door == "api":
            body = {"identifier": identifier, "password": password}
            return program(app, None, None).post("/api/v1/auth/token", json=body)
        browser = Browser(app.test_client(), "127.0.0.1", self.door)
        token = csrf_token(browser.get(f"/{self.door}/login"))
        data = {"csrf_token": token, "identifier": identifier, "password": password}
        return browser.client.post(f"/{self.door}/login", base_url="http://127.0.0.1", data=data)


WAYS = pytest.mark.parametrize("way", [Way("portal"), Way("admin"), Way("api")], ids=lambda way: way.door)


@WAYS
@pytest.mark.parametrize(
    ("identifier", "who"), [("bob@acme.example", "bob"), ("sam@demo.example", "sam"), ("s3cret-typed-here", None)]
)
def test_a_refused_sign_in(app, world, trail, way, identifier, who):
    answer = way.enter(app, identifier, "hunter2-typed-here")
    assert answer.status_code == 401
    (entry,) = trail(answer)
    user_id = world.people[who].user_id if who else None
    assert facts(entry) == ("", "user", user_id, {"door": way.door})
    assert (entry.action, entry.actor_id, entry.ip) == ("user.sign_in_refused", None, "127.0.0.1")
    kept = " ".join(str(getattr(entry, column.name)) for column in AuditEntry.__table__.columns)
    assert "typed-here" not in kept
    assert "@" not in kept


@WAYS
def test_the_right_password_at_the_wrong_door_is_a_refusal(app, world, trail, way):
    identifier = {"portal": "sam@demo.example", "admin": "bob@acme.example", "api": "nia@nova.example"}[way.door]
    (entry,) = trail(way.enter(app, identifier, PASSWORD))
    assert entry.after == {"door": way.door}


def test_what_is_no_denial_leaves_no_row(app, world, trail, api, ticket):
    bob = sign_in(app, world, "bob")
    foreign = ticket("charlie")["id"]
    assert bob.get(f"/portal/tickets/{foreign}").status_code == 404
    assert api("bob").get(f"{TICKETS}/{foreign}").status_code == 404
    assert bob.get("/admin/tickets/").status_code == 303
    assert api(None).get(TICKETS).status_code == 401
    without_token = bob.client.post("/portal/tickets/new", base_url="http://127.0.0.1", data={"subject": "x"})
    assert without_token.status_code == 400
    assert bob.get("/nope").status_code == 404
    assert trail() == []


def test_asking_too_often_is_no_denial(app, trail):
    way = Way("portal")
    codes = [way.enter(app, "bob@acme.example").status_code for _ in range(13)]
    assert codes == [401] * 10 + [429] * 3
    assert len(trail()) == 10


def test_a_flood_is_cut_off_and_the_last_row_says_so(app, world, trail, api):
    sam = api("sam")
    answers = [sam.get(TICKETS).status_code for _ in range(DENIALS.amount + 5)]
    assert answers == [403] * len(answers)
    rows = trail()
    assert len(rows) == DENIALS.amount
    assert [bool(row.after.get("last")) for row in rows] == [False] * (DENIALS.amount - 1) + [True]
    # Somebody else at the same address is still written down.
    (entry,) = trail(api("bob").get(DESK))
    assert entry.actor_name == "Bob Keller"


def test_a_flood_of_refused_sign_ins_hides_no_denial(app, trail, api):
    sam, way = api("sam"), Way("api")
    for number in range(DENIALS.amount + 3):
        assert way.enter(app, f"nobody{number}@acme.example").status_code == 401
    assert len(trail()) == DENIALS.amount
    assert len(trail(sam.get(TICKETS))) == 1


def test_what_the_denied_write_does_not_reach_the_row(app, world, trail, monkeypatch):
    """Neither a request number, nor an address that a header claims, nor a query; however long or odd."""
    dora = sign_in(app, world, "dora")
    hostile = "x" * 5_000
    answer = dora.get(
        f"/admin/audit/?actor={hostile}",
        headers={"X-Request-Id": hostile, "User-Agent": hostile, "Referer": "a\x7f" + hostile},
        environ_overrides={"REMOTE_ADDR": f"fe80::1%{hostile}\x00"},
    )
    assert answer.status_code == 403
    (entry,) = trail(answer)
    assert (entry.ip, len(entry.request_id)) == ("fe80::1", 32)
    assert facts(entry) == ("Dora Vance", "access", None, told("admin", "audit.index", "audit:read"))
    answer = dora.get("/admin/audit/", environ_overrides={"REMOTE_ADDR": hostile})
    assert answer.status_code == 403
    assert trail(answer)[0].ip == ""


def test_another_tenant_sees_nothing_of_it(app, world, trail, sessions, actor_of):
    answer = Way("portal").enter(app, "bob@acme.example")
    sign_in(app, world, "dora").get("/admin/audit/")
    assert len(trail()) == 2
    assert trail(tenant=world.nova) == []
    with sessions.begin(world.nova) as session:
        listed = list_entries(session, AuditFilter(limit=100), actor=actor_of("noor")).items
    assert answer.headers["X-Request-Id"] not in {entry.request_id for entry in listed}
    assert not {entry.actor_name for entry in listed} & {"Dora Vance", "Bob Keller"}


def test_a_denial_that_cannot_be_written_stays_a_denial(app, world, trail, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("insert", {}, Exception("gone"))

    dora = sign_in(app, world, "dora")
    monkeypatch.setattr("portal.blueprints.denials.record_denial", fail)
    assert dora.get("/admin/audit/").status_code == 403
    assert trail() == []


def test_auditors_read_it_in_words(app, world):
    Way("admin").enter(app, "bob@acme.example")
    sign_in(app, world, "dora").get("/admin/audit/")
    ada = sign_in(app, world, "ada")
    denied = ada.get("/admin/audit/?action=access.denied&actor=Dora").get_data(as_text=True).split("<tbody>")[1]
    for words in ("Access denied", "Dora Vance", "Back office", "Needs: Read the audit log", "audit.index"):
        assert words in denied
    refused = ada.get("/admin/audit/?action=user.sign_in_refused").get_data(as_text=True).split("<tbody>")[1]
    for words in ("Sign-in refused", "Somebody not signed in", "Back office", "Login"):
        assert words in refused
    came_in = ada.get("/admin/audit/?action=user.signed_in&actor=Ada").get_data(as_text=True).split("<tbody>")[1]
    assert "Back office" in came_in
    for page in (denied, refused):
        assert "not_allowed" not in page
        assert "desk:" not in page
