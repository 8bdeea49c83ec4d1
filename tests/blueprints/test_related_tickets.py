from html import unescape

from tests.blueprints.conftest import TICKETS, problem
from tests.browsing import sign_in


def test_loaded_by_the_page_and_read_by_programs(app, api, world, ticket):
    first, second = ticket(subject="VPN one", category="billing"), ticket(subject="VPN two", category="billing")
    page = f"/portal/tickets/{first['id']}"
    bob = sign_in(app, world, "bob")
    assert f'hx-get="{page}/related"' in bob.get(page).get_data(as_text=True)
    part = bob.get(f"{page}/related", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert f'href="/portal/tickets/{second["id"]}"' in part
    assert "<html" not in part
    assert "Same category" in unescape(bob.get(f"{page}/related").get_data(as_text=True))
    found = api("bob").get(f"{TICKETS}/{first['id']}/related").get_json()["items"]
    assert {"id": second["id"], "number": second["number"], "subject": "VPN two", "status": "open", "link": None,
            "relation": "Same category"} in found  # fmt: skip
    assert first["id"] not in {row["id"] for row in found}


def test_not_for_strangers(app, api, world, ticket):
    made = ticket()
    problem(api("charlie").get(f"{TICKETS}/{made['id']}/related"), 404, "ticket_not_found")
    assert sign_in(app, world, "charlie").get(f"/portal/tickets/{made['id']}/related").status_code == 404
