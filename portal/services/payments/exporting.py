"""A payment history taken out as a file: noted in the trail, then read page by page."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from portal.authz import Actor
from portal.events import audit
from portal.lib.paging import MAX_LIMIT
from portal.models.session import TenantSession, TenantSessions
from portal.services.payments.queries import PaymentFilter, PaymentRow, page_payments, require_reading


def begin_export(session: TenantSession, *, form: str, narrowed: bool, actor: Actor, now: datetime) -> None:
    """Note that somebody takes payments out as a file. Raises Forbidden; the caller commits before the first row."""
    require_reading(actor)
    audit(
        session,
        "payment.exported",
        "payment",
        None,
        actor=actor,
        now=now,
        after={"format": form, "filtered": narrowed},
    )


def read_export(sessions: TenantSessions, wanted: PaymentFilter, *, actor: Actor) -> Iterator[Sequence[PaymentRow]]:
    """What the list shows, the newest first; each page is a short transaction of its own."""
    cursor: str | None = None
    while True:
        with sessions.begin(actor.tenant_id) as session:
            page = page_payments(session, wanted=wanted, actor=actor, limit=MAX_LIMIT, cursor=cursor)
        if page.items:
            yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
