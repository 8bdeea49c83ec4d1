from pathlib import Path

from runner.layout import Layout
from runner.welcome import welcome

LAYOUT = Layout(Path("/p"), Path("/p/var"), 8100)


def test_the_block_says_where_everything_is() -> None:
    text = welcome(LAYOUT, {}, None)
    for wanted in ("http://127.0.0.1:8100/admin/", "http://nova.localhost:8100/", "sam@demo.example", "/p/var/mail"):
        assert wanted in text
    assert "Temporal" not in text


def test_it_shows_what_the_environment_changed_and_no_secret_of_it() -> None:
    environ = {"PORTAL_SMTP_URL": "smtp://me:hidden@mail.example:587", "PORTAL_DEMO_PASSWORD": "another"}
    text = welcome(LAYOUT, environ, "http://127.0.0.1:20001")
    assert "sent through mail.example" in text
    assert "another" in text
    assert "hidden" not in text
    assert "http://127.0.0.1:20001" in text


def test_payments_are_called_simulated_only_where_they_are() -> None:
    assert "4242" in welcome(LAYOUT, {"STRIPE_SECRET_KEY": "sk_test_standin"}, None)
    assert "4242" not in welcome(LAYOUT, {"STRIPE_SECRET_KEY": "sk_test_mine"}, None)


def test_production_names_no_demo_people() -> None:
    text = welcome(LAYOUT, {"PORTAL_ENV": "production"}, None)
    assert "example" not in text
    assert "portico-demo" not in text
