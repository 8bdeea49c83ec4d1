"""Quotes in the state a test needs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.integrations.storage import build_storage
from portal.models import Quote
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.queries import list_lines
from portal.services.quotes.sending import send_quote

LINES = (
    LineDraft("Firewall pair", Decimal(2), 289_000, tax_rate=Decimal(20), tax_name="VAT"),
    LineDraft("Installation", Decimal("7.5"), 10_500, discount=750, tax_rate=Decimal(20), tax_name="VAT"),
    LineDraft("Spare switch", Decimal(1), 118_000, tax_rate=Decimal(20), tax_name="VAT", optional=True, selected=False),
)


@pytest.fixture
def draft(session: Any, world: Any, actor_of: Any, now: datetime) -> Callable[..., Quote]:
    """A draft for Acme (unless said), by bill; valid for four days."""

    def make(company: str = "acme", *, lines: Any = LINES, at: datetime = now, **fields: Any) -> Quote:
        fields.setdefault("valid_until", (at + timedelta(days=4)).date())
        wanted = QuoteDraft(
            customer_id=world.companies[company], currency="EUR", title="Network refresh", lines=lines, **fields
        )
        return draft_quote(session, wanted, actor=actor_of("bill"), now=at)

    return make


@pytest.fixture
def sent(session: Any, draft: Any, actor_of: Any, now: datetime) -> Callable[..., Quote]:
    """The same, sent."""

    def make(company: str = "acme", *, at: datetime = now, **fields: Any) -> Quote:
        return send_quote(session, draft(company, at=at, **fields).id, actor=actor_of("bill"), now=at)

    return make


@pytest.fixture
def accept(session: Any, settings: Any, actor_of: Any, now: datetime) -> Callable[..., Quote]:
    """Accept as alice (unless said) what stands, with all that is required."""

    def act(quote: Quote, who: str = "alice", *, at: datetime = now, **fields: Any) -> Quote:
        fields.setdefault("signer_name", "Alice Moreau")
        fields.setdefault("content_sha256", (quote.content_sha256 or b"").hex())
        fields.setdefault("consent", True)
        evidence = Evidence("192.0.2.7", "Firefox", "pwd otp", "en")
        return accept_quote(
            session,
            quote.id,
            Acceptance(**fields),
            evidence=evidence,
            storage=build_storage(settings),
            actor=actor_of(who),
            now=at,
        )

    return act


@pytest.fixture
def ids(session: Any) -> Callable[..., list[Any]]:
    """Ids of a quote's lines at these places."""
    return lambda quote, *places: [list_lines(session, quote.id)[place].id for place in places]
