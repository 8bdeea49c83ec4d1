"""The clock of a ticket as a page and as a part of one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from portal.services.tickets.conversation import reply_as_staff
from tests.world import World


def _late(real: Any, world: World, ticket: Any) -> Any:
    opened = datetime.now(UTC) - timedelta(minutes=2)
    ticket_id = ticket(category="drill", at=opened)
    with real.begin(world.demo) as session:
        reply_as_staff(
            session,
            ticket_id,
            message="Sorry.",
            actor=world.people["sam"].actor,
            now=opened + timedelta(seconds=30),
        )
    return ticket_id


def test_page_and_part_tell_every_step(staff: Any, real: Any, world: World, ticket: Any) -> None:
    ticket_id, sam = _late(real, world, ticket), staff("sam")
    page = sam.get(f"/admin/ticket-clock/{ticket_id}").get_data(as_text=True)
    for text in ("The clock started", "The promise was missed", "Fulfilled too late", "Clock of"):
        assert text in page
    part = sam.get(f"/admin/ticket-clock/{ticket_id}", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Fulfilled too late" in part
    assert "<html" not in part
    assert f"/admin/ticket-clock/{ticket_id}" in sam.get(f"/admin/tickets/{ticket_id}").get_data(as_text=True)


def test_outsiders_do_not_find_it(staff: Any, ticket: Any) -> None:
    ticket_id = ticket()
    assert staff("bob").get(f"/admin/ticket-clock/{ticket_id}").status_code in (302, 303, 403, 404)
    assert staff("sam").get(f"/admin/ticket-clock/{uuid4()}").status_code == 404
