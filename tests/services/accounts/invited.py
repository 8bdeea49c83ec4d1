"""The secrets of invitations, as their mails carry them."""

from uuid import UUID

from sqlalchemy import select

from portal.models import LinkPurpose, OneTimeLink
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery


def token_of(session: TenantSession, delivery: Delivery, invitation_id: UUID) -> str:
    """The secret of an invitation's newest link, as its mail carries it."""
    link = session.scalars(
        select(OneTimeLink)
        .where(
            OneTimeLink.purpose == LinkPurpose.INVITATION,
            OneTimeLink.payload["invitation_id"].astext == str(invitation_id),
        )
        .order_by(OneTimeLink.created_at.desc())
    ).first()
    assert link is not None
    return delivery.vault.link_token(link.id)
