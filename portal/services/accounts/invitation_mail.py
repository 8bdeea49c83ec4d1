"""What leaves for an invitation: the mail with its link, how often, and the end of links that were replaced."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from portal.authz import Actor
from portal.errors import Conflict
from portal.lib.links import join_path
from portal.lib.wording import N_
from portal.lib.wording.tickets import ROLE
from portal.models import Invitation, LinkPurpose, OneTimeLink, StaffRole, User, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.messages import SECRET_MARK, AccountMessage, Addressee, queue_mail
from portal.services.accounts.one_time import issue_link

DAY = timedelta(hours=24)
# One address gets no more than these, whoever invites: a mailbox is not to be flooded.
SENDS_A_DAY = 5
INVITED_A_DAY = 100


def send_invitation(
    session: TenantSession,
    invitation: Invitation,
    login: User,
    *,
    company: str | None,
    actor: Actor,
    delivery: Delivery,
    now: datetime,
) -> None:
    """Queue the mail with a new link; `company` is its name, None for the team."""
    payload = {"invitation_id": str(invitation.id)}
    link = issue_link(session, LinkPurpose.INVITATION, user_id=login.id, vault=delivery.vault, now=now, payload=payload)
    message = AccountMessage(
        template="invitation" if company else "team_invitation",
        path=join_path(SECRET_MARK, staff=company is None),
        link=link,
        params={
            "inviter": actor.name,
            "for_company": company or "",
            "role": ROLE.get(invitation.role.value, ""),
            "role_name": _own_role_name(session, invitation),
            "has_login": login.status is not UserStatus.PENDING,
        },
        facts=[(N_("Access code"), SECRET_MARK)],
    )
    to = Addressee(invitation.email, invitation.name, login.id, login.locale, login.timezone)
    queue_mail(session, message, to, tenant=delivery.tenant, base_url=delivery.base_url, actor=actor, now=now)


def refuse_company_flood(session: TenantSession, company_id: UUID, *, now: datetime) -> None:
    """Raise Conflict `invited_too_often` once a company invited very many people within a day."""
    sent = session.scalar(
        select(func.count())
        .select_from(Invitation)
        .where(Invitation.company_id == company_id, Invitation.created_at > now - DAY)
    )
    if (sent or 0) >= INVITED_A_DAY:
        raise Conflict("invited_too_often")


def refuse_mail_flood(session: TenantSession, user_id: UUID, *, now: datetime) -> None:
    """Raise Conflict `invited_too_often` once somebody was sent several invitations within a day."""
    sent = session.scalar(
        select(func.count())
        .select_from(OneTimeLink)
        .where(
            OneTimeLink.user_id == user_id,
            OneTimeLink.purpose == LinkPurpose.INVITATION,
            OneTimeLink.created_at > now - DAY,
        )
    )
    if (sent or 0) >= SENDS_A_DAY:
        raise Conflict("invited_too_often")


def end_links(session: TenantSession, invitation: Invitation, *, now: datetime) -> None:
    """Make the links of an invitation worthless."""
    session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.user_id == invitation.user_id,
            OneTimeLink.purpose == LinkPurpose.INVITATION,
            OneTimeLink.payload["invitation_id"].astext == str(invitation.id),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.revoked_at.is_(None),
        )
        .values(revoked_at=now),
        execution_options={"synchronize_session": False},
    )


def _own_role_name(session: TenantSession, invitation: Invitation) -> str:
    if invitation.staff_role_id is None:
        return ""
    return session.scalar(select(StaffRole.name).where(StaffRole.id == invitation.staff_role_id)) or ""
