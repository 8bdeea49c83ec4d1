"""How a tenant takes mail, and to whom an address belongs."""

from uuid import UUID

from sqlalchemy import func, select

from portal.lib.mail_tokens import plain_address
from portal.models import MailIntake, Tenant
from portal.models.session import TenantSession

# Where the name of a support address leaves no room for a token, answers go to this one of the same domain.
FALLBACK_NAME = "reply"


def load_intake(session: TenantSession) -> MailIntake:
    """The tenant's rules; the defaults where nobody has saved any. What is returned then is not in the session."""
    return session.scalar(select(MailIntake)) or default_intake(session.tenant_id)


def default_intake(tenant_id: UUID) -> MailIntake:
    """The rules before anybody changed them."""
    return MailIntake(
        tenant_id=tenant_id,
        trusted_host="",
        verified_only=False,
        staff_replies=True,
        unknown_senders="hold",
        stand_in_id=None,
        category="",
        polled=False,
        host="",
        port=993,
        security="tls",
        username="",
        folder="INBOX",
        done_folder="",
        last_uid=0,
        last_error="",
    )


def find_tenant(session: TenantSession, address: str) -> UUID | None:
    """Whose mailbox an address is; None for everybody else's, and where two tenants claim it.

    Read from the directory (a session without a tenant).
    """
    wanted = plain_address(address)
    name, _, domain = wanted.rpartition("@")
    query = select(Tenant.id, Tenant.support_email).where(
        func.lower(Tenant.support_email) == wanted
        if name != FALLBACK_NAME
        else func.lower(Tenant.support_email).like(f"%@{_escaped(domain)}", escape="\\")
    )
    found = session.execute(query.limit(2).execution_options(all_tenants=True)).all()
    return found[0][0] if len(found) == 1 else None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
