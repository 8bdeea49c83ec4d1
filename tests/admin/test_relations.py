"""Pages of relations, the trash and side conversations; what customers see of merges and follow-ups."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from portal.models import MailMessage, MailState, SideConversation, Ticket, TicketLink
from portal.services.tickets.conversation import reply_as_customer
from portal.services.tickets.lifecycle import close_ticket
from portal.services.tickets.merging import merge_tickets
from portal.services.tickets.side_conversations import take_side_answer
from tests.admin.conftest import hidden, send, statements_of
from tests.keeping import TEXT
from tests.world import World


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)


@pytest.fixture
def number(real: Any, world: World) -> Any:
    def read(ticket_id: UUID) -> str:
        with real.begin(world.demo) as session:
            return session.scalars(select(Ticket.ticket_number).where(Ticket.id == ticket_id)).one()

    return read


def text_of(answer: Any) -> str:
    assert answer.status_code in (200, 409, 422), answer.status_code
    return answer.get_data(as_text=True)


def test_the_part_of_the_page_comes_by_itself(staff: Any, ticket: Any) -> None:
    made = ticket()
    sam = staff("sam")
    assert f'hx-get="/admin/relations/{made}"' in text_of(sam.get(f"/admin/tickets/{made}"))
    part = sam.get(f"/admin/relations/{made}", headers={"HX-Request": "true"})
    assert "<html" not in text_of(part)
    assert statements_of(part) <= 7
    for who, offered in (("sam", True), ("bill", False)):
        page = text_of(staff(who).get(f"/admin/relations/{made}"))
        assert ("/merge" in page, "/admin/trash/" in page) == (offered, offered)
    assert staff("noor").get(f"/admin/relations/{made}").status_code == 404


def test_merging_by_pages(staff: Any, ticket: Any, number: Any) -> None:
    one, two, foreign = ticket(subject="Printer jam"), ticket(subject="Printer jam once more"), ticket("charlie")
    sam, path = staff("sam"), f"/admin/relations/{one}/merge"
    chooser = text_of(sam.get(f"{path}?q=printer"))
    assert f"into={two}" in chooser
    assert f"into={one}" not in chooser
    assert str(foreign) not in text_of(sam.get(path))
    confirm = sam.get(f"{path}?into={two}")
    assert "cannot be undone" in text_of(confirm)
    answer = send(sam, confirm, path, {"into_id": hidden(confirm, "into_id")})
    assert answer.headers["Location"] == f"/admin/tickets/{two}"
    assert f"From {number(one)}" in text_of(sam.get(f"/admin/tickets/{two}"))
    again = send(sam, confirm, path, {"into_id": str(two)})
    assert (again.status_code, "merged already" in text_of(again)) == (409, True)
    assert send(sam, confirm, path, {"into_id": str(uuid4())}).status_code == 404
    assert send(staff("bill"), confirm, path, {"into_id": str(two)}).status_code in (400, 403)


def test_customers_are_led_to_the_other_ticket(staff: Any, ticket: Any, real: Any, world: World, number: Any) -> None:
    one, two = ticket(), ticket()
    with real.begin(world.demo) as session:
        merge_tickets(session, one, into_id=two, actor=world.people["sam"].actor, now=datetime.now(UTC))
    bob = staff("bob")
    answer = bob.get(f"/portal/tickets/{one}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/portal/tickets/{two}")
    page = text_of(bob.get(f"/portal/tickets/{two}"))
    assert f"From {number(one)}" in page
    assert f"Your ticket was merged into this one, {number(two)}." in page
    assert staff("charlie").get(f"/portal/tickets/{one}").status_code == 404


def test_splitting_by_a_page(staff: Any, ticket: Any, real: Any, world: World, number: Any) -> None:
    made = ticket()
    with real.begin(world.demo) as session:
        entry = reply_as_customer(
            session, made, message="And the printer?", actor=world.people["bob"].actor, now=datetime.now(UTC)
        )
    sam, path = staff("sam"), f"/admin/relations/{made}/split"
    page = sam.get(path)
    assert "And the printer?" in text_of(page)
    fields = {"subject": "Printer", "request_key": hidden(page, "request_key")}
    assert "This field is needed." in text_of(send(sam, page, path, fields))
    first = send(sam, page, path, fields | {"message_ids": str(entry.id)})
    second = send(sam, page, path, fields | {"message_ids": str(entry.id)})
    assert first.headers["Location"] == second.headers["Location"]
    new = UUID(first.headers["Location"].rsplit("/", 1)[1])
    assert f"Also in {number(new)}" in text_of(sam.get(f"/admin/tickets/{made}"))
    assert f"Also in {number(new)}" in text_of(staff("bob").get(f"/portal/tickets/{made}"))
    assert "Printer" in text_of(staff("bob").get(f"/portal/tickets/{new}"))


def test_links_by_the_panel(staff: Any, ticket: Any, number: Any, real: Any, world: World) -> None:
    one, two = ticket(), ticket()
    sam, path = staff("sam"), f"/admin/relations/{one}"
    page = sam.get(path)
    assert "no ticket of this number" in text_of(send(sam, page, f"{path}/links", {"number": "x"}))
    sent = send(sam, page, f"{path}/links", {"number": number(two), "relation": "incident"})
    assert sent.status_code == 303
    page = sam.get(path)
    assert number(two) in text_of(page)
    assert "Answer 1 open incident" in text_of(page)
    answers = sam.get(f"{path}/incidents")
    done = send(sam, answers, f"{path}/incidents", {"message": "It is back."})
    assert "Answered and solved" in text_of(done)
    assert send(sam, answers, f"{path}/incidents", {"message": "x"}).status_code == 409
    with real.begin(world.demo) as session:
        link = session.scalars(select(TicketLink.id).where(TicketLink.ticket_id == two)).one()
    assert send(sam, page, f"{path}/links/{link}/remove", {}).status_code == 303
    assert number(two) not in text_of(sam.get(path))


def test_the_way_on_from_what_is_over(staff: Any, ticket: Any, real: Any, world: World) -> None:
    before = datetime.now(UTC) - timedelta(days=40)
    made = ticket(at=before, subject="VPN drops again")
    with real.begin(world.demo) as session:
        close_ticket(session, made, actor=world.people["bob"].actor, now=before)
    bob, path = staff("bob"), f"/portal/tickets/{made}/follow-up"
    page = text_of(bob.get(f"/portal/tickets/{made}"))
    assert (path in page, "Reopen ticket" in page) == (True, False)
    form = bob.get(path)
    assert "VPN drops again" in text_of(form)
    key = hidden(form, "request_key")
    empty = send(bob, form, path, {"subject": "VPN", "description": "", "request_key": key})
    assert (empty.status_code, 'value="VPN"' in text_of(empty)) == (422, True)
    sent = [
        send(bob, form, path, {"subject": "VPN", "description": "Again.", "request_key": key}).headers["Location"]
        for _ in range(2)
    ]
    assert sent == [f"/portal/tickets/{key}"] * 2
    assert "This ticket follows" in text_of(bob.get(sent[0]))
    sam, desk = staff("sam"), f"/admin/relations/{made}/follow-up"
    form = sam.get(desk)
    made_by_staff = send(sam, form, desk, {"subject": "Checked", "description": "We found more."})
    shown = text_of(bob.get(made_by_staff.headers["Location"].replace("/admin/", "/portal/")))
    assert "We found more." in shown
    assert staff("charlie").get(path).status_code == 404
    assert bob.get(f"/portal/tickets/{ticket()}/follow-up").status_code == 303


def test_the_trash_by_pages(staff: Any, ticket: Any) -> None:
    made, sam = ticket(subject="Cheap watches"), staff("sam")
    question = sam.get(f"/admin/trash/{made}")
    assert "30 days" in text_of(question)
    assert "This field is needed." in text_of(send(sam, question, f"/admin/trash/{made}", {"reason": ""}))
    assert send(sam, question, f"/admin/trash/{made}", {"reason": "Spam <b>"}).status_code == 303
    page = sam.get("/admin/trash/")
    assert "Cheap watches" in text_of(page)
    assert "Spam &lt;b&gt;" in text_of(page)
    assert sam.get(f"/admin/tickets/{made}").status_code == 404
    assert staff("bob").get(f"/portal/tickets/{made}").status_code == 404
    for who in ("bill", "dora"):
        assert staff(who).get("/admin/trash/").status_code == 403
    assert "Cheap watches" not in text_of(staff("noor").get("/admin/trash/"))
    assert send(sam, page, f"/admin/trash/{made}/restore", {}).headers["Location"] == f"/admin/tickets/{made}"
    assert staff("bob").get(f"/portal/tickets/{made}").status_code == 200


def test_side_conversations_by_pages(staff: Any, ticket: Any, real: Any, world: World) -> None:
    made, sam = ticket(), staff("sam")
    form = sam.get(f"/admin/side/new/{made}")
    fields = {"recipient": "x", "subject": "Line", "body": "Is it cut?", "request_key": hidden(form, "request_key")}
    refused = send(sam, form, f"/admin/side/new/{made}", fields)
    assert (refused.status_code, "Is it cut?" in text_of(refused)) == (422, True)
    fields["recipient"] = "noc@isp.example"
    sent = [send(sam, form, f"/admin/side/new/{made}", fields).status_code for _ in range(2)]
    assert sent == [303, 303]
    with real.begin(world.demo) as session:
        conversation = session.scalars(select(SideConversation).where(SideConversation.ticket_id == made)).one()
        mails = session.scalars(
            select(MailMessage).where(MailMessage.message_id.startswith(f"<side-{conversation.id}."))
        ).all()
        assert [(mail.recipient, mail.subject) for mail in mails] == [("noc@isp.example", "Line")]
        assert "Is it cut?" in mails[0].text
        take_side_answer(
            session, conversation.id, sender="NOC <b>", body="Yes, by a digger.", actor=world.people["sam"].actor,
            now=datetime.now(UTC),
        )  # fmt: skip
    side = f"/admin/side/{conversation.id}"
    page = sam.get(side)
    assert re.search(r"NOC &lt;b&gt;.*Yes, by a digger", text_of(page), re.DOTALL)
    assert "Answered" in text_of(sam.get(f"/admin/relations/{made}"))
    for who in ("bob", "alice"):
        customers = text_of(staff(who).get(f"/portal/tickets/{made}"))
        assert not [word for word in ("digger", "noc@isp", "Is it cut") if word in customers]
        assert staff(who).get(side).status_code in (303, 403, 404)
    assert "Write again" not in text_of(staff("bill").get(side))
    assert send(sam, page, f"{side}/write", {"body": ""}).status_code == 422
    assert send(sam, page, f"{side}/write", {"body": "Thanks."}).status_code == 303
    assert send(sam, page, f"{side}/close", {}).status_code == 303
    assert send(sam, page, f"{side}/close", {}).status_code == 409
    assert staff("noor").get(side).status_code == 404


def test_files_of_side_conversations_by_pages(staff: Any, ticket: Any, real: Any, world: World) -> None:
    made, sam = ticket(), staff("sam")
    form = sam.get(f"/admin/side/new/{made}")
    fields = {"recipient": "noc@isp.example", "subject": "Line", "body": "See.", "request_key": str(uuid4())}

    def files(*names: str) -> list[Any]:
        return [(io.BytesIO(TEXT), name) for name in names]

    back = send(sam, form, f"/admin/side/new/{made}", fields | {"attachments": files("CANARY-plan.log", "a.exe")})
    assert back.status_code == 422
    kept = re.findall(r'name="attachment_ids" value="([^"]+)" checked', text_of(back))
    assert len(kept) == 1
    assert "a.exe" in text_of(back)
    fields |= {"attachment_ids": kept}
    sent = [send(sam, form, f"/admin/side/new/{made}", fields) for _ in range(2)]
    assert [one.status_code for one in sent] == [303, 303]
    side = sent[0].headers["Location"]
    page = sam.get(side)
    again = send(sam, page, f"{side}/write", {"body": "Once more.", "attachments": files("CANARY-more.log")})
    assert again.status_code == 303
    taken = send(sam, page, f"{side}/write", {"body": "Twice.", "attachment_ids": kept})
    assert (taken.status_code, "Attach it again" in text_of(taken)) == (422, True)
    panel = text_of(sam.get(f"/admin/relations/{made}", headers={"HX-Request": "true"}))
    for shown in (text_of(sam.get(side)), panel):
        assert all(name in shown for name in ("CANARY-plan.log", "CANARY-more.log"))
    door = f"/admin/files/{kept[0]}"
    assert sam.get(door).status_code == 302
    assert "CANARY" not in text_of(sam.get(f"/admin/tickets/{made}"))
    for who in ("bob", "alice"):
        assert "CANARY" not in text_of(staff(who).get(f"/portal/tickets/{made}"))
        for path in ("", "/preview", "/thumbnail"):
            assert staff(who).get(f"/portal/files/{kept[0]}{path}").status_code == 404
    assert staff("noor").get(door).status_code == 404


def test_a_mail_that_did_not_go_out_is_said(staff: Any, ticket: Any, real: Any, world: World) -> None:
    made, sam = ticket(), staff("sam")
    form = sam.get(f"/admin/side/new/{made}")
    fields = {"recipient": "noc@isp.example", "subject": "Line", "body": "See.", "request_key": str(uuid4())}
    side = send(sam, form, f"/admin/side/new/{made}", fields).headers["Location"]
    assert "did not go out" not in text_of(sam.get(side))
    with real.begin(world.demo) as session:
        session.execute(
            update(MailMessage)
            .where(MailMessage.message_id.startswith(f"<side-{side.rpartition('/')[2]}."))
            .values(state=MailState.FAILED)
        )
    assert "did not go out" in text_of(sam.get(side))
