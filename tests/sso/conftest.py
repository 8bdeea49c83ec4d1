"""A provider, the tenant's settings that know it, and browsers that travel there and back."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.lib.clock import utcnow
from portal.models import EmailDomain, IdentityProvider
from portal.models.session import TenantSessions
from tests.browsing import csrf_token
from tests.sso.provider import Provider, callback_path, serve
from tests.world import World

_LEADS_TO = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that does what it is told."""
    made = Provider()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def real(app: Any) -> TenantSessions:
    """Transactions that stay, on the database that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def configure(
    real: TenantSessions, world: World, provider: Provider, app: Any, root: Any
) -> Iterator[Callable[..., UUID]]:
    """Let a tenant know the provider; everything about providers is gone afterwards."""

    def make(
        audience: str = "customer",
        company: str | None = None,
        *,
        domains: tuple[str, ...] = ("acme.example",),
        proved: bool = True,
        tenant: UUID | None = None,
        **fields: Any,
    ) -> UUID:
        vault, provider_id = app.extensions["portal_vault"], uuid4()
        values: dict[str, Any] = {
            "name": "Acme sign-in",
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "client_secret": vault.encrypt(provider.secret.encode()),
            "enabled": True,
        }
        with real.begin(tenant or world.demo) as session:
            session.add(
                IdentityProvider(
                    id=provider_id,
                    tenant_id=session.tenant_id,
                    audience=audience,
                    company_id=world.companies[company] if company else None,
                    **(values | fields),
                )
            )
            session.flush()
            for domain in domains:
                session.add(
                    EmailDomain(
                        id=uuid4(),
                        tenant_id=session.tenant_id,
                        provider_id=provider_id,
                        domain=domain,
                        proof="portico-verification=x",
                        verified_at=utcnow() if proved else None,
                    )
                )
        return provider_id

    yield make
    with root.begin() as connection:
        connection.execute(text("DELETE FROM next_steps WHERE record_type = 'email_domain'"))
        for table in ("sso_attempts", "external_identities", "email_domains", "identity_providers"):
            connection.execute(text(f"DELETE FROM {table}"))


@dataclass
class Traveller:
    """A browser at a door."""

    client: Any
    provider: Provider
    door: str = "portal"
    host: str = "127.0.0.1"

    def get(self, path: str) -> TestResponse:
        """Fetch a page."""
        answer: TestResponse = self.client.get(path, base_url=f"http://{self.host}")
        return answer

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form with the token that the door's choice carries."""
        page = self.get(f"/{self.door}/sso")
        data = {"csrf_token": csrf_token(page), **form}
        answer: TestResponse = self.client.post(path, base_url=f"http://{self.host}", data=data)
        return answer

    def leave(self, address: str = "somebody@acme.example", **form: str) -> str:
        """Name a work address; where the portal sends the browser."""
        page = self.post(f"/{self.door}/sso", identifier=address, **form)
        return leads_to(page)

    def start(self, provider_id: UUID) -> str:
        """Press a provider's button; where the portal sends the browser."""
        return leads_to(self.post(f"/{self.door}/sso/{provider_id}"))

    def travel(self, address: str = "somebody@acme.example", **form: str) -> TestResponse:
        """There and back again."""
        return self.back(self.provider.authorize(self.leave(address, **form)))

    def back(self, brought: dict[str, str]) -> TestResponse:
        """Come back with what the provider gave."""
        return self.get(callback_path(self.door, brought))

    def is_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.get({"portal": "/portal/", "admin": "/admin/tickets/"}[self.door]).status_code == 200


def leads_to(page: TestResponse) -> str:
    """The address on the page between us and the provider."""
    found = _LEADS_TO.search(page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)
    return html.unescape(found[1])


@pytest.fixture
def traveller(app: Any, provider: Provider) -> Callable[..., Traveller]:
    """A new browser."""
    # Documents of providers that earlier tests had at the same port are no longer true.
    app.extensions["portal_oidc"].forget()
    return lambda door="portal", host="127.0.0.1": Traveller(app.test_client(), provider, door, host)
