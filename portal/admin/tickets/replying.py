"""What the composer of a ticket sends: an answer, perhaps with a macro whose changes go with it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request

from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.macro_chips import macro_chip
from portal.admin.tickets.own_choices import read_status
from portal.authz import Permission
from portal.blueprints import http
from portal.errors import NotFound
from portal.services.tickets.attaching import MESSAGE
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.macro_use import Reply, apply_macro, preview_macro


def send_reply(ticket_id: UUID, *, message: str, message_id: UUID, files: Sequence[UUID]) -> None:
    """Answer as the form says; with a macro its changes are made in the same transaction. Raises as both do."""
    form, macro_id = request.form, valid_uuid(request.form.get("macro_id"))
    status, own = read_status(form.get("status"))
    then, _ = read_status(form.get("then"))
    purpose = form.get("file_purpose", MESSAGE)
    given: dict[str, Any] = {"message": message, "message_id": message_id, "attachment_ids": files}
    who: dict[str, Any] = {"actor": http.actor(), "now": http.now()}
    if macro_id:
        reply = Reply(status=status, custom_status=own, otherwise=then, file_purpose=purpose, **given)
        apply_macro(http.session(), ticket_id, macro_id, reply=reply, **who)
        return
    if status is None and own is None:
        status = then
    reply_as_staff(http.session(), ticket_id, status=status, custom_status=own, file_purpose=purpose, **given, **who)


def chosen_macro(ticket_id: UUID) -> dict[str, Any]:
    """The macro that the page's address or its form names, for the composer; nothing where there is none."""
    macro_id = valid_uuid(request.values.get("macro_id"))
    if macro_id is None or not http.actor().may(Permission.DESK_REPLY):
        return {}
    tenant = http.tenant()
    try:
        found = preview_macro(
            http.session(),
            ticket_id,
            macro_id,
            actor=http.actor(),
            portal_name=tenant.name,
            main_locale=tenant.locale,
        )
    except NotFound:
        return {}
    return {"macro": macro_chip(found), "reply_value": found.text}
