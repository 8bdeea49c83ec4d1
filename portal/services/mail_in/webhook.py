"""Mail that a server hands over by HTTP: signed with the tenant's own key, and fresh."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, Unauthenticated
from portal.events import audit
from portal.lib.mail_tokens import plain_address
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import MailIntake, Tenant
from portal.models.session import TenantSession
from portal.services.mail_in.intake import FALLBACK_NAME
from portal.services.mail_in.mailbox_settings import lock_intake

# Between the clocks of the two servers; a repeat within it is the same message.
TOLERANCE = timedelta(minutes=5)
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(secret: str, at: int, recipient: str, body: bytes) -> str:
    """HMAC-SHA256 (hex) over time, recipient and message, as the sender makes it."""
    signed = f"{at}.{recipient}.".encode("utf-8", "replace") + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def check_signature(
    session: TenantSession, given: str, recipient: str, body: bytes, *, vault: Vault, now: datetime
) -> None:
    """Raises Unauthenticated unless the tenant's key has signed this message within the last five minutes."""
    found = _SIGNATURE.fullmatch(given.strip())
    stored = session.scalar(select(MailIntake.webhook_secret))
    if found is None or stored is None:
        raise Unauthenticated("signature_invalid")
    try:
        secret = vault.decrypt(stored).decode()
    except UnreadableSecret:
        raise Unauthenticated("signature_invalid") from None
    at = int(found[1])
    late = abs(now.timestamp() - at) > TOLERANCE.total_seconds()
    if not hmac.compare_digest(signature(secret, at, recipient, body), found[2]) or late:
        raise Unauthenticated("signature_invalid")


def own_recipient(session: TenantSession, recipient: str) -> str:
    """The address that the message is for; the support address where none is named, NotFound for foreign ones."""
    own = session.scalar(select(Tenant.support_email).where(Tenant.id == session.tenant_id)) or ""
    if not recipient:
        return own
    name, _, domain = plain_address(recipient).rpartition("@")
    mailbox, _, own_domain = plain_address(own).rpartition("@")
    if domain != own_domain or name not in (mailbox, FALLBACK_NAME):
        raise NotFound("mailbox")
    return recipient


def renew_key(session: TenantSession, *, vault: Vault, actor: Actor, now: datetime) -> str:
    """A new key, shown this once; the old one is worth nothing from now on. Raises Forbidden."""
    require(actor, Permission.MAIL_CONFIGURE)
    secret = secrets.token_urlsafe(32)
    intake = lock_intake(session)
    intake.webhook_secret = vault.encrypt(secret.encode())
    audit(session, "mail_intake.key_renewed", "mail_intake", session.tenant_id, actor=actor, now=now)
    return secret
