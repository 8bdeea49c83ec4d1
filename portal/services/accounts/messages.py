"""Mails and text messages about somebody's account: links, codes, warnings. Queued here, sent by the workflow.

Where a message carries a one-time secret the stored text has `SECRET_MARK` in its place. The secret is put in at
the moment of sending, so neither "Sent mail" nor the database nor a workflow's history holds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from portal.authz import Actor
from portal.events import tell
from portal.events.messages import MessageQueued
from portal.lib.colour import solid_accent
from portal.lib.i18n import format_day_and_time, text_direction
from portal.lib.letters import RenderedMail, render_mail_template, render_text_template, translator
from portal.lib.links import site_address
from portal.lib.vault import Vault
from portal.models import MailChannel, MailMessage, MailState, OneTimeLink
from portal.models.session import TenantSession
from portal.services.accounts.one_time import CODES, IssuedLink
from portal.services.tenants.directory import TenantProfile

SECRET_MARK = "[one-time-secret]"  # noqa: S105 - stands where the secret is not


@dataclass(frozen=True)
class Addressee:
    """Who a message goes to; `address` is a mail address or a phone number with a leading +."""

    address: str
    name: str
    user_id: UUID | None = None
    locale: str | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class AccountMessage:
    """What a message says: its template's name, values for it, facts to list, and where its button leads.

    `path` holds `SECRET_MARK` where the link's token belongs; `facts` are (label marked by N_, value). `attachment`
    names a stored file that goes along: key, name, content_type.
    """

    template: str
    path: str = ""
    link: IssuedLink | None = None
    params: dict[str, Any] = field(default_factory=dict)
    facts: Sequence[tuple[str, str]] = ()
    folder: str = "account"
    attachment: dict[str, str] | None = None


def queue_mail(
    session: TenantSession,
    message: AccountMessage,
    to: Addressee,
    *,
    tenant: TenantProfile,
    base_url: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Write the mail `templates/mail/<folder>/<template>.txt` in the reader's language; returns its id."""
    context = _context(message, to, tenant, base_url)
    rendered = render_mail_template(f"mail/{message.folder}/{message.template}.txt", context)
    return _queue(session, message, to, rendered, MailChannel.MAIL, tenant, actor, now)


def queue_text(
    session: TenantSession,
    message: AccountMessage,
    to: Addressee,
    *,
    tenant: TenantProfile,
    base_url: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Write the text message `templates/sms/<template>.txt`; `{{ code }}` there stands for the link's code."""
    context = _context(message, to, tenant, base_url) | {"code": SECRET_MARK}
    text = render_text_template(f"sms/{message.template}.txt", context)
    rendered = RenderedMail(subject="", text=text, html="")
    return _queue(session, message, to, rendered, MailChannel.SMS, tenant, actor, now)


def reveal(text: str, link: OneTimeLink | None, vault: Vault) -> str:
    """The text as it leaves, with the secret in place of its mark."""
    if link is None:
        return text
    secret = vault.link_code if link.purpose in CODES else vault.link_token
    return text.replace(SECRET_MARK, secret(link.id, link.token_hash))


def _queue(
    session: TenantSession,
    message: AccountMessage,
    to: Addressee,
    rendered: RenderedMail,
    channel: MailChannel,
    tenant: TenantProfile,
    actor: Actor,
    now: datetime,
) -> UUID:
    mail_id = uuid4()
    session.add(
        MailMessage(
            id=mail_id,
            tenant_id=session.tenant_id,
            event_id=mail_id,
            template=message.template,
            user_id=to.user_id,
            channel=channel,
            link_id=message.link.id if message.link else None,
            recipient=to.address,
            locale=_locale(to, tenant),
            message_id=f"<account-{mail_id}@{tenant.support_email.rpartition('@')[2]}>",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            attachment=message.attachment,
            state=MailState.QUEUED,
            created_at=now,
        )
    )
    tell(session, MessageQueued(mail_id), actor=actor, now=now)
    return mail_id


def _locale(to: Addressee, tenant: TenantProfile) -> str:
    return to.locale if to.locale in tenant.locales and to.locale else tenant.locale


def _context(message: AccountMessage, to: Addressee, tenant: TenantProfile, base_url: str) -> dict[str, Any]:
    locale = _locale(to, tenant)
    translate = translator(locale)
    zone = to.timezone or tenant.timezone
    return {
        "_": translate,
        "locale": locale,
        "direction": text_direction(locale),
        "tenant": tenant,
        "mark": str(tenant.brand.get("mark_letter") or tenant.name[:1]),
        "accent": solid_accent(tenant.brand.get("accent")),
        "name": (to.name.split() or [to.address])[0],
        "facts": [(translate(label), value) for label, value in message.facts],
        # To the minute, which is on the safe side.
        "expires": format_day_and_time(message.link.expires_at.replace(second=0), locale, zone) if message.link else "",
        "action_url": site_address(base_url, tenant.primary_host) + message.path if message.path else "",
        "takes_replies": False,
        "preferences_url": "",
        "quote": "",
        "next_step": None,
        **message.params,
    }
