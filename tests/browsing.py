"""Helpers for tests that walk pages and the API as one of the world's people."""

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.world import PASSWORD, World

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')


def host_of(world: World, name: str) -> str:
    """The host at which the person's tenant is reached."""
    return "nova.localhost" if world.people[name].actor.tenant_id == world.nova else "127.0.0.1"


def csrf_token(page: TestResponse) -> str:
    """The token of a page's form."""
    found = _TOKEN.search(page.get_data(as_text=True))
    assert found, "the page has no csrf_token"
    return found[1] or found[2]


@dataclass
class Browser:
    """A signed-in browser: cookies, host and the forms' token."""

    client: FlaskClient
    host: str
    door: str = "portal"

    def get(self, path: str, **options: Any) -> TestResponse:
        """Fetch a page."""
        return self.client.get(path, base_url=f"http://{self.host}", **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form with the token that the door's pages carry."""
        login = self.client.get(f"/{self.door}/", base_url=f"http://{self.host}", follow_redirects=True)
        form = {"csrf_token": csrf_token(login), **(data or {})}
        return self.client.post(path, base_url=f"http://{self.host}", data=form, **options)


def sign_in(app: Any, world: World, name: str) -> Browser:
    """A browser in which the person is signed in at the right door."""
    person = world.people[name]
    browser = Browser(app.test_client(), host_of(world, name), "admin" if person.actor.is_staff else "portal")
    page = browser.get(f"/{browser.door}/login")
    data = {"csrf_token": csrf_token(page), "identifier": person.email, "password": PASSWORD}
    answer = browser.client.post(f"/{browser.door}/login", base_url=f"http://{browser.host}", data=data)
    assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
    return browser


@dataclass
class Program:
    """A program with a token."""

    client: FlaskClient
    host: str
    token: str | None

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        """Call the API."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.client.open(path, method=method, base_url=f"http://{self.host}", headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """POST; without a body an empty JSON object is sent."""
        if "data" not in options:
            options.setdefault("json", {})
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        """PATCH."""
        return self.request("PATCH", path, **options)


def program(app: Any, world: World, name: str | None, host: str | None = None) -> Program:
    """A program signed in as the person; as nobody without a name."""
    if name is None:
        return Program(app.test_client(), host or "127.0.0.1", None)
    anonymous = Program(app.test_client(), host or host_of(world, name), None)
    body = {"identifier": world.people[name].email, "password": PASSWORD}
    answer = anonymous.post("/api/v1/auth/token", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Program(anonymous.client, anonymous.host, answer.get_json()["access_token"])
