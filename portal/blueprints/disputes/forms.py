"""From what was typed into the forms to what the services take; what cannot be read becomes a refusal."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from werkzeug.datastructures import MultiDict

from portal.errors import invalid
from portal.lib.money import parse_amount
from portal.models import DisputeReason
from portal.services.disputes.opening import Objection


def typed_amount(field: str, text: str, currency: str) -> int | None:
    """Minor units of "1050.50", a comma counts as a point; None where nothing was typed. Raises Invalid."""
    if not text.strip():
        return None
    try:
        return parse_amount(text.strip().replace(",", "."), currency).amount
    except ValueError:
        raise invalid(field, "amount_invalid") from None


def typed_day(text: str) -> date:
    """The day of a field of days. Raises Invalid about `due_on`."""
    if not text.strip():
        raise invalid("due_on", "required")
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise invalid("due_on", "date_invalid") from None


def typed_objection(form: MultiDict[str, str], currency: str, file_ids: Sequence[UUID] = ()) -> Objection:
    """The dispute that was typed; without a line it is about the whole. Raises Invalid."""
    try:
        reason = DisputeReason(form.get("category", ""))
    except ValueError:
        raise invalid("category", "unknown_choice") from None
    if form.get("about") == "lines" and not form.getlist("line"):
        raise invalid("lines", "required")
    chosen = form.getlist("line") if form.get("about") == "lines" else []
    lines = {_id(text): typed_amount("lines", form.get(f"amount-{text}", ""), currency) for text in chosen}
    amount = None if lines else typed_amount("amount", form.get("amount", ""), currency)
    return Objection(form.get("reason", ""), reason, lines, amount, file_ids)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid("lines", "unknown_choice") from None
