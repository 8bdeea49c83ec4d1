"""A copy of an invoice by mail, for whoever may read it."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor
from portal.events import audit
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.billing.letters import mail_copy
from portal.services.billing.queries import get_invoice


def mail_invoice(
    session: TenantSession, invoice_id: UUID, *, to: Identity, base_url: str, actor: Actor, now: datetime
) -> None:
    """Queue a mail with the invoice's page to the person who asks. Raises NotFound."""
    invoice = get_invoice(session, invoice_id, actor=actor)
    mail_copy(session, invoice, to, base_url=base_url, now=now)
    audit(session, "invoice.copy_mailed", "invoice", invoice.id, actor=actor, now=now)
