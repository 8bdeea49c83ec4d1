"""Answering at the desk: macros, own statuses, mentions, presence, time, tags, the customer, satisfaction."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, update

from portal.models import CustomStatus, Macro, Ticket, TicketEvent, TicketMessage, TicketStatus
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.custom_statuses import StatusForm, save_custom_status
from portal.services.tickets.lifecycle import rate_ticket
from portal.services.tickets.macro_form import MacroForm
from portal.services.tickets.macros import save_macro
from tests.admin.conftest import hidden, send, statements_of
from tests.world import World

FRAGMENT = {"HX-Request": "true"}
TOOLS = "/admin/desk/ticket"


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch, app: Any) -> None:
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)
    app.extensions["portal_tenants"].forget()


@pytest.fixture
def stored(real: Any, world: World) -> Any:
    def read(ticket_id: UUID) -> Ticket:
        with real.begin(world.demo) as session:
            return session.scalar(select(Ticket).where(Ticket.id == ticket_id))

    return read


@pytest.fixture
def newest(real: Any, world: World) -> Any:
    """Put a ticket before those that other tests left, where the last changed are shown; afterwards back."""
    moved = []

    def put(ticket_id: UUID) -> None:
        with real.begin(world.demo) as session:
            mine = Ticket.id == ticket_id
            moved.append((ticket_id, session.scalar(select(Ticket.updated_at).where(mine))))
            latest = session.scalar(select(func.max(Ticket.updated_at)))
            session.execute(update(Ticket).where(mine).values(updated_at=latest + timedelta(seconds=1)))

    yield put
    with real.begin(world.demo) as session:
        for ticket_id, at in moved:
            session.execute(update(Ticket).where(Ticket.id == ticket_id).values(updated_at=at))


@pytest.fixture
def macro(real: Any, world: World) -> Any:
    def make(who: str = "mia", **fields: Any) -> Macro:
        values = {"name": f"Macro {uuid4()}", "texts": {"en": "Hello {{customer.first_name}}"}} | fields
        with real.begin(world.demo) as session:
            form = MacroForm(**values)
            actor = world.people[who].actor
            return save_macro(session, None, form=form, locales=("en",), actor=actor, now=datetime.now(UTC))

    return make


@pytest.fixture
def own(real: Any, world: World, app: Any) -> Any:
    """An own status, by its key; the tenant's others are put out of the way."""
    with real.begin(world.demo) as session:
        session.execute(update(Ticket).values(custom_status=None))
        session.execute(delete(CustomStatus))

    def make(category: str = "waiting_customer", staff: str = "", customer: str = "Parts are <coming>") -> str:
        form = StatusForm(category, {"en": staff or f"Vendor {uuid4()}"}, {"en": customer})
        mia, now = world.people["mia"].actor, datetime.now(UTC)
        with real.begin(world.demo) as session:
            row = save_custom_status(session, None, form=form, locales=("en",), main_locale="en", actor=mia, now=now)
        app.extensions["portal_tenants"].forget()
        return row.key

    return make


def text_of(answer: Any) -> str:
    return answer.get_data(as_text=True)


def answer_fields(page: Any, message: str, **more: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("seen", "message_id", "then")} | {"message": message} | more


def test_a_macro_goes_from_the_menu_into_the_answer_and_does_its_changes(
    staff: Any, urgent: UUID, stored: Any, macro: Any
) -> None:
    row, browser = macro(actions={"status": "resolved", "add_tags": ["vpn"]}), staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    menu = browser.get(f"{TOOLS}/{urgent}/macros?q={row.name}", headers=FRAGMENT)
    assert row.name in text_of(menu)
    chip = browser.get(f"{TOOLS}/{urgent}/macros/{row.id}", headers=FRAGMENT)
    assert hidden(chip, "macro_id") == str(row.id)
    assert "Hello Bob</textarea>" in text_of(chip)
    assert "Status: Resolved" in text_of(chip)
    assert stored(urgent).status is TicketStatus.OPEN
    fields = answer_fields(page, "Hello Bob, it works again.", macro_id=str(row.id))
    assert send(browser, page, f"/admin/tickets/{urgent}/reply", fields).status_code == 303
    found = stored(urgent)
    assert (found.status, found.tags) == (TicketStatus.RESOLVED, ["vpn"])
    assert "Sam Okafor used the macro" in unescape(text_of(browser.get(f"/admin/tickets/{urgent}")))


def test_without_scripts_a_page_leads_to_the_filled_composer(staff: Any, urgent: UUID, macro: Any) -> None:
    row, browser = macro(), staff("sam")
    page = text_of(browser.get(f"{TOOLS}/{urgent}/macros"))
    link = unescape(re.search(rf'href="([^"]*macro_id={row.id})"', page)[1])
    filled = browser.get(link)
    assert hidden(filled, "macro_id") == str(row.id)
    assert ">Hello Bob</textarea>" in text_of(filled)


def test_a_refused_answer_keeps_its_macro_and_text(
    staff: Any, urgent: UUID, macro: Any, real: Any, world: World
) -> None:
    row, browser = macro(actions={"priority": "low"}), staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    fields = answer_fields(page, "Mine", macro_id=str(row.id))
    with real.begin(world.demo) as session:
        bob = world.people["bob"].actor
        reply_as_customer(session, urgent, message="Wait", actor=bob, now=datetime.now(UTC))
    crossed = send(browser, page, f"/admin/tickets/{urgent}/reply", fields)
    assert crossed.status_code == 409
    assert hidden(crossed, "macro_id") == str(row.id)
    assert "Send anyway" in text_of(crossed)
    assert ">Mine</textarea>" in text_of(crossed)


def test_macros_of_others_and_for_others_are_not_found(staff: Any, urgent: UUID, macro: Any) -> None:
    rows = [macro("jonas", shared=False), macro(audience="customer", texts={"en": "Hi"}), macro(active=False)]
    browser = staff("sam")
    for row in rows:
        assert browser.get(f"{TOOLS}/{urgent}/macros/{row.id}").status_code == 404
        page = browser.get(f"/admin/tickets/{urgent}?macro_id={row.id}")
        assert 'name="macro_id"' not in text_of(page)
        fields = answer_fields(page, "x", macro_id=str(row.id))
        assert send(browser, page, f"/admin/tickets/{urgent}/reply", fields).status_code == 404
    assert staff("bill").get(f"{TOOLS}/{urgent}/macros").status_code == 403


def test_a_macro_is_made_changed_copied_and_switched_off(staff: Any, urgent: UUID, stored: Any) -> None:
    browser, name = staff("mia"), f"Router swap {uuid4()}"
    page = browser.get("/admin/desk/macros/new/")
    fields = {"name": name, "audience": "staff", "shared": "y", "active": "y", "text_en": "Hi\n{{nobody}}"}
    refused = send(browser, page, "/admin/desk/macros/new/", fields)
    assert refused.status_code == 422
    assert "There is no placeholder “nobody” (line 2, column 1)." in unescape(text_of(refused))
    fields |= {"text_en": "Dear {{customer.name}}", "status": "in_progress", "add_tags": "swap, router"}
    shown = send(
        browser,
        page,
        "/admin/desk/macros/new/",
        fields | {"do": "preview", "preview_number": stored(urgent).ticket_number},
    )
    assert (shown.status_code, "Dear Bob Keller" in text_of(shown)) == (200, True)
    assert send(browser, page, "/admin/desk/macros/new/", fields).status_code == 303
    listed = text_of(browser.get(f"/admin/desk/macros/?search={name}"))
    macro_id = re.search(r"edit/\?id=([0-9a-f-]+)", listed)[1]
    assert "Status: In progress · Tags: router, swap" in listed
    edit = f"/admin/desk/macros/edit/?id={macro_id}"
    page = browser.get(edit)
    changed = fields | {"name": f"{name} b", "version": hidden(page, "version")}
    assert send(browser, page, edit, changed).status_code == 303
    stale = send(browser, page, edit, changed)
    assert stale.status_code == 422
    versions = browser.get(f"/admin/desk/macros/versions/?id={macro_id}")
    back = {"id": macro_id, "version": "1"}
    assert send(browser, versions, "/admin/desk/macros/restore/", back).status_code == 303
    assert f'value="{name}"' in text_of(browser.get(edit))
    copied = send(browser, page, "/admin/desk/macros/duplicate/", {"id": macro_id})
    assert f"{name} (2)" in text_of(browser.get(copied.headers["Location"]))
    send(browser, page, "/admin/desk/macros/switch/", {"id": macro_id, "active": "0"})
    assert name not in text_of(browser.get(f"{TOOLS}/{urgent}/macros?q={name}")).replace(f"{name} (2)", "")


def test_agents_make_their_own_macros_only(staff: Any, macro: Any) -> None:
    browser, shared = staff("sam"), macro()
    page = browser.get("/admin/desk/macros/")
    assert f"edit/?id={shared.id}" not in text_of(page)
    assert browser.get(f"/admin/desk/macros/edit/?id={shared.id}").status_code == 403
    fields = {"name": f"Mine {uuid4()}", "shared": "y", "active": "y", "text_en": "Hi"}
    assert send(browser, page, "/admin/desk/macros/new/", fields).status_code == 303
    assert fields["name"] not in text_of(staff("mia").get("/admin/desk/macros/"))
    refused = send(browser, page, "/admin/desk/macros/new/", fields | {"audience": "customer"})
    assert refused.status_code == 422


def test_a_status_of_ones_own_is_made_and_read_by_each_in_their_words(
    staff: Any, urgent: UUID, stored: Any, newest: Any
) -> None:
    mia, sam, bob, name = staff("mia"), staff("sam"), staff("bob"), f"Vendor {uuid4()}"
    page = mia.get("/admin/desk/statuses/new/")
    fields = {"category": "waiting_customer", "staff_en": name, "customer_en": "<Parts> come", "active": "y"}
    assert send(mia, page, "/admin/desk/statuses/new/", fields | {"staff_en": ""}).status_code == 422
    assert send(mia, page, "/admin/desk/statuses/new/", fields).status_code == 303
    assert send(sam, sam.get("/admin/tickets/"), "/admin/desk/statuses/new/", fields).status_code == 403
    desk = sam.get(f"/admin/tickets/{urgent}")
    option = re.search(rf'value="(own:[a-z0-9_]+)"[^>]*>– {name}<', text_of(desk))[1]
    assert send(sam, desk, f"/admin/tickets/{urgent}/update", {"status": option}).status_code == 303
    found = stored(urgent)
    assert (found.status, found.sla_state) == (TicketStatus.WAITING_CUSTOMER, "paused")
    assert name in text_of(sam.get("/admin/tickets/?view=with_customer&limit=100"))
    assert f"from Open to {name}" in text_of(sam.get(f"/admin/tickets/{urgent}"))
    newest(urgent)
    for path in (f"/portal/tickets/{urgent}", "/portal/tickets", "/portal/"):
        shown = text_of(bob.get(path))
        assert "&lt;Parts&gt; come" in shown, path
        assert name not in shown, path
        assert "<Parts>" not in shown, path


def test_the_answer_s_button_offers_own_statuses(staff: Any, urgent: UUID, stored: Any, own: Any) -> None:
    key, browser = own("in_progress"), staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    menu = browser.get(f"{TOOLS}/{urgent}/reply-statuses", headers=FRAGMENT)
    assert f'value="own:{key}"' in text_of(menu)
    fields = answer_fields(page, "With the vendor", status=f"own:{key}")
    assert send(browser, page, f"/admin/tickets/{urgent}/reply", fields).status_code == 303
    assert (stored(urgent).status.value, stored(urgent).custom_status) == ("in_progress", key)
    refused = send(browser, page, f"/admin/tickets/{urgent}/update", {"status": "own:nothing"})
    assert refused.status_code == 422


def test_own_statuses_cost_the_lists_no_statement(staff: Any, urgent: UUID, own: Any, real: Any, world: World) -> None:
    sam, bob = staff("sam"), staff("bob")
    pages = [(sam, f"/admin/tickets/{urgent}"), (sam, "/admin/tickets/"), (bob, f"/portal/tickets/{urgent}")]
    before = [statements_of(who.get(path)) for who, path in pages]
    key = own()
    page = sam.get(f"/admin/tickets/{urgent}")
    send(sam, page, f"/admin/tickets/{urgent}/update", {"status": f"own:{key}"})
    assert [statements_of(who.get(path)) for who, path in pages] == before


def test_a_mention_stays_between_the_team(staff: Any, urgent: UUID) -> None:
    browser, secret = staff("sam"), "Windschattenfahrer"
    customers = {who: staff(who) for who in ("bob", "alice")}
    places = (f"/portal/tickets/{urgent}", "/portal/notifications", "/portal/", "/portal/tickets")
    asked = [(who, path) for who in customers for path in places]

    def named() -> dict[tuple[str, str], int]:
        return {(who, path): text_of(customers[who].get(path)).count("Mia Lindqvist") for who, path in asked}

    before = named()
    page = browser.get(f"/admin/tickets/{urgent}")
    team = text_of(browser.get("/admin/desk/ticket/team"))
    assert 'data-value="Mia Lindqvist"' in team
    assert "Bob Keller" not in team
    note = {"message": f"@Mia Lindqvist look at the {secret} of Bob"}
    assert send(browser, page, f"/admin/tickets/{urgent}/note", note).status_code == 303
    assert "Mia Lindqvist" in text_of(browser.get(f"{TOOLS}/{urgent}/time", headers=FRAGMENT))
    # Other tests have her answer other tickets.
    assert named() == before
    assert before["bob", places[0]] == 0
    for who, path in asked:
        assert secret not in text_of(customers[who].get(path)), path
    for customer in customers.values():
        assert customer.get("/admin/desk/ticket/team").status_code == 303


def test_presence_is_seen_by_colleagues_and_ends(staff: Any, urgent: UUID) -> None:
    mia, sam = staff("mia"), staff("sam")
    path = f"{TOOLS}/{urgent}/presence"
    page = mia.get(f"/admin/tickets/{urgent}")
    assert send(mia, page, path, {"activity": "viewing"}).status_code == 200
    assert "Mia Lindqvist is looking" in text_of(sam.get(path))
    assert "Mia" not in text_of(mia.get(path))
    send(mia, page, path, {"activity": "replying"})
    assert "Mia Lindqvist is replying" in text_of(sam.get(path))
    assert send(mia, page, path, {"activity": "gone"}).status_code == 204
    assert "Mia" not in text_of(sam.get(path))
    assert sam.get(f"{TOOLS}/{uuid4()}/presence").status_code == 404


def test_time_is_written_down_once_and_taken_back(staff: Any, urgent: UUID, stored: Any) -> None:
    sam, mia = staff("sam"), staff("mia")
    part = sam.get(f"{TOOLS}/{urgent}/time", headers=FRAGMENT)
    fields = {"entry_id": hidden(part, "entry_id"), "minutes": "1 h 30 min", "note": "<Logs>", "billable": "1"}
    for _ in range(2):
        assert send(sam, part, f"{TOOLS}/{urgent}/time/add", fields).status_code == 303
    assert stored(urgent).minutes_spent == 90
    shown = text_of(mia.get(f"{TOOLS}/{urgent}/time"))
    assert "&lt;Logs&gt;" in shown
    assert "1 h 30 min" in shown
    assert "/remove" not in shown
    remove = f"{TOOLS}/{urgent}/time/{fields['entry_id']}/remove"
    assert send(mia, mia.get(f"{TOOLS}/{urgent}/time"), remove, {}).status_code == 404
    refused = send(sam, part, f"{TOOLS}/{urgent}/time/add", fields | {"minutes": "soon", "entry_id": ""})
    assert (refused.status_code, "from 1 to 1440" in text_of(refused)) == (422, True)
    assert send(sam, part, remove, {}).status_code == 303
    assert stored(urgent).minutes_spent == 0
    assert "wrote down 90 minutes" in text_of(sam.get(f"/admin/tickets/{urgent}"))
    assert "90 minutes" not in text_of(staff("bob").get(f"/portal/tickets/{urgent}"))


def test_following_from_the_panel(staff: Any, urgent: UUID) -> None:
    sam = staff("sam")
    part = sam.get(f"{TOOLS}/{urgent}/time", headers=FRAGMENT)
    assert send(sam, part, f"{TOOLS}/{urgent}/follow", {"follow": "1"}).status_code == 303
    assert "Follow no more" in text_of(sam.get(f"{TOOLS}/{urgent}/time", headers=FRAGMENT))
    send(sam, part, f"{TOOLS}/{urgent}/follow", {"follow": "0"})
    assert "Follow no more" not in text_of(sam.get(f"{TOOLS}/{urgent}/time", headers=FRAGMENT))


def test_suggested_tags_are_added_to_the_written_ones(staff: Any, urgent: UUID, stored: Any, ticket: Any) -> None:
    sam = staff("sam")
    page = sam.get(f"/admin/tickets/{urgent}")
    sent = {"subject": "VPN drops", "tags": "one", "add_tags": "two words"}
    assert send(sam, page, f"/admin/tickets/{urgent}/update", sent).status_code == 303
    assert stored(urgent).tags == ["one", "two words"]
    other = text_of(sam.get(f"{TOOLS}/{ticket()}/edit", headers=FRAGMENT))
    assert 'value="two words"' in other
    assert 'value="VPN drops"' in other


def test_the_customer_is_shown_beside_the_ticket(staff: Any, urgent: UUID, ticket: Any, newest: Any) -> None:
    other = ticket("alice", subject="Printer <b>down</b>")
    newest(other)
    shown = text_of(staff("sam").get(f"{TOOLS}/{urgent}/customer", headers=FRAGMENT))
    assert "Printer &lt;b&gt;down" in shown
    assert f"/admin/tickets/{other}" in shown
    assert "alice@acme.example" in shown
    assert "charlie@globex.example" not in shown


def test_a_whole_ticket_s_page_stays_small(staff: Any, urgent: UUID, own: Any) -> None:
    for number in range(5):
        own(staff=f"Vendor {number} {str(uuid4())[:4]}")
    page = staff("sam").get(f"/admin/tickets/{urgent}")
    assert len(page.get_data()) <= 40 * 1024
    assert statements_of(page) <= 9


def test_the_satisfaction_page_and_its_file(staff: Any, ticket: Any, real: Any, world: World) -> None:
    ticket_id, now = ticket("charlie"), datetime.now(UTC)
    sam, charlie = world.people["sam"].actor, world.people["charlie"].actor
    with real.begin(world.demo) as session:
        reply_as_staff(session, ticket_id, message="Done", status=TicketStatus.RESOLVED, actor=sam, now=now)
        rate_ticket(session, ticket_id, rating=2, comment="=cmd() <slow>", actor=charlie, now=now)
    browser = staff("sam")
    shown = text_of(browser.get("/admin/satisfaction/?weeks=4&category=general"))
    assert "=cmd() &lt;slow&gt;" in shown
    assert "General" in shown
    file = browser.get("/admin/satisfaction/download?weeks=4&agent=not-one")
    assert file.mimetype == "text/csv"
    assert "'=cmd() <slow>" in text_of(file)
    assert "attachment" in file.headers["Content-Disposition"]
    assert "No ratings" in text_of(browser.get(f"/admin/satisfaction/?agent={uuid4()}"))
    assert staff("charlie").get("/admin/satisfaction/").status_code == 303


def test_other_tenants_find_none_of_it(staff: Any, urgent: UUID, macro: Any) -> None:
    noor, row = staff("noor"), macro()
    for path in (
        f"{TOOLS}/{urgent}/macros",
        f"{TOOLS}/{urgent}/macros/{row.id}",
        f"{TOOLS}/{urgent}/presence",
        f"{TOOLS}/{urgent}/time",
        f"{TOOLS}/{urgent}/customer",
        f"/admin/desk/macros/edit/?id={row.id}",
        f"/admin/desk/macros/versions/?id={row.id}",
    ):
        assert noor.get(path).status_code == 404, path
    assert row.name not in text_of(noor.get("/admin/desk/macros/"))


def test_what_a_macro_leaves_is_whole_or_nothing(
    staff: Any, urgent: UUID, stored: Any, macro: Any, real: Any, world: World
) -> None:
    row, browser = macro(actions={"priority": "low", "add_tags": ["half"]}), staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    fields = answer_fields(page, "x" * 20_001, macro_id=str(row.id))
    assert send(browser, page, f"/admin/tickets/{urgent}/reply", fields).status_code == 422
    assert (stored(urgent).priority.value, stored(urgent).tags) == ("urgent", [])
    with real.begin(world.demo) as session:
        assert session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == urgent)).all() == []
        lines = select(TicketEvent.kind).where(TicketEvent.ticket_id == urgent)
        assert "macro_applied" not in session.scalars(lines).all()
