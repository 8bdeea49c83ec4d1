"""What browser tests bring about beside the browser: by the API, as a program would, and what came by mail."""

import email
import email.policy
import json
import time
import urllib.request
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from tests.browser.conftest import PASSWORD, Product


class Program:
    """Somebody's program, signed in with a bearer token."""

    def __init__(self, product: Product, identifier: str) -> None:
        self._url, self._token = product.url, ""
        signed = self.call("POST", "/api/v1/auth/token", {"identifier": identifier, "password": PASSWORD})
        self._token = signed["access_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call; HTTPError for anything but success."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def open_ticket(self, subject: str, category: str = "technical") -> dict[str, Any]:
        """A ticket of this customer."""
        body = {"subject": subject, "description": f"About {subject}.", "category": category, "priority": "normal"}
        return dict(self.call("POST", "/api/v1/portal/tickets", body))


def wait_for_mail(product: Product, to: str, about: str, having: str = "", seconds: float = 30) -> EmailMessage:
    """The first mail to an address whose subject holds the words, and whose text what it is to be `having`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path in product.mails():
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to in str(mail["To"]) and about in str(mail["Subject"]) and having in words_of(mail):
                return mail
        time.sleep(0.1)
    raise AssertionError(f"no mail to {to} about {about}")


def words_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
