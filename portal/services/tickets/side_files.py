"""Files of side conversations: sent to somebody outside with a mail, or come with the answer; never customers'."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import invalid
from portal.models import Attachment, FileState, MailMessage, MailState, SideConversation, SideMessage
from portal.models.session import TenantSession
from portal.services.tenants.file_policy import FILES_A_MESSAGE, MEGABYTE
from portal.services.tickets.attaching import FIELD
from portal.services.tickets.files import TicketFile, as_ticket_file

# Most servers refuse mails above 25 MB, and a file grows by a third on its way.
MOST_MB = 18


def attach_to_side(
    session: TenantSession, ids: Sequence[UUID], *, conversation: SideConversation, entry: SideMessage, actor: Actor
) -> None:
    """Bind the actor's own loose files to a mail of the conversation, each once.

    Raises Invalid about `attachment_ids`: more than ten, more than a mail carries, and what is not loose or not the
    actor's. What came from outside was uploaded by nobody, in the same transaction.
    """
    if not ids:
        return
    if len(ids) > FILES_A_MESSAGE:
        raise invalid(FIELD, "files_too_many", limit=FILES_A_MESSAGE)
    rows = session.scalars(
        select(Attachment)
        .where(
            Attachment.id.in_(ids),
            Attachment.uploaded_by == actor.user_id,
            Attachment.is_loose(),
            Attachment.removed_at.is_(None),
            Attachment.state != FileState.REFUSED,
        )
        .order_by(Attachment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(ids):
        raise invalid(FIELD, "file_unknown")
    if not entry.inbound and sum(row.size for row in rows) > MOST_MB * MEGABYTE:
        raise invalid(FIELD, "side_files_too_large", limit=MOST_MB)
    # The mail's row first: the files refer to it.
    session.flush()
    for row in rows:
        row.ticket_id, row.side_message_id, row.is_internal = conversation.ticket_id, entry.id, True
    session.flush()


def files_of_mails(session: TenantSession, entries: Sequence[SideMessage]) -> Mapping[UUID, list[TicketFile]]:
    """The files of each of these mails, in the order they came."""
    found: dict[UUID, list[TicketFile]] = defaultdict(list)
    if not entries:
        return found
    rows = session.scalars(
        select(Attachment)
        .where(
            Attachment.side_message_id.in_([entry.id for entry in entries]),
            Attachment.removed_at.is_(None),
        )
        .order_by(Attachment.created_at, Attachment.id)
    )
    for row in rows:
        assert row.side_message_id is not None
        found[row.side_message_id].append(as_ticket_file(row))
    return found


def list_unsent(session: TenantSession, entries: Sequence[SideMessage]) -> frozenset[UUID]:
    """Of these mails those that did not go out and will not."""
    written = [entry.id for entry in entries if not entry.inbound]
    failed = select(MailMessage.id).where(MailMessage.id.in_(written), MailMessage.state == MailState.FAILED)
    return frozenset(session.scalars(failed)) if written else frozenset()
