"""Keys: the help as page and as dialog, and the switch, which each page's body then tells the scripts."""

import pytest
from sqlalchemy import text

from tests.browsing import sign_in

OFF = "data-no-shortcuts"


@pytest.fixture
def switched_back(root):
    yield
    with root.begin() as connection:
        connection.execute(text("UPDATE users SET shortcuts = true"))


@pytest.mark.parametrize(
    ("who", "path", "elsewhere"),
    [("bob", "/portal/keyboard", "/portal/tickets"), ("sam", "/admin/preferences/keyboard", "/admin/preferences/")],
)
def test_the_switch_holds_on_every_page_of_its_owner(app, world, switched_back, who, path, elsewhere):
    browser = sign_in(app, world, who)
    assert OFF not in browser.get(elsewhere).get_data(as_text=True)
    answer = browser.post(path, {"shortcuts": "0"})
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert OFF in browser.get(elsewhere).get_data(as_text=True)
    page = browser.get(path).get_data(as_text=True)
    assert "Switch keys on" in page
    assert browser.post(path, {"shortcuts": "1"}).status_code == 303
    assert OFF not in browser.get(elsewhere).get_data(as_text=True)
    assert OFF not in sign_in(app, world, "alice").get("/portal/tickets").get_data(as_text=True)


@pytest.mark.parametrize(("who", "path"), [("bob", "/portal/keyboard"), ("sam", "/admin/preferences/keyboard")])
def test_the_help_is_a_named_dialog(app, world, who, path):
    part = sign_in(app, world, who).get(path, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    assert '<dialog class="dialog" id="shortcuts-help" aria-labelledby="shortcuts-help-title"' in part
    for key in ("/", "j", "k", "Enter", "r", "?", "Esc"):
        assert f'<kbd class="kbd">{key}</kbd>' in part
    assert ('<kbd class="kbd">c</kbd>' in part) is (who == "bob")


def test_a_rows_menu_offers_what_its_state_allows(app, world):
    bob = sign_in(app, world, "bob")
    form = {"subject": "Menu", "description": "Text", "category": "drill", "priority": "normal"}
    path = bob.post("/portal/tickets/new", form).headers["Location"]
    part = bob.get(f"{path}/menu").get_data(as_text=True)
    assert f'href="{path}/close"' in part
    assert f'href="{path}/cancel"' in part
    assert f'href="{path}/rate"' not in part
    bob.post(f"{path}/close")
    part = bob.get(f"{path}/menu").get_data(as_text=True)
    assert f'href="{path}/rate"' in part
    assert f'href="{path}/close"' not in part
    assert sign_in(app, world, "charlie").get(f"{path}/menu").status_code == 404


def test_the_bar_of_the_list_brings_its_form(app, world):
    part = sign_in(app, world, "bob").get("/portal/tickets/bulk-bar").get_data(as_text=True)
    assert '<form id="bulk" method="post" action="/portal/tickets/bulk">' in part
    assert 'name="csrf_token"' in part
    assert "data-bulk-bar" in part
