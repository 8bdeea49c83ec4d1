"""What tests of one's own account share: letterheads, mails that were queued, and the secrets in them."""

import re
from uuid import UUID

from sqlalchemy import select

from portal.lib.vault import Vault
from portal.models import MailChannel, MailMessage, OneTimeLink
from portal.models.session import TenantSession
from portal.services.accounts.messages import reveal
from portal.services.accounts.own import Letterhead
from portal.services.accounts.sessions import Origin
from portal.services.tenants.directory import TenantProfile

VAULT = Vault(["a secret of the tests' own vault, long enough"])
ORIGIN = Origin("203.0.113.9", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "request-1")


def letterhead(tenant_id: UUID) -> Letterhead:
    """What mails of the tests are written with."""
    tenant = TenantProfile(
        id=tenant_id,
        slug="demo",
        name="Kestrel IT",
        locale="en",
        locales=("en", "de", "ar"),
        timezone="Europe/Paris",
        support_email="help@demo.example",
        support_phone="+33 4 72 55 01 84",
        postal_address="",
        primary_host="127.0.0.1",
    )
    return Letterhead(tenant, "http://127.0.0.1:8000", VAULT)


def mails(session: TenantSession, recipient: str | None = None) -> list[MailMessage]:
    """Queued mails and text messages, oldest first."""
    query = select(MailMessage).order_by(MailMessage.created_at, MailMessage.id)
    found = session.scalars(query).all()
    return [mail for mail in found if recipient in (None, mail.recipient)]


def templates(session: TenantSession, recipient: str | None = None) -> list[str]:
    """What kinds of message were queued, sorted."""
    return sorted(mail.template for mail in mails(session, recipient))


def secret_of(session: TenantSession, mail: MailMessage, vault: Vault = VAULT) -> str:
    """The token or the code that the reader of a message finds in it."""
    link = session.get(OneTimeLink, mail.link_id) if mail.link_id else None
    text = reveal(mail.text, link, vault)
    pattern = r"\b(\d{6})\b" if mail.channel is MailChannel.SMS else r"/portal/account/[a-z-]+/([\w-]{43})"
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def newest(session: TenantSession, template: str) -> MailMessage:
    """The message of this kind that was queued last."""
    found = [mail for mail in mails(session) if mail.template == template]
    assert found, f"no {template}"
    return found[-1]
