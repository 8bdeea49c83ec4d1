"""The form that Kestrel's carrier sent with its answer, for the landlord to sign."""

from datetime import datetime

import typst
from sqlalchemy import select

from portal.demo.content import DemoTenant, demo_uuid
from portal.demo.files import keep_demo_file
from portal.demo.relations import SIDE_TICKET
from portal.integrations.storage import FileStorage
from portal.models import SideMessage
from portal.models.session import TenantSession

NAME = "Landlord consent, Graz.pdf"
_FORM = """
#set page(paper: "a4", margin: 2.2cm)
#set text(size: 10.5pt)
#text(18pt, weight: "semibold")[Consent of the landlord]
#v(6mm)
We may lead a fibre line through the riser to the second floor, and fit a wall outlet there.
#v(6mm)
#table(
  columns: (5cm, 1fr), stroke: 0.5pt + luma(200), inset: 7pt,
  [*Address*], [Graz, second floor], [*Line*], [500/500 Mbit/s], [*Landlord*], [], [*Place and day*], [],
  [*Signature*], [#v(1.2cm)],
)
"""


def seed_side_files(session: TenantSession, tenant: DemoTenant, *, storage: FileStorage, now: datetime) -> None:
    """Keep the form with the mail that brought it, where the tenant has that conversation."""
    conversation_id = demo_uuid(tenant.key, "side", SIDE_TICKET)
    mail = session.scalar(
        select(SideMessage).where(SideMessage.conversation_id == conversation_id, SideMessage.inbound.is_(True))
    )
    if mail is None:
        return
    content = typst.compile(_FORM.encode(), format="pdf", timestamp=int(now.timestamp()))
    id_ = demo_uuid(tenant.key, "file", "side", SIDE_TICKET)
    file = keep_demo_file(session, id_, NAME, content, storage=storage, at=mail.created_at, sender=None)
    file.ticket_id, file.side_message_id = demo_uuid(tenant.key, "ticket", SIDE_TICKET), mail.id
    file.is_internal = True
    session.add(file)
    session.flush()
