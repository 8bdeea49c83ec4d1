"""What the worker mails after events around getting in; asked twice about the same event, it writes once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from portal.authz import Actor, system_actor
from portal.errors import NotFound
from portal.events import audit
from portal.events.access import AccessRequested, DeviceAdded, PasswordResetOwed
from portal.lib.text import excerpt
from portal.lib.user_agents import describe
from portal.lib.vault import Vault
from portal.models import KnownDevice, LinkPurpose, OneTimeLink, OutboxEvent, Person, Tenant, User
from portal.models.session import TenantSession
from portal.services.accounts.access_requests import SEALED, read_request
from portal.services.accounts.device_notices import plan_notice
from portal.services.accounts.identity import find_login
from portal.services.accounts.messages import SECRET_MARK, AccountMessage, Addressee, queue_mail, queue_text
from portal.services.accounts.one_time import LIFETIME, IssuedLink, issue_link, revoke_links
from portal.services.accounts.recovery import Site, addressee_of, door_path, origin_facts
from portal.services.tenants.directory import load_profile

# So many links for new passwords a person gets within an hour, whoever asks for them.
RESETS_PER_HOUR = 20
# A text message is short, and a browser's name is whatever it says.
DEVICE_LENGTH = 40
_EVENT = "event"
_ANSWERED = "answered"


@dataclass(frozen=True)
class _Desk:
    """What writing a letter needs."""

    session: TenantSession
    event: OutboxEvent
    site: Site
    vault: Vault
    now: datetime

    @property
    def actor(self) -> Actor:
        return system_actor(self.session.tenant_id)

    def post(self, message: AccountMessage, to: Addressee, *, text: bool = False) -> None:
        """Queue a mail, or a text message."""
        (queue_text if text else queue_mail)(
            self.session,
            message,
            to,
            tenant=self.site.tenant,
            base_url=self.site.base_url,
            actor=self.actor,
            now=self.now,
        )

    def answered(self, user_id: UUID) -> bool:
        """Whether this event has got its link already."""
        query = select(OneTimeLink.id).where(
            OneTimeLink.user_id == user_id, OneTimeLink.payload[_EVENT].astext == str(self.event.id)
        )
        return self.session.scalar(query.limit(1)) is not None


def answer_event(session: TenantSession, event_id: UUID, *, vault: Vault, base_url: str, now: datetime) -> bool:
    """Write the mail of an event around getting in; returns False for events that are none of these."""
    event = session.get(OutboxEvent, event_id)
    write = _LETTERS.get(event.kind) if event is not None else None
    if event is None or write is None:
        return False
    tenant = session.get(Tenant, session.tenant_id)
    if tenant is None:
        raise NotFound("tenant")
    write(_Desk(session, event, Site(load_profile(session, tenant), base_url), vault, now))
    return True


def _answer_request(desk: _Desk) -> None:
    """What a stranger asked for: the request's row becomes the link, or goes."""
    link = desk.session.get(OneTimeLink, desk.event.record_id, with_for_update=True)
    if link is None or SEALED not in link.payload or link.user_id is not None:
        return
    if link.purpose is LinkPurpose.RESET_PASSWORD:
        _answer_reset(desk, link)
    elif link.purpose is LinkPurpose.VERIFY_EMAIL and _ANSWERED not in link.payload:
        _answer_registration(desk, link)


def _answer_reset(desk: _Desk, link: OneTimeLink) -> None:
    user = find_login(desk.session, read_request(link, desk.vault)["identifier"], None)
    if user is None or not user.may_sign_in() or _has_enough_links(desk, user.id):
        desk.session.delete(link)
        return
    revoke_links(desk.session, LinkPurpose.RESET_PASSWORD, user_id=user.id, now=desk.now)
    # It lives from now on: the worker may have been away.
    link.user_id, link.payload, link.expires_at = user.id, {}, desk.now + LIFETIME[link.purpose]
    desk.session.flush()
    _post_reset(desk, user, IssuedLink(link.id, link.purpose, link.expires_at), "reset_password")


def _send_owed_reset(desk: _Desk) -> None:
    """A link for somebody whose password was right but has to be replaced."""
    user = desk.session.get(User, desk.event.record_id)
    if user is None or not user.may_sign_in() or desk.answered(user.id) or _has_enough_links(desk, user.id):
        return
    payload = {_EVENT: str(desk.event.id)}
    link = issue_link(
        desk.session, LinkPurpose.RESET_PASSWORD, user_id=user.id, vault=desk.vault, now=desk.now, payload=payload
    )
    _post_reset(desk, user, link, "reset_owed")


def _post_reset(desk: _Desk, user: User, link: IssuedLink, template: str) -> None:
    message = AccountMessage(template, path=f"{door_path(user)}/reset/{SECRET_MARK}", link=link)
    desk.post(message, addressee_of(desk.session, user))
    audit(desk.session, "user.reset_link_sent", "user", user.id, actor=desk.actor, now=desk.now)


def _has_enough_links(desk: _Desk, user_id: UUID) -> bool:
    query = select(func.count()).where(
        OneTimeLink.user_id == user_id,
        OneTimeLink.purpose == LinkPurpose.RESET_PASSWORD,
        OneTimeLink.created_at > desk.now - timedelta(hours=1),
    )
    return (desk.session.scalar(query) or 0) >= RESETS_PER_HOUR


def _answer_registration(desk: _Desk, link: OneTimeLink) -> None:
    _forget_unproven(desk)
    told = read_request(link, desk.vault)
    known = desk.session.execute(
        select(Person, User).outerjoin(User, User.person_id == Person.id).where(Person.email == told["email"])
    ).first()
    if known is None:
        link.payload = {**link.payload, _ANSWERED: True}
        link.expires_at = desk.now + LIFETIME[link.purpose]
        desk.session.flush()
        issued = IssuedLink(link.id, link.purpose, link.expires_at)
        # No name in it: a stranger typed that one, and the mail goes to whoever the address belongs to.
        to = Addressee(told["email"], "", None, told["locale"])
        desk.post(AccountMessage("verify_email", path=f"/portal/register/{SECRET_MARK}", link=issued), to)
        return
    desk.session.delete(link)
    _, user = known
    if user is not None:
        desk.post(
            AccountMessage("already_registered", path=f"{door_path(user)}/login"), addressee_of(desk.session, user)
        )
    else:
        to = Addressee(told["email"], "", None, told["locale"])
        desk.post(AccountMessage("already_known", path="/portal/create-account"), to)


def _forget_unproven(desk: _Desk) -> None:
    """What was typed with links that nobody followed in time is kept no longer."""
    desk.session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.purpose == LinkPurpose.VERIFY_EMAIL,
            OneTimeLink.expires_at < desk.now,
            OneTimeLink.id != desk.event.record_id,
            OneTimeLink.payload.has_key(SEALED),
        )
        .values(payload={}),
        execution_options={"synchronize_session": False},
    )


def _warn_of_device(desk: _Desk) -> None:
    """Somebody's login was used on a new device: when, where, and a link to say "not me"; by the way they chose."""
    device = desk.session.get(KnownDevice, desk.event.record_id)
    user = desk.session.get(User, device.user_id) if device is not None else None
    if device is None or user is None or device.disowned_at is not None or desk.answered(user.id):
        return
    to = addressee_of(desk.session, user)
    payload = {_EVENT: str(desk.event.id), "device": str(device.id)}
    link = issue_link(
        desk.session, LinkPurpose.DISOWN_DEVICE, user_id=user.id, vault=desk.vault, now=desk.now, payload=payload
    )
    facts = origin_facts(to, desk.site.tenant, device.created_at, device.user_agent, device.ip)
    named = {"device": excerpt(describe(device.user_agent).text, DEVICE_LENGTH)}
    path = f"{door_path(user)}/not-me/{SECRET_MARK}"
    message = AccountMessage("new_device", path=path, link=link, facts=facts, params=named)
    plan = plan_notice(desk.session, user, now=desk.now)
    if plan.mail:
        desk.post(message, to)
    if plan.phone is not None:
        desk.post(message, replace(to, address=plan.phone), text=True)


_LETTERS: dict[str, Callable[[_Desk], None]] = {
    AccessRequested.kind: _answer_request,
    DeviceAdded.kind: _warn_of_device,
    PasswordResetOwed.kind: _send_owed_reset,
}
