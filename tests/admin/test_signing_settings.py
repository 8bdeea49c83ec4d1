"""Settings of signing and sealing: edited, gone back on, and what signers then read and agree to."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.models import Tenant
from portal.services.signing.queries import list_signatures
from tests.contracts import send_new
from tests.world import World

PATH = "/admin/settings/signing/"
FORM = {"order": "parallel", "reminders": "P1D, P4D", "consent_en": "Signed for {party} <b>."}


@pytest.fixture
def kept(real: Any, world: World, app: Any) -> Any:
    """The tenant's settings as they were, put back after the test."""
    with real.begin(world.demo) as session:
        stored = dict(session.get_one(Tenant, world.demo).settings)
    yield
    with real.begin(world.demo) as session:
        session.get_one(Tenant, world.demo).settings = stored
    app.extensions["portal_tenants"].forget()


def text_of(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def test_the_page_shows_the_rules_and_the_seal(staff: Any, kept: None) -> None:
    page = text_of(staff("bill").get(PATH))
    for part in ("2026-1", "I have read this document", 'value="P3D P7D"', "Portico seal", "No authority is set up"):
        assert part in page, part
    assert re.search(r'value="in_turn" checked', page)
    assert "PRIVATE" not in page


def test_what_is_saved_holds_for_new_contracts_and_signers(
    staff: Any, real: Any, world: World, app: Any, kept: None
) -> None:
    bill, storage = staff("bill"), app.extensions["portal_files"].storage
    with real.begin(world.demo) as session:
        contract = send_new(session, world, storage, now=datetime.now(UTC))
    alice = staff("alice")
    before = text_of(alice.get(f"/portal/contracts/{contract.id}"))
    assert bill.post(PATH, FORM).status_code == 303
    page = text_of(bill.get(PATH))
    assert 'value="P1D P4D"' in page
    assert re.search(r'value="parallel" checked', page)
    new = text_of(staff("mia").get(f"/admin/contracts/new?customer_id={world.companies['acme']}"))
    assert re.search(r'name="in_order"[^>]*value="1"(?![^>]*checked)', new)

    read = re.search(r'name="consent_version" value="([^"]+)"', before)
    assert read is not None
    form = {"signer_name": "Alice Moreau", "content_sha256": contract.content_sha256.hex(), "consent": "1"}
    stale = alice.post(f"/portal/contracts/{contract.id}/sign", form | {"consent_version": read[1]})
    assert stale.status_code == 409
    shown = text_of(stale)
    assert "What you agree to has changed" in shown
    assert "Signed for Acme &lt;b&gt;." in shown
    agreed = re.search(r'name="consent_version" value="([^"]+)"', shown)
    assert agreed is not None
    assert agreed[1] != read[1]
    signed = alice.post(f"/portal/contracts/{contract.id}/sign", form | {"consent_version": agreed[1]})
    assert signed.status_code == 303
    with real.begin(world.demo) as session:
        [place] = list_signatures(session, "contract", contract.id)
        assert (place.consent_version, place.consent_text) == (agreed[1], "Signed for Acme <b>.")


def test_what_is_wrong_is_said_and_what_was_typed_stays(staff: Any, kept: None) -> None:
    answer = staff("bill").post(PATH, {"order": "parallel", "reminders": "soon", "consent_fr": "Sans anglais"})
    page = text_of(answer)
    assert answer.status_code == 422
    for part in ("such as P3D or PT12H", 'value="soon"', "Sans anglais", 'href="#consent_en"'):
        assert part in page, part


def test_versions_and_the_way_back(staff: Any, kept: None) -> None:
    bill = staff("bill")
    assert bill.post(PATH, FORM).status_code == 303
    page = text_of(bill.get(f"{PATH}versions/"))
    assert "All at the same time" in page
    assert bill.post(f"{PATH}restore/", {"version": "1"}).status_code == 303
    assert 'value="P1D P4D"' not in text_of(bill.get(PATH))
    assert bill.post(f"{PATH}restore/", {"version": "x"}).status_code == 404


def test_who_may(staff: Any, kept: None) -> None:
    for name in ("sam", "mia", "dora"):
        assert staff(name).get(PATH).status_code == 403
        assert staff(name).post(PATH, FORM).status_code == 403
    assert "Signing and sealing" in text_of(staff("bill").get("/admin/billing/catalogue/"))
