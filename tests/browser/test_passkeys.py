"""Passkeys in a real browser, with Chromium's own virtual authenticator."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import picture, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.temporal]

WITHOUT_JSON = """
delete PublicKeyCredential.parseCreationOptionsFromJSON;
delete PublicKeyCredential.parseRequestOptionsFromJSON;
delete PublicKeyCredential.prototype.toJSON;
"""


@pytest.fixture
def site(product):
    """Passkeys need a name: 127.0.0.1 has none."""
    return f"http://localhost:{product.port}"


@pytest.fixture(params=["new", "old"])
def page(new_page, request):
    """A page of a browser with a platform authenticator; `old` lacks the JSON helpers."""
    page = new_page()
    if request.param == "old":
        page.add_init_script(WITHOUT_JSON)
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    page.authenticator = line.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    page.line = line
    return page


def sign_out(page, site):
    page.context.clear_cookies()
    page.goto(f"{site}/portal/login")


def test_a_passkey_from_making_it_to_removing_it(page, site):
    sign_in(page, site, "chloe@globex.example")
    page.goto(f"{site}/portal/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Test key")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Passkey added")
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have stored them").click()
    expect(page.get_by_role("link", name="Test key")).to_be_visible()
    picture(page, "security-with-passkey")

    sign_out(page, site)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/portal/")

    sign_out(page, site)
    page.fill("[name=identifier]", "chloe@globex.example")
    page.fill("[name=password]", "portico-demo")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/portal/login/verify*")
    picture(page, "second-step")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/portal/")

    page.goto(f"{site}/portal/account/confirm?next=/portal/account/security")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/portal/account/security")
    page.get_by_role("link", name="Test key").click()
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.locator("main")).to_contain_text("You have none yet.")


def test_a_browser_that_gives_no_passkey_says_so_and_can_try_again(page, site):
    page.line.send("WebAuthn.setUserVerified", {"authenticatorId": page.authenticator, "isUserVerified": False})
    page.goto(f"{site}/portal/login")
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_without_scripts_only_the_password_is_offered(new_page, site):
    page = new_page(java_script_enabled=False)
    page.goto(f"{site}/portal/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
