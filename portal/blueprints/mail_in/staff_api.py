"""Mail that came in under /api/v1/staff: the log, decisions about held mail, addresses that take none."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.files.receiving import place
from portal.blueprints.mail_in.schemas import (
    Bounced,
    BouncedAddresses,
    InboundItem,
    InboundMessage,
    InboundMessages,
    InboundQuery,
    OpenMailRequest,
)
from portal.blueprints.policies import permission
from portal.lib.paging import MAX_LIMIT
from portal.services.mail_in import holding
from portal.services.mail_in.queries import clear_bounced, get_inbound, list_bounced, page_inbound
from portal.services.mail_in.taking import MailTools

bp = Blueprint("staff_mail_api", __name__, url_prefix="/api/v1/staff")
DECIDED = "It was decided about already, is not kept any more, or its sender may not do this."


@bp.get("/inbound-mails")
@permission(Permission.MAIL_READ)
@operation("List mail that came in", query=InboundQuery, answer=InboundMessages)
def index(query: InboundQuery) -> InboundMessages:
    """The newest first, each with what became of it."""
    page = page_inbound(
        http.session(),
        search=query.search,
        outcome=query.outcome.value if query.outcome else "",
        limit=query.limit,
        cursor=query.cursor,
        actor=http.actor(),
    )
    return InboundMessages(items=[InboundItem.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/inbound-mails/<uuid:mail_id>")
@permission(Permission.MAIL_READ)
@operation("Read a mail that came in", answer=InboundMessage)
def detail(mail_id: UUID) -> InboundMessage:
    """One mail with the beginning of its text."""
    return InboundMessage.of(get_inbound(http.session(), mail_id, actor=http.actor())[0])


@bp.post("/inbound-mails/<uuid:mail_id>/release")
@permission(Permission.MAIL_DECIDE)
@operation("Release a held mail", body=NoBody, answer=InboundMessage, conflicts=DECIDED)
def release(mail_id: UUID, body: NoBody) -> InboundMessage:
    """Lets it in as if its sender were proved; the sender gets no more rights by that."""
    tools = MailTools(http.vault(), place())
    return InboundMessage.of(
        holding.release_mail(http.session(), mail_id, tools=tools, actor=http.actor(), now=http.now())
    )


@bp.post("/inbound-mails/<uuid:mail_id>/open")
@permission(Permission.MAIL_DECIDE)
@operation("Open a held mail as a ticket", body=OpenMailRequest, answer=InboundMessage, conflicts=DECIDED)
def open_mail(mail_id: UUID, body: OpenMailRequest) -> InboundMessage:
    """Opens it as a ticket of a customer with a login."""
    tools = MailTools(http.vault(), place())
    row = holding.open_held_mail(
        http.session(), mail_id, requester=body.requester, tools=tools, actor=http.actor(), now=http.now()
    )
    return InboundMessage.of(row)


@bp.post("/inbound-mails/<uuid:mail_id>/reject")
@permission(Permission.MAIL_DECIDE)
@operation("Reject a held mail", body=NoBody, answer=InboundMessage, conflicts=DECIDED)
def reject(mail_id: UUID, body: NoBody) -> InboundMessage:
    """Turns it away; nobody outside is told."""
    return InboundMessage.of(holding.reject_mail(http.session(), mail_id, actor=http.actor(), now=http.now()))


@bp.get("/bounced-addresses")
@permission(Permission.MAIL_READ)
@operation("List addresses that take no mail", answer=BouncedAddresses)
def bounced() -> BouncedAddresses:
    """Addresses whose mails came back."""
    rows = list_bounced(http.session(), limit=MAX_LIMIT, actor=http.actor())
    return BouncedAddresses(items=[Bounced.of(row) for row in rows], next_cursor=None)


@bp.delete("/bounced-addresses/<uuid:address_id>")
@permission(Permission.MAIL_DECIDE)
@operation("Send to an address again", answer=None, status=204)
def clear(address_id: UUID) -> None:
    """Forgets that mails to it came back."""
    clear_bounced(http.session(), address_id, actor=http.actor(), now=http.now())
