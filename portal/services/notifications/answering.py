"""By which ways the answer to a mail finds its ticket: a signed token in Reply-To, and one in References."""

from dataclasses import replace

from sqlalchemy import select

from portal.integrations.mail import OutgoingMail
from portal.lib.mail_tokens import reply_address, sign_thread, thread_reference
from portal.lib.vault import Vault
from portal.models import BouncedAddress
from portal.models.session import TenantSession
from portal.services.notifications.message_ids import ticket_of


def with_thread(mail: OutgoingMail, session: TenantSession, vault: Vault) -> OutgoingMail:
    """The mail with what its answers need; mails about no ticket stay as they are."""
    ticket_id = ticket_of(mail.message_id)
    if ticket_id is None:
        return mail
    token = sign_thread(vault, session.tenant_id, ticket_id)
    host = mail.sender_address.rpartition("@")[2]
    return replace(
        mail, reply_to=reply_address(mail.sender_address, token), references=(thread_reference(token, host),)
    )


def is_unreachable(session: TenantSession, address: str) -> bool:
    """Whether mails to the address came back for good (RFC 3463, class 5)."""
    query = select(BouncedAddress.id).where(BouncedAddress.address == address.lower(), BouncedAddress.hard)
    return session.scalar(query) is not None
